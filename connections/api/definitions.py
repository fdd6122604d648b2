"""The REST resources of one kind of connection; `api.kinds` makes the classes of each."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from connections import services
from connections.api.requests import filters_of
from connections.models import Connection
from connections.selectors import FILTERS, connection_list, whole
from connections.serializers import WholeSerializer
from core.api import Pagination
from core.definition_api import DefinitionByNameView, DefinitionDetailView, DefinitionListView, DefinitionView
from core.models import User
from core.permissions import Declared, either, require
from core.requests import read_object

_EDIT: Mapping[str, Declared] = {
    "get": "connections.view",
    **dict.fromkeys(("post", "put", "delete"), "connections.edit"),
}
_CHANGE: Mapping[str, Declared] = {
    **_EDIT,
    "patch": either("connections.edit", "connections.enable", note="who may only enable sends `status` alone"),
}


FILTERS_OF_KIND = tuple(name for name in FILTERS if name != "kind")
"""What the list of one kind is narrowed by; it stands by name."""


class KindView(DefinitionView):
    """A resource of one kind of connection."""

    model: ClassVar[type[Connection]]
    serializer: ClassVar[type[WholeSerializer]]

    def rows(self) -> QuerySet[Any]:
        """Return all connections of this kind."""
        return whole(self.model)

    def values(self, request: Request) -> dict[str, Any]:
        """Return the definition that a request carries."""
        return self.serializer().to_internal_value(read_object(request.data))

    def shown(self, row: Connection) -> dict[str, Any]:
        """Return a whole connection."""
        return dict(self.serializer(row).data)

    def save(
        self,
        before: Connection | None,
        values: dict[str, Any],
        *,
        user: User,
        partial: bool = False,
        expected_version: int | None = None,
    ) -> services.Saved:
        """Create or change a connection; its status alone may be all that is changed."""
        if before is not None and partial and set(values) == {"status"}:
            return services.set_status(before, values["status"], user=user, expected_version=expected_version)
        return services.save(self.model, before, values, user=user, partial=partial, expected_version=expected_version)

    def remove(self, row: Connection, *, expected_version: int | None) -> None:
        """Delete a connection."""
        services.delete(row, expected_version=expected_version)


class KindListView(KindView, DefinitionListView):
    """The connections of one kind."""

    acts = _EDIT

    def get(self, request: Request) -> Response:
        """List connections of this kind whole, by name."""
        matching = connection_list({**filters_of(request, FILTERS_OF_KIND), "kind": self.model.KIND}).keys()
        rows = self.rows().filter(pk__in=matching).order_by("name_key")
        paginator = Pagination()
        page: Any = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(self.serializer(page, many=True).data)


class KindDetailView(KindView, DefinitionDetailView):
    """One connection."""

    acts = _CHANGE

    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Change the fields that are sent, and no other."""
        if set(read_object(request.data)) != {"status"}:
            require(request, "connections.edit")
        return super().patch(request, pk)


class KindByNameView(KindView, DefinitionByNameView):
    """One connection by its name."""

    acts = _EDIT
