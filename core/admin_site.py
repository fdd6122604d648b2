"""The stock admin, without a log-in of its own: one door, with one guard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver

from core.admin_base import ActAdmin
from core.permissions import Declared, is_detail, may, need_of

SUPPORT = "support.open"
CLOSED = "You may not open the support pages."

# The stock pages take every other method for one of these.
_METHODS = ("GET", "HEAD", "POST")
_READ = {"get": SUPPORT}
# The view that leads to the page of any row of any model tells who calls it which rows there are.
_LEFT_OUT = frozenset({"view_on_site"})


class ConsoleAdminSite(AdminSite):
    """The admin for support staff: who is marked as staff and may open the support pages."""

    site_header = site_title = "Postern"
    index_title = "Support"
    final_catch_all_view = False

    pages: Mapping[str, Mapping[str, Declared]] = {
        "login": {"get": SUPPORT, "post": SUPPORT},
        "index": _READ,
        "app_index": _READ,
        "autocomplete_view": _READ,
        "i18n_javascript": _READ,
        "password_change": _READ,
        "password_change_done": _READ,
        "logout": {"post": SUPPORT},
    }
    """What the pages take that belong to no model, by the method of this class that answers them."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Ask for both: the mark and the act."""
        return super().has_permission(request) and may(request.user, SUPPORT)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Guard every page, by the act that it declares."""
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method not in _METHODS:
                return HttpResponseNotAllowed(_METHODS)
            self._admit(request, view, kwargs)
            return inner(request, *args, **kwargs)

        return update_wrapper(guarded, inner)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Leave out what tells too much."""
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", "") not in _LEFT_OUT]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Refuse who may not open the admin; strangers were sent to our log-in page before."""
        if request.method not in _METHODS:
            return HttpResponseNotAllowed(_METHODS)
        if not self.has_permission(request):
            raise PermissionDenied(CLOSED)
        return redirect("admin:index")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ARG002
        """Lead to our own page."""
        return redirect("core:password-change")

    def _admit(self, request: HttpRequest, view: Callable[..., Any], address: Mapping[str, Any]) -> None:
        if not self.has_permission(request):
            if is_detail(address):
                raise Http404
            raise PermissionDenied(CLOSED)
        owner = getattr(view, "__self__", None)
        if isinstance(owner, ActAdmin):
            owner.admit(request, view.__name__, address)
        elif owner is not self or need_of(self.pages.get(view.__name__, {}), request.method or "") is None:
            raise PermissionDenied("Nobody does this here.")
