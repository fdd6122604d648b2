"""The stock admin, without a log-in of its own: one door, with one guard."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


class ConsoleAdminSite(AdminSite):
    """The admin for support staff."""

    site_header = site_title = "Postern"
    index_title = "Support"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Refuse who is logged in without being staff; strangers were sent to our log-in page before."""
        if not self.has_permission(request):
            raise PermissionDenied("You may not open the support pages.")
        return redirect("admin:index")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ARG002
        """Lead to our own page."""
        return redirect("core:password-change")
