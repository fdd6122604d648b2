"""The REST resource of credentials: translate, make one domain call, translate back."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import PAGES, ApiView, Pagination, refuse_unknown_filters
from core.errors import invalid
from core.etags import etag, expected_version
from core.requests import read_object, user_of
from core.rules import advisory_to_json
from core.text import comparison_key
from core.usage import usage, usage_counts
from credentials import services
from credentials.choices import CredentialKind
from credentials.models import Credential
from credentials.selectors import FILTERS, credential_list, whole
from credentials.serializers import CredentialRowSerializer, CredentialSerializer, credential_to_json, read_values

_ACTS = {"get": "credentials.view", **dict.fromkeys(("post", "put", "patch", "delete"), "credentials.manage")}


class CredentialListView(ApiView):
    """Credentials."""

    acts = _ACTS

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
        paginator, today = Pagination(), timezone.localdate()
        page: Any = paginator.paginate_queryset(credential_list(_filters(request)), request, view=self)
        counts = usage_counts(services.KIND, page)
        return paginator.get_paginated_response([credential_to_json(row, counts[row.pk], today) for row in page])

    @extend_schema(
        operation_id="credentials_create", request=CredentialSerializer, responses={201: CredentialSerializer}
    )
    def post(self, request: Request) -> Response:
        """Create a credential."""
        return _answer(services.save(None, _values(request), user=user_of(request)), 201)


class CredentialDetailView(ApiView):
    """One credential by id."""

    acts = _ACTS

    @extend_schema(operation_id="credentials_read", responses=CredentialSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Read a credential with its users; secrets are shown as `is_set` and `changed_at`."""
        return _representation(_existing(pk=pk))

    @extend_schema(operation_id="credentials_replace", request=CredentialSerializer, responses=CredentialSerializer)
    def put(self, request: Request, pk: uuid.UUID) -> Response:
        """Replace a credential: absent secrets are kept, other absent fields take their defaults."""
        return _change(request, _existing(pk=pk), partial=False)

    @extend_schema(
        operation_id="credentials_change", request=CredentialSerializer(partial=True), responses=CredentialSerializer
    )
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Change the fields that are sent, and no other."""
        return _change(request, _existing(pk=pk), partial=True)

    @extend_schema(operation_id="credentials_delete", responses={204: None})
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Delete a credential that nothing uses; else 409 `in_use` with its users."""
        services.delete(_existing(pk=pk), expected_version=expected_version(request))
        return Response(status=204)


class CredentialByNameView(ApiView):
    """One credential by its name."""

    acts = _ACTS

    @extend_schema(operation_id="credentials_read_by_name", responses=CredentialSerializer)
    def get(self, request: Request, name: str) -> Response:  # noqa: ARG002
        """Read a credential by name."""
        return _representation(_existing(name_key=comparison_key(name)))

    @extend_schema(
        operation_id="credentials_apply",
        request=CredentialSerializer,
        responses={200: CredentialSerializer, 201: CredentialSerializer},
    )
    def put(self, request: Request, name: str) -> Response:
        """Create the credential of this name or make it what is sent; the second identical call changes nothing."""
        values = _values(request)
        said = values.setdefault("name", name)
        if isinstance(said, str) and comparison_key(said) != comparison_key(name):
            raise ValidationError(
                {"name": [invalid("invalid_choice", "The name differs from the one in the address.", allowed=[name])]}
            )
        before = whole().filter(name_key=comparison_key(name)).first()
        saved = services.save(before, values, user=user_of(request), expected_version=expected_version(request))
        return _answer(saved, 201 if saved.created else 200)


def _existing(**key: Any) -> Credential:
    row = whole().filter(**key).first()
    if row is None:
        raise Http404
    return row


def _values(request: Request) -> dict[str, Any]:
    return read_values(read_object(request.data))


def _filters(request: Request) -> dict[str, str]:
    refuse_unknown_filters(request, PAGES.union(FILTERS))
    return request.query_params.dict()


def _change(request: Request, row: Credential, *, partial: bool) -> Response:
    saved = services.save(
        row, _values(request), user=user_of(request), partial=partial, expected_version=expected_version(request)
    )
    return _answer(saved, 200)


def _answer(saved: services.Saved, status: int) -> Response:
    response = _representation(_existing(pk=saved.credential.pk), saved)
    response.status_code = status
    if status == 201:
        response["Location"] = reverse("api-credential", args=[saved.credential.pk])
    return response


def _representation(row: Credential, saved: services.Saved | None = None) -> Response:
    users = usage(services.KIND, row)
    count = usage_counts(services.KIND, [row])[row.pk]
    body = credential_to_json(row, count, timezone.localdate()) | {"used_by": users}
    if saved is not None:
        # A write may have more to say than a read: what it dropped.
        body["advisories"] = [advisory_to_json(problem) for problem in saved.advisories]
    return Response(body, headers={"ETag": etag(row.version)})
