"""The support pages: what is written there is recorded, and the trail itself can be read there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db import models, transaction
from django.forms import ModelForm
from django.http import HttpRequest

from core.admin_base import ActAdmin
from core.admin_lists import BoundedPaginator
from core.audit.acts import GROUPS
from core.audit.declarations import Thing, snapshot, thing
from core.audit.recording import record

_BEFORE = "postern_audit_before"


class Recorded(admin.ModelAdmin):  # type: ignore[type-arg]
    """Record what is written through a model's support pages.

    The event is written after the related rows, because roles and rights are among them; all of it is one
    transaction, which the stock admin opens itself.
    """

    def save_model(self, request: HttpRequest, obj: models.Model, form: ModelForm[Any], change: bool) -> None:
        """Store the row, and keep what it was before."""
        stored = type(obj)._default_manager.get(pk=obj.pk) if change else None
        setattr(request, _BEFORE, None if stored is None else snapshot(stored))
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: ModelForm[Any], formsets: Sequence[Any], change: bool) -> None:
        """Store what hangs on the row, then record it all."""
        super().save_related(request, form, formsets, change)
        row = type(form.instance)._default_manager.get(pk=form.instance.pk)
        act = f"{thing(row).kind}.{'changed' if change else 'created'}"
        record(act, row, before=getattr(request, _BEFORE, None), after=snapshot(row))

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        """Remove the row and record that."""
        with transaction.atomic():
            subject, before = thing(obj), snapshot(obj)
            super().delete_model(request, obj)
            self.record_removal(subject, before)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """Remove each row and record that: the stock way knows only how many there were."""
        with transaction.atomic():
            for row in queryset:
                self.delete_model(request, row)

    def record_removal(self, subject: Thing, before: dict[str, Any]) -> None:
        """Record what the removal of a row means."""
        record(f"{subject.kind}.deleted", subject, before=before)


class GroupFilter(admin.SimpleListFilter):
    """The groups of the catalogue; asking the table for them would read all of it."""

    title = "what it is about"
    parameter_name = "act_group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Offer every group."""
        return list(GROUPS.items())

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:  # noqa: ARG002
        """Keep the events of the chosen group."""
        return queryset.filter(act_group=self.value()) if self.value() else queryset


class AuditEventAdmin(ActAdmin):
    """The audit trail, to be read; nobody writes it here."""

    view_act = "audit.view"
    list_display = ("at", "act", "object_kind", "object_name", "actor_name", "door", "address")
    list_filter = (GroupFilter, "door")
    search_fields = ("object_id", "object_name", "actor_name")
    search_help_text = "The exact id or name of a thing, or the exact name of who acted."
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: models.QuerySet[Any],
        search_term: str,
    ) -> tuple[models.QuerySet[Any], bool]:
        """Find what is called exactly so, by the first of the columns that knows it: each has an index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        # One question for each column, unlike other long lists: a person's name may stand in most of a million events.
        found = (queryset.filter(**{column: term}) for column in self.search_fields)
        return next((rows for rows in found if rows.exists()), queryset.none()), False
