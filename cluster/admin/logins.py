"""Suspended sign-ins on the support pages: to be read, and to be lifted with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from cluster.accounts import services
from cluster.accounts.forms import LiftForm
from cluster.models import SuspendedLogin
from core.admin_base import takes
from core.admin_lists import LongList
from core.errors import Refused

LIFTED_AT_ONCE = 100
"""Sign-ins that are lifted with one reason; whoever lifts more has not looked at them."""


class StandsFilter(admin.SimpleListFilter):
    """Whether it still stands."""

    title = "state"
    parameter_name = "lifted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Offer both."""
        return [("0", "Suspended"), ("1", "Lifted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        """Keep those in the chosen state."""
        return queryset.filter(lifted_at__isnull=self.value() == "0") if self.value() in {"0", "1"} else queryset


class SuspendedLoginAdmin(LongList):
    """Sign-ins that a server refused for good."""

    view_act = "tests.view"
    change_form_template = "admin/cluster/suspendedlogin/change_form.html"
    list_display = ("name", "code", "since", "connection_name", "overtaken_at", "lifted_at", "lifted_by")
    list_filter = (StandsFilter, "since")
    sortable_by = ("since",)
    ordering = ("-since", "-id")
    exact = ("host", "username", "connection_name")
    search_help_text = "The exact host, user name, or name of a connection."
    fields = (
        "host",
        "username",
        "code",
        "summary",
        "advice",
        "since",
        "connection_name",
        "overtaken_at",
        "lifted_at",
        "lifted_by",
        "lifted_reason",
    )
    actions = ("lift",)

    @admin.action(description="Let selected sign-ins be tried again")
    @takes("logins.lift")
    def lift(self, request: HttpRequest, queryset: QuerySet[SuspendedLogin]) -> HttpResponse | None:
        """Ask for the reason, and lift them with it."""
        rows = list(queryset[: LIFTED_AT_ONCE + 1])
        if len(rows) > LIFTED_AT_ONCE:
            raise Refused("too_many", f"At most {LIFTED_AT_ONCE} are lifted at a time.")
        if "reason" not in request.POST:
            return self._ask(request, rows, LiftForm())
        form, now = LiftForm(request.POST), timezone.now()
        try:
            with transaction.atomic():
                for row in rows:
                    services.lift(row, reason=request.POST["reason"], now=now)
        except ValidationError as error:
            form.refuse(error)
            return self._ask(request, rows, form)
        for row in rows:
            self.message_user(request, f"{row.name} may be tried once more.", messages.SUCCESS)
        return None

    def _ask(self, request: HttpRequest, rows: list[SuspendedLogin], form: LiftForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Let sign-ins be tried again",
            "rows": rows,
            "form": form,
            "opts": self.opts,
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/cluster/suspendedlogin/lift.html", context)
