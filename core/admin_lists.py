"""Lists of the support pages that cost the same on a hundred thousand rows as on ten."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet, Value
from django.http import HttpRequest
from django.utils.functional import cached_property

from core.admin_base import ActAdmin
from core.pagination import MAX_COUNT


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Count no further than anybody turns pages: a count over a million rows costs more than the page."""

    @cached_property
    def count(self) -> int:
        """Return how many rows can be reached, counted in whatever order costs least; who wants others narrows."""
        found: int = self.object_list.order_by().values("pk")[:MAX_COUNT].count()  # type: ignore[attr-defined]
        return found


class KeyPaginator(BoundedPaginator):
    """Turn pages by keys, and read whole rows for the one page that is shown.

    What is skipped on the way to a late page, or sorted, is then a key and not a row with all that hangs on it.
    """

    def __init__(self, *args: Any, read: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read = read

    def page(self, number: Any) -> Page[Any]:
        """Return one page; raise what the stock paginator raises for a number that is none."""
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        keys = list(self.object_list.values_list("pk", flat=True)[first : first + self.per_page])  # type: ignore[attr-defined]
        rows = {row.pk: row for row in self._read(keys)}
        return Page([rows[key] for key in keys if key in rows], number, self)


class KeyChangeList(ChangeList):
    """A list that is read by its paginator also where it fits on one page."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page."""
        super().get_results(request)
        if not self.multi_page:
            self.result_list = self.paginator.page(1).object_list


class LongList(ActAdmin):
    """A model with many rows: nothing on its list reads all of them, and no row costs a query of its own.

    A search looks for the exact value of one of `exact`, each of which has an index. The list reads its rows by
    `rows_of`, which is the place for what they need beside themselves.
    """

    exact: tuple[str, ...] = ()
    search_fields = ("pk",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0

    def rows_of(self, keys: Collection[Any]) -> Iterable[Any]:
        """Return the rows of one page, in any order."""
        rows: QuerySet[Any] = self.get_queryset_of_all().filter(pk__in=keys).order_by()
        return rows

    def get_queryset_of_all(self) -> QuerySet[Any]:
        """Return all rows, with what a list shows."""
        rows: QuerySet[Any] = self.model._default_manager.all()
        return rows

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        """Return the class of the list."""
        return KeyChangeList

    def get_paginator(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[Any],
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
    ) -> KeyPaginator:
        """Return the paginator of the list."""
        return KeyPaginator(queryset, per_page, orphans, allow_empty_first_page, read=self.rows_of)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find what has exactly this id, or this value in the first of the columns that knows it."""

        def known(term: str) -> Q:
            column = self._column_that_knows(term)
            return Q(**{column: term}) if column else Q(pk__in=())

        return self.by_id_or(request, queryset, search_term, known)

    def by_id_or(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str, find: Callable[[str], Q]
    ) -> tuple[QuerySet[Any], bool]:
        """Find the row with this id, else those behind the condition that `find` returns; tell what it refuses."""
        term = term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(pk=uuid.UUID(term)), False
        except ValueError:
            pass
        try:
            return queryset.filter(find(term)), False
        except ValidationError as error:
            messages.warning(request, " ".join(error.messages))
            return queryset.none(), False

    def _column_that_knows(self, term: str) -> str:
        """Return the first column that holds a value, asked for in one query; empty where none does."""
        rows = self.model._default_manager.order_by()
        places = [
            rows.filter(**{column: term}).annotate(place=Value(place)).values_list("place", flat=True)
            for place, column in enumerate(self.exact)
        ]
        found = list(places[0].union(*places[1:])) if places else []
        return self.exact[min(found)] if found else ""
