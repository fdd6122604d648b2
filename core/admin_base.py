"""The admin for support staff, with our acts in the place of Django's permissions per model.

Closed by default, like everything: a page of the admin that declares no act is refused, an action without one is
not offered. Who is not permitted to see a model's rows gets 404 for their addresses, whether they exist or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern

from core.errors import Refused
from core.permissions import Declared, admit, may, need_of
from core.wording import told

Function = TypeVar("Function", bound=Callable[..., Any])


def takes(act: str) -> Callable[[Function], Function]:
    """Declare the act of an admin action: `@takes("connections.test")` below `@admin.action(…)`."""

    def decorate(function: Function) -> Function:
        function.act = act  # type: ignore[attr-defined]
        return function

    return decorate


class _ByActs:
    """Answer Django's questions about a model's rows by acts; one that is not named is permitted to nobody."""

    view_act = ""
    add_act = ""
    change_act = ""
    delete_act = ""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Tell whether rows are shown."""
        return _may(request, self.view_act)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  inlines pass a row
        """Tell whether rows can be added."""
        return _may(request, self.add_act)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Tell whether rows can be changed."""
        return _may(request, self.change_act)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Tell whether rows can be deleted."""
        return _may(request, self.delete_act)


class ActInline(_ByActs, admin.TabularInline):  # type: ignore[type-arg]  # generic for mypy only
    """Rows that belong to the one that is shown."""

    extra = 0


class ActAdmin(_ByActs, admin.ModelAdmin):  # type: ignore[type-arg]  # generic for mypy only
    """A model on the support pages: name at least `view_act`.

    A page of its own is a bound method that goes through `admin_site.admin_view` and stands in `pages`, by the name
    of the method, with what its methods take. An action says so with `takes`.
    """

    view_on_site = False
    pages: Mapping[str, Mapping[str, Declared]] = {}

    def acts_of_page(self, page: str) -> Mapping[str, Declared]:
        """Return what the methods of a page take, by the name of the method of this class that answers it."""
        stock: dict[str, dict[str, str]] = {
            "changelist_view": {"get": self.view_act, "post": self.view_act},
            "add_view": {"get": self.add_act, "post": self.add_act},
            "change_view": {"get": self.view_act, "post": self.change_act},
            "delete_view": {"get": self.delete_act, "post": self.delete_act},
            "history_view": {"get": self.view_act},
        }
        declared = self.pages.get(page, stock.get(page, {}))
        return {method: act for method, act in declared.items() if act}

    def admit(self, request: HttpRequest, page: str, address: Mapping[str, Any]) -> None:
        """Raise PermissionDenied or Http404 unless the user may open a page."""
        need = need_of(self.acts_of_page(page), request.method or "")
        if address and not self.has_view_permission(request):
            raise Http404
        if need is None:
            raise PermissionDenied("Nobody does this here.")
        admit(request, need, address)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, or do what is chosen from it; what the services refuse is told, not done."""
        try:
            return super().changelist_view(request, extra_context)
        except Refused as refusal:
            messages.error(request, told(refusal))
            return redirect(request.get_full_path())

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Ask, and delete; what the services refuse is told."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except Refused as refusal:
            messages.error(request, told(refusal))
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Tell whether the model stands on the first page."""
        return self.has_view_permission(request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the actions that the user may choose from; who may not open these pages has none."""
        if not self.admin_site.has_permission(request):
            return {}
        found = super().get_actions(request)
        return {name: entry for name, entry in found.items() if entry and _offered(request, entry[0])}

    def get_urls(self) -> list[URLPattern]:
        """Leave out the pages without a name: one for addresses of ancient versions, which leads nowhere new."""
        return [pattern for pattern in super().get_urls() if pattern.name]

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:  # noqa: ARG002
        # Django's own answer leads to another page: who may not see the row could tell from it that there is none.
        raise Http404


def _may(request: HttpRequest, act: str) -> bool:
    return bool(act) and may(request.user, act)


def _offered(request: HttpRequest, function: Callable[..., Any]) -> bool:
    if function is delete_selected:
        return True  # Django has asked for the permission to delete
    return _may(request, getattr(function, "act", ""))
