"""What the lists of connections have in common: columns, filters, the search, and what can be done to those chosen."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from cluster.batches.choices import Action
from cluster.models import LastTest
from connections import bulk, selectors, services, testing
from connections.choices import Security, Status
from connections.models import Connection
from core.admin_base import takes
from core.admin_lists import LongList
from core.errors import Refused
from core.requests import user_of
from core.wording import sentence_of

FEW = 20
"""Connections that an action deals with at once; more become a batch, with progress and a result for each."""

_OUTCOMES = dict(selectors.OUTCOMES)


class VerdictFilter(admin.SimpleListFilter):
    """The outcome of the last test."""

    title = "last test"
    parameter_name = "verdict"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Offer the outcomes."""
        return list(selectors.OUTCOMES)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        """Keep the connections with the chosen outcome."""
        if not self.value():
            return queryset
        never = self.value() == selectors.NEVER
        wanted = {"rank": LastTest.NEVER} if never else {"verdict": self.value()}
        # By keys that an index gives: a join would look up the last test of every connection.
        return queryset.filter(last_test__in=LastTest.objects.filter(**wanted).values("pk"))


class SecurityFilter(admin.SimpleListFilter):
    """How the connection is secured."""

    title = "security"
    parameter_name = "security"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Offer the securities."""
        return [(str(value), str(label)) for value, label in Security.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        """Keep the connections with the chosen security."""
        return queryset.filter(connection_security=self.value()) if self.value() else queryset


class ConnectionList(LongList):
    """A list of connections."""

    view_act = "connections.view"
    list_display: Any = ("name", "server", "connection_security", "status", "outcome", "tested")
    list_filter: ClassVar[Any] = ("status", SecurityFilter, VerdictFilter)
    sortable_by = ("name", "server")
    ordering = ("name_key",)
    search_help_text = "Words in the name, the host or the partner of a connection; or its id."
    actions = ("test_chosen", "enable_chosen", "disable_chosen")

    @admin.display(description="Host", ordering="host_canonical")
    def server(self, row: Connection) -> str:
        """Show host and port."""
        return row.endpoint

    @admin.display(description="Last test")
    def outcome(self, row: Connection) -> str:
        """Show the outcome of the last test, why it failed, and whether it still stands."""
        last = row.last_test
        if not last.was_run:
            return _OUTCOMES[selectors.NEVER]
        words = _OUTCOMES[last.verdict] if last.verdict else last.get_state_display()
        because = f": {last.code}" if last.code else ""
        return f"{words}{because}{' (stale)' if selectors.is_stale(row) else ''}"

    @admin.display(description="Tested")
    def tested(self, row: Connection) -> str:
        """Show when the last test ended."""
        return f"{row.last_test.finished:%Y-%m-%d %H:%M}" if row.last_test.finished else ""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find what the console's own list finds."""
        return self.by_id_or(
            request, queryset, search_term, lambda term: Q(pk__in=selectors.connection_list({"q": term}).keys())
        )

    @admin.action(description="Test selected connections")
    @takes("connections.test")
    def test_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask for tests; one leads to its result, many become a batch."""

        def test(row: Connection) -> bool:
            jobs.append(testing.request_test(row, testing.Target(), user=user_of(request)))
            return True

        jobs: list[Any] = []
        answer = self._to_each(request, queryset, Action.TEST, test, "Tests asked for")
        alone = len(jobs) == 1 and len(request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)) == 1
        return redirect("admin:cluster_job_change", jobs[0].pk) if alone else answer

    @admin.action(description="Enable selected connections")
    @takes("connections.enable")
    def enable_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Enable them."""
        return self._set_status(request, queryset, Action.ENABLE, Status.ENABLED)

    @admin.action(description="Disable selected connections")
    @takes("connections.enable")
    def disable_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Disable them."""
        return self._set_status(request, queryset, Action.DISABLE, Status.DISABLED)

    def _set_status(
        self, request: HttpRequest, queryset: QuerySet[Any], action: Action, status: Status
    ) -> HttpResponse | None:
        def change(row: Connection) -> bool:
            return bool(services.set_status(row, status, user=user_of(request)).changed)

        return self._to_each(request, queryset, action, change, str(status.label))

    def _to_each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        action: Action,
        act: Callable[[Connection], bool],
        done: str,
    ) -> HttpResponse | None:
        """Do something to each of a few, and say what became of it; start a batch for more."""
        chosen: list[tuple[str, uuid.UUID]] = list(queryset.values_list("kind", "pk")[: bulk.LIMIT + 1])
        keys = [key for _, key in chosen]
        if len(keys) > FEW:
            return self._batch(request, action, keys)
        found, changed = selectors.find_many(chosen), 0
        for key in keys:
            row = found.get(key)
            try:
                changed += row is not None and act(row)
            except (Refused, ValidationError) as error:
                self.message_user(request, f"{row}: {sentence_of(error)}", messages.ERROR)
        self.message_user(request, f"{done}: {changed} of {len(keys)}.", messages.SUCCESS if changed else messages.INFO)
        return None

    def _batch(self, request: HttpRequest, action: Action, keys: Collection[uuid.UUID]) -> HttpResponse | None:
        try:
            batch = bulk.request(action, bulk.by_ids(keys), user=user_of(request))
        except ValidationError as error:
            self.message_user(request, sentence_of(error), messages.ERROR)
            return None
        return redirect("admin:cluster_batch_change", batch.pk)
