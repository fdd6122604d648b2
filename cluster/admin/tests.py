"""Tests on the support pages: the history, and one test with all that it saw."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from cluster import ports, selectors
from cluster.models import Job
from cluster.templatetags.stages import stage_label
from core.admin_lists import LongList
from core.templatetags.postern import duration
from steng.codes import CODES

_LISTED = (
    "id", "created", "kind", "connection_name", "target", "state", "verdict", "code", "failed_stage", "duration_ms",
    "requested_by_name", "steng_name", "cluster_name",
)  # fmt: skip


class CodeFilter(admin.SimpleListFilter):
    """The codes of the catalogue; asking the table which it holds would read all of it."""

    title = "code"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Offer every code that a test can end with."""
        return [(code, code) for code in sorted(CODES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        """Keep the tests that ended with the chosen code."""
        return queryset.filter(code=self.value()) if self.value() else queryset


class JobAdmin(LongList):
    """Tests, to be read; `dispatch` alone writes them."""

    view_act = "tests.view"
    change_form_template = "admin/cluster/job/change_form.html"
    list_display = ("created", "of", "target", "state", "verdict", "code", "stage", "took", "requested_by_name")
    list_display_links = ("created", "of")
    list_filter = ("state", "verdict", "created", CodeFilter)
    sortable_by = ("created",)
    ordering = ("-created", "-id")
    exact = ("connection_name", "target", "code")
    search_help_text = "The exact name of a connection, its host:port, a code, or the id of a test."
    fieldsets = (
        ("Result", {"fields": ("state", "verdict", "stage", "code", "summary", "advice", "field", "took")}),
        (
            "What and where",
            {
                "fields": (
                    "kind",
                    "connection_name",
                    "connection_version",
                    "target",
                    "depth",
                    "cluster_name",
                    "ran_on",
                    "source_address",
                    "peer_address",
                    "attempt",
                    "lane",
                    "batch",
                )
            },
        ),
        ("When and who", {"fields": ("requested_by_name", "created", "started", "credentials_sent_at", "finished")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:  # noqa: ARG002
        """Return the tests without what they carry; who may open these pages may know of them all."""
        return selectors.jobs().select_related("batch").order_by(*self.ordering)

    def rows_of(self, keys: Collection[Any]) -> Iterable[Job]:
        """Return the rows of one page with what the list shows."""
        return Job.objects.filter(pk__in=keys).only(*_LISTED).order_by()

    @admin.display(description="Test of")
    def of(self, row: Job) -> str:
        """Show what was tested."""
        return row.connection_name or "values that were not saved"

    @admin.display(description="Failed at")
    def stage(self, row: Job) -> str:
        """Show the stage that failed."""
        return stage_label(row.failed_stage) if row.failed_stage else ""

    @admin.display(description="Took")
    def took(self, row: Job) -> str:
        """Show how long it took."""
        return duration(row.duration_ms)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show one test whole; while it is on its way the page loads itself again."""
        row: Job = kwargs["obj"]
        context |= {"running": not row.is_final, "stale": ports.stale_of(row)}
        return super().render_change_form(request, context, *args, **kwargs)
