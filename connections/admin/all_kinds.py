"""All connections in one list: whoever looks for a name need not know its kind."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from connections import selectors
from connections.admin.lists import ConnectionList
from connections.kinds import KINDS
from connections.models import Connection


class ConnectionAdmin(ConnectionList):
    """The list of all kinds; a row leads to the page of its own kind."""

    list_display = ("name", "kind", *ConnectionList.list_display[1:])
    list_filter = ("kind", *ConnectionList.list_filter)
    pages = {"change_view": {"get": "connections.view"}, "history_view": {"get": "audit.view"}}

    def rows_of(self, keys: Collection[Any]) -> Iterable[Connection]:
        """Return the rows of one page with their verdicts, read from the base table alone."""
        plain: QuerySet[Connection] = Connection.objects.filter(pk__in=keys)
        return selectors.Matches(plain).rows()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Lead to the page of the kind."""
        return redirect(f"admin:connections_{self._model_name(request, object_id)}_change", object_id)

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Lead to the history of the kind."""
        return redirect(f"admin:connections_{self._model_name(request, object_id)}_history", object_id)

    def _model_name(self, request: HttpRequest, object_id: str) -> str:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return str(KINDS[row.kind]._meta.model_name)
