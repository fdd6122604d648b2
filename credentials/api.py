"""The REST resource of credentials."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import PAGES, Pagination, refuse_unknown_filters
from core.definition_api import (
    DefinitionByNameView,
    DefinitionDetailView,
    DefinitionListView,
    DefinitionView,
    described,
)
from core.models import User
from core.requests import read_object
from core.usage import usage, usage_counts
from credentials import services
from credentials.choices import CredentialKind
from credentials.models import Credential
from credentials.selectors import FILTERS, credential_list, whole
from credentials.serializers import CredentialRowSerializer, CredentialSerializer, credential_to_json, read_values

_WHOLE, _PART = CredentialSerializer, CredentialSerializer(partial=True)


class CredentialView(DefinitionView):
    """A resource of credentials."""

    acts = {"get": "credentials.view", **dict.fromkeys(("post", "put", "patch", "delete"), "credentials.manage")}
    kind = services.KIND

    def rows(self) -> QuerySet[Credential]:
        """Return all credentials."""
        return whole()

    def values(self, request: Request) -> dict[str, Any]:
        """Return the credential that a request carries."""
        return read_values(read_object(request.data))

    def shown(self, row: Credential) -> dict[str, Any]:
        """Return a credential with its users."""
        count = usage_counts(services.KIND, [row])[row.pk]
        return credential_to_json(row, count, timezone.localdate()) | {"used_by": usage(services.KIND, row)}

    def save(
        self,
        before: Credential | None,
        values: dict[str, Any],
        *,
        user: User,
        partial: bool = False,
        expected_version: int | None = None,
    ) -> services.Saved:
        """Create or change a credential."""
        return services.save(before, values, user=user, partial=partial, expected_version=expected_version)

    def remove(self, row: Credential, *, expected_version: int | None) -> None:
        """Delete a credential that nothing uses."""
        services.delete(row, expected_version=expected_version)


@described("credential", post={"operation_id": "credentials_create", "request": _WHOLE, "responses": {201: _WHOLE}})
class CredentialListView(CredentialView, DefinitionListView):
    """Credentials."""

    @extend_schema(
        operation_id="credentials_list",
        parameters=[
            OpenApiParameter("kind", str, enum=CredentialKind.values),
            OpenApiParameter("q", str, description="Words of the name or the description."),
            OpenApiParameter("limit", int),
            OpenApiParameter("offset", int),
        ],
        responses=CredentialRowSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List credentials by name; secrets are shown as `is_set` and `changed_at`."""
        refuse_unknown_filters(request, PAGES.union(FILTERS))
        paginator, today = Pagination(), timezone.localdate()
        rows = credential_list(request.query_params.dict())
        page: Any = paginator.paginate_queryset(rows, request, view=self)
        counts = usage_counts(services.KIND, page)
        return paginator.get_paginated_response([credential_to_json(row, counts[row.pk], today) for row in page])


@described(
    "credential",
    get={
        "operation_id": "credentials_read",
        "description": "Read a credential with its users; secrets are shown as `is_set` and `changed_at`.",
        "responses": _WHOLE,
    },
    put={"operation_id": "credentials_replace", "request": _WHOLE, "responses": _WHOLE},
    patch={"operation_id": "credentials_change", "request": _PART, "responses": _WHOLE},
    delete={
        "operation_id": "credentials_delete",
        "description": "Delete a credential that nothing uses; else 409 `in_use` with its users.",
        "responses": {204: None},
    },
)
class CredentialDetailView(CredentialView, DefinitionDetailView):
    """One credential by id."""


@described(
    "credential",
    get={"operation_id": "credentials_read_by_name", "responses": _WHOLE},
    put={"operation_id": "credentials_apply", "request": _WHOLE, "responses": {200: _WHOLE, 201: _WHOLE}},
)
class CredentialByNameView(CredentialView, DefinitionByNameView):
    """One credential by its name."""
