"""Bulk runs on the support pages: to be read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from cluster.batches import selectors
from cluster.batches.models import Batch
from core.admin_lists import LongList

SHOWN = 100
"""Results that the page of a batch names, what needs attention first; the console's own page turns to the others."""


class BatchAdmin(LongList):
    """Bulk runs, to be read."""

    view_act = "tests.view"
    change_form_template = "admin/cluster/batch/change_form.html"
    list_display = ("created", "__str__", "where", "requester", "finished")
    list_filter = ("action", "created")
    sortable_by = ("created",)
    ordering = ("-created", "-id")
    search_help_text = "The id of a bulk run."
    fields = ("action", "total", "where", "reason", "requester", "created", "cancelled_at", "finished")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:  # noqa: ARG002
        """Return the batches, latest first."""
        return selectors.batches().order_by(*self.ordering)

    @admin.display(description="State")
    def where(self, row: Batch) -> str:
        """Show where it is."""
        return str(row.state.label)

    @admin.display(description="Asked for by")
    def requester(self, row: Batch) -> str:
        """Show who asked for it."""
        return row.requester.name

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show one batch with its counts and results; while it is on its way the page loads itself again."""
        row: Batch = kwargs["obj"]
        ranks = selectors.by_rank(selectors.counts_of(row))
        context |= {
            "running": not row.is_final,
            "ranks": [(rank.label, count) for rank, count in ranks.items()],
            "items": list(selectors.items(row)[:SHOWN]),
        }
        return super().render_change_form(request, context, *args, **kwargs)
