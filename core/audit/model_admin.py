"""The support pages: what is written there is recorded, and the trail itself can be read there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db import models, transaction
from django.forms import ModelForm
from django.http import HttpRequest

from core.admin_base import ActAdmin
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


class AuditEventAdmin(ActAdmin):
    """The audit trail, to be read; nobody writes it here."""

    view_act = "audit.view"
    list_display = ("at", "act", "object_kind", "object_name", "actor_name", "door", "address")
    list_filter = ("act_group", "door", "object_kind")
    search_fields = ("=object_name", "=object_id", "=actor_name")
    # A count over a million rows, only to say how many there are, costs more than the page.
    show_full_result_count = False
    list_per_page = 50
