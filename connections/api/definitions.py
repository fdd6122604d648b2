"""The REST resources of one kind of definition: translate, make one domain call, translate back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from connections import services
from connections.api.requests import body_of, filters_of
from connections.models import Connection
from connections.selectors import FILTERS, connection_list, find, whole
from connections.serializers import WholeSerializer
from core.api import ApiView, Pagination
from core.errors import invalid
from core.etags import etag, expected_version
from core.permissions import Declared, either, require
from core.requests import user_of
from core.rules import advisory_to_json
from core.text import comparison_key

_EDIT: Mapping[str, Declared] = {
    "get": "connections.view",
    **dict.fromkeys(("post", "put", "delete"), "connections.edit"),
}
_CHANGE: Mapping[str, Declared] = {
    **_EDIT,
    "patch": either("connections.edit", "connections.enable", note="who may only enable sends `status` alone"),
}


FILTERS_OF_KIND = tuple(name for name in FILTERS if name not in {"kind", "ordering"})
"""What the list of one kind is narrowed by; it stands by name."""


class KindView(ApiView):
    """A resource of one kind of connection; `api.kinds` makes the class of each kind."""

    model: ClassVar[type[Connection]]
    serializer: ClassVar[type[WholeSerializer]]

    def existing(self, key: uuid.UUID | str) -> Connection:
        """Return the connection of this kind with this id or name; raise Http404."""
        row = find(key, self.model.KIND)
        if row is None:
            raise Http404
        return row

    def values(self, request: Request) -> dict[str, Any]:
        """Return the definition that a request carries, as JSON gave it."""
        return self.serializer().to_internal_value(body_of(request))

    def represent(self, row: Connection, saved: services.Saved | None = None) -> Response:
        """Return a connection with its ETag; a write may have more to say than a read: what it dropped."""
        body = self.serializer(row).data
        if saved is not None:
            body["advisories"] = [advisory_to_json(problem) for problem in saved.advisories]
        return Response(body, headers={"ETag": etag(row.version)})

    def answer(self, saved: services.Saved, status: int) -> Response:
        """Return what a write left behind."""
        response = self.represent(self.existing(saved.connection.pk), saved)
        response.status_code = status
        if status == 201:
            response["Location"] = reverse(f"api-{self.model.KIND}", args=[saved.connection.pk])
        return response


class KindListView(KindView):
    """The connections of one kind."""

    acts = _EDIT

    def get(self, request: Request) -> Response:
        """List connections of this kind whole, by name."""
        matching = connection_list({**filters_of(request, FILTERS_OF_KIND), "kind": self.model.KIND}).keys()
        rows = whole(self.model).filter(pk__in=matching).order_by("name_key")
        paginator = Pagination()
        page: Any = paginator.paginate_queryset(rows, request, view=self)
        return paginator.get_paginated_response(self.serializer(page, many=True).data)

    def post(self, request: Request) -> Response:
        """Create a connection."""
        return self.answer(services.save(self.model, None, self.values(request), user=user_of(request)), 201)


class KindDetailView(KindView):
    """One connection."""

    acts = _CHANGE

    def get(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Read a connection; secrets are shown as `is_set` and `changed_at`."""
        return self.represent(self.existing(pk))

    def put(self, request: Request, pk: uuid.UUID) -> Response:
        """Replace a connection: absent secrets are kept, other absent fields take their defaults."""
        return self._change(request, pk, partial=False)

    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Change the fields that are sent, and no other."""
        if set(body_of(request)) != {"status"}:
            require(request, "connections.edit")
        return self._change(request, pk, partial=True)

    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Delete a connection with its secrets."""
        services.delete(self.existing(pk), expected_version=expected_version(request))
        return Response(status=204)

    def _change(self, request: Request, pk: uuid.UUID, *, partial: bool) -> Response:
        row, values, version = self.existing(pk), self.values(request), expected_version(request)
        user = user_of(request)
        if partial and set(values) == {"status"}:
            saved = services.set_status(row, values["status"], user=user, expected_version=version)
        else:
            saved = services.save(self.model, row, values, user=user, partial=partial, expected_version=version)
        return self.answer(saved, 200)


class KindByNameView(KindView):
    """One connection by its name."""

    acts = _EDIT

    def get(self, request: Request, name: str) -> Response:  # noqa: ARG002
        """Read a connection by name."""
        return self.represent(self._named(name))

    def put(self, request: Request, name: str) -> Response:
        """Create the connection of this name or make it what is sent; the second identical call changes nothing."""
        values = self.values(request)
        refuse_other_name(values, name)
        before = whole(self.model).filter(name_key=comparison_key(name)).first()
        saved = services.save(
            self.model, before, values, user=user_of(request), expected_version=expected_version(request)
        )
        return self.answer(saved, 201 if saved.created else 200)

    def _named(self, name: str) -> Connection:
        row = whole(self.model).filter(name_key=comparison_key(name)).first()
        if row is None:
            raise Http404
        return row


def refuse_other_name(values: dict[str, Any], name: str) -> None:
    """Take the name of the address where the body has none; raise `invalid_choice` where it has another."""
    said = values.setdefault("name", name)
    if isinstance(said, str) and comparison_key(said) != comparison_key(name):
        raise ValidationError(
            {"name": [invalid("invalid_choice", "The name differs from the one in the address.", allowed=[name])]}
        )
