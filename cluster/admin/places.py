"""Clusters and STENGs on the support pages: to be read, and the wishes that a STENG can be given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from cluster import services
from cluster.models import Steng
from cluster.rules import is_live
from core.admin_base import ActAdmin, ActInline, takes


class Stengs(ActInline):
    """The STENGs of a cluster."""

    view_act = "clusters.view"
    model = Steng
    fields = ("name", "enabled", "drain", "state", "last_seen", "slots", "running")
    readonly_fields = fields
    show_change_link = True


class ClusterAdmin(ActAdmin):
    """Clusters."""

    view_act = "clusters.view"
    list_display = ("name", "description")
    search_fields = ("name",)
    fields = ("name", "description", "created")
    inlines = (Stengs,)


class StengAdmin(ActAdmin):
    """STENGs."""

    view_act = "clusters.view"
    list_display = ("name", "cluster", "enabled", "drain", "state", "lives", "running", "slots", "version")
    list_select_related = ("cluster",)
    list_filter = ("state", "enabled")
    search_fields = ("name",)
    fields = (
        "name",
        "description",
        "cluster",
        "enabled",
        "drain",
        "state",
        "last_seen",
        "version",
        "slots",
        "running",
        "created",
    )
    actions = ("enable", "disable", "drain")

    @admin.display(description="Alive", boolean=True)
    def lives(self, row: Steng) -> bool:
        """Tell whether it was heard of lately."""
        return is_live(row, timezone.now())

    @admin.action(description="Enable selected STENGs")
    @takes("clusters.manage")
    def enable(self, request: HttpRequest, queryset: QuerySet[Steng]) -> None:
        """Let them take work again."""
        self._wish(request, queryset, services.enable, "takes tests again.")

    @admin.action(description="Disable selected STENGs")
    @takes("clusters.manage")
    def disable(self, request: HttpRequest, queryset: QuerySet[Steng]) -> None:
        """Let them take no more work."""
        self._wish(request, queryset, services.disable, "takes no more tests; what it runs it finishes.")

    @admin.action(description="Drain selected STENGs")
    @takes("clusters.manage")
    def drain(self, request: HttpRequest, queryset: QuerySet[Steng]) -> None:
        """Let them finish what they run."""
        self._wish(request, queryset, services.drain, "finishes what it runs and takes nothing new.")

    def _wish(
        self, request: HttpRequest, queryset: QuerySet[Any], act: Callable[[Steng], Steng], sentence: str
    ) -> None:
        for steng in queryset:
            self.message_user(request, f"{act(steng).name} {sentence}", messages.SUCCESS)
