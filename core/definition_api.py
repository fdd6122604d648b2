"""The REST resources of one kind of definition: translate, make one domain call, translate back."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiView
from core.definition_services import Saved
from core.errors import invalid
from core.etags import etag, expected_version
from core.models import User
from core.requests import user_of
from core.rules import advisory_to_json
from core.text import comparison_key

V = TypeVar("V", bound=type[ApiView])


class DefinitionView(ApiView):
    """A resource of one kind of definition; a subclass says how its rows are found, read, shown and written."""

    kind: ClassVar[str] = ""

    def rows(self) -> QuerySet[Any]:
        """Return all definitions of this kind with what an answer shows."""
        raise NotImplementedError

    def values(self, request: Request) -> dict[str, Any]:
        """Return the definition that a request carries, as JSON gave it."""
        raise NotImplementedError

    def shown(self, row: Any) -> dict[str, Any]:
        """Return a definition as JSON."""
        raise NotImplementedError

    def save(
        self,
        before: Any,
        values: dict[str, Any],
        *,
        user: User,
        partial: bool = False,
        expected_version: int | None = None,
    ) -> Saved[Any]:
        """Create or change a definition by the services."""
        raise NotImplementedError

    def remove(self, row: Any, *, expected_version: int | None) -> None:
        """Delete a definition by the services."""
        raise NotImplementedError

    def existing(self, **key: Any) -> Any:
        """Return the definition of this kind with this id or name; raise Http404."""
        row = self.rows().filter(**key).first()
        if row is None:
            raise Http404
        return row

    def represent(self, row: Any, saved: Saved[Any] | None = None) -> Response:
        """Return a definition with its ETag; a write may have more to say than a read: what it dropped."""
        body = self.shown(row)
        if saved is not None:
            body["advisories"] = [advisory_to_json(problem) for problem in saved.advisories]
        return Response(body, headers={"ETag": etag(row.version)})

    def answer(self, saved: Saved[Any], status: int) -> Response:
        """Return what a write left behind."""
        response = self.represent(self.existing(pk=saved.row.pk), saved)
        response.status_code = status
        if status == 201:
            response["Location"] = reverse(f"api-{self.kind}", args=[saved.row.pk])
        return response


class DefinitionListView(DefinitionView):
    """The definitions of one kind."""

    def post(self, request: Request) -> Response:
        """Create a definition."""
        return self.answer(self.save(None, self.values(request), user=user_of(request)), 201)


class DefinitionDetailView(DefinitionView):
    """One definition."""

    def get(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Read a definition; secrets are shown as `is_set` and `changed_at`."""
        return self.represent(self.existing(pk=pk))

    def put(self, request: Request, pk: uuid.UUID) -> Response:
        """Replace a definition: absent secrets are kept, other absent fields take their defaults."""
        return self._change(request, pk, partial=False)

    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Change the fields that are sent, and no other."""
        return self._change(request, pk, partial=True)

    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Delete a definition with its secrets."""
        self.remove(self.existing(pk=pk), expected_version=expected_version(request))
        return Response(status=204)

    def _change(self, request: Request, pk: uuid.UUID, *, partial: bool) -> Response:
        row, values, version = self.existing(pk=pk), self.values(request), expected_version(request)
        return self.answer(
            self.save(row, values, user=user_of(request), partial=partial, expected_version=version), 200
        )


class DefinitionByNameView(DefinitionView):
    """One definition by its name."""

    def get(self, request: Request, name: str) -> Response:  # noqa: ARG002
        """Read a definition by name."""
        return self.represent(self.existing(name_key=comparison_key(name)))

    def put(self, request: Request, name: str) -> Response:
        """Create the definition of this name or make it what is sent; the second identical call changes nothing."""
        values = self.values(request)
        _refuse_other_name(values, name)
        before = self.rows().filter(name_key=comparison_key(name)).first()
        saved = self.save(before, values, user=user_of(request), expected_version=expected_version(request))
        return self.answer(saved, 201 if saved.created else 200)


def described(noun: str, **operations: Mapping[str, Any]) -> Callable[[V], V]:
    """Tell the schema of the operations of a view by method; what each does, of a `noun`, its docstring says."""

    def decorate(view: V) -> V:
        said = {
            method: extend_schema(
                **{
                    "description": (inspect.getdoc(getattr(view, method)) or "").replace("definition", noun),
                    **operation,
                }
            )
            for method, operation in operations.items()
        }
        return extend_schema_view(**said)(view)

    return decorate


def _refuse_other_name(values: dict[str, Any], name: str) -> None:
    """Take the name of the address where the body has none; raise `invalid_choice` where it has another."""
    said = values.setdefault("name", name)
    if isinstance(said, str) and comparison_key(said) != comparison_key(name):
        raise ValidationError(
            {"name": [invalid("invalid_choice", "The name differs from the one in the address.", allowed=[name])]}
        )
