"""The REST resources of definitions: translate, make one domain call, translate back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cluster.api import JOB_RESPONSES, job_response, wait_seconds
from connections import services, testing
from connections.models import SmtpConnection
from connections.rules import advisory_to_json
from connections.selectors import FILTERS, ORDERINGS, connection_list, find_smtp, smtp_connections
from connections.serializers import ConnectionSerializer, SmtpConnectionSerializer, TestRequestSerializer
from connections.testing import Target
from core.api import ApiView, Pagination
from core.errors import invalid
from core.etags import etag, expected_version
from core.models import User
from core.permissions import Declared, either, require
from core.text import comparison_key

_EDIT: Mapping[str, Declared] = {
    "get": "connections.view",
    **dict.fromkeys(("post", "put", "delete"), "connections.edit"),
}
_CHANGE: Mapping[str, Declared] = {
    **_EDIT,
    "patch": either("connections.edit", "connections.enable", note="who may only enable sends `status` alone"),
}
_TEST_KEYS = frozenset({"cluster", "steng", "all_stengs", "depth", "overrides", "checks"})
_DRAFT_KEYS = frozenset({"connection", "all_stengs", "checks", "depth"})
_PARTIAL = SmtpConnectionSerializer(partial=True)
_WAIT = OpenApiParameter("wait", int, description="Wait up to this many seconds (60) for the final state.")


class ConnectionListView(ApiView):
    """Connections of every kind."""

    acts = {"get": "connections.view"}

    @extend_schema(
        operation_id="connections_list",
        parameters=[
            *(
                OpenApiParameter(name, str)
                for name in ("kind", "status", "security", "verdict", "stale", "host", "q", "tag")
            ),
            *(OpenApiParameter(name, str) for name in ("partner", "cluster")),
            OpenApiParameter("ordering", str, enum=[*ORDERINGS, *(f"-{name}" for name in ORDERINGS)]),
            OpenApiParameter("limit", int),
            OpenApiParameter("offset", int),
        ],
        responses=ConnectionSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List connections, by name unless `ordering` says otherwise."""
        return _page(self, request, connection_list(_filters(request)), ConnectionSerializer)


class SmtpListView(ApiView):
    """SMTP connections."""

    acts = _EDIT

    @extend_schema(operation_id="smtp_list", responses=SmtpConnectionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List SMTP connections whole, by name."""
        matching = connection_list(_filters(request)).keys()
        return _page(
            self, request, smtp_connections().filter(pk__in=matching).order_by("name_key"), SmtpConnectionSerializer
        )

    @extend_schema(
        operation_id="smtp_create", request=SmtpConnectionSerializer, responses={201: SmtpConnectionSerializer}
    )
    def post(self, request: Request) -> Response:
        """Create a connection."""
        saved = services.save_smtp(None, _values(request), user=_user(request))
        return _answer(saved, 201)


class SmtpDetailView(ApiView):
    """One SMTP connection."""

    acts = _CHANGE

    @extend_schema(operation_id="smtp_read", responses=SmtpConnectionSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Read a connection; secrets are shown as `is_set` and `changed_at`."""
        return _representation(_existing(pk))

    @extend_schema(operation_id="smtp_replace", request=SmtpConnectionSerializer, responses=SmtpConnectionSerializer)
    def put(self, request: Request, pk: uuid.UUID) -> Response:
        """Replace a connection: absent secrets are kept, other absent fields take their defaults."""
        return _change(request, _existing(pk), partial=False)

    @extend_schema(operation_id="smtp_change", request=_PARTIAL, responses=SmtpConnectionSerializer)
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Change the fields that are sent, and no other."""
        if set(_body(request)) != {"status"}:
            require(request, "connections.edit")
        return _change(request, _existing(pk), partial=True)

    @extend_schema(operation_id="smtp_delete", responses={204: None})
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Delete a connection with its secrets."""
        services.delete(_existing(pk), expected_version=expected_version(request))
        return Response(status=204)


class SmtpByNameView(ApiView):
    """One SMTP connection by its name."""

    acts = _EDIT

    @extend_schema(operation_id="smtp_read_by_name", responses=SmtpConnectionSerializer)
    def get(self, request: Request, name: str) -> Response:  # noqa: ARG002
        """Read a connection by name."""
        return _representation(_named(name))

    @extend_schema(
        operation_id="smtp_apply",
        request=SmtpConnectionSerializer,
        responses={200: SmtpConnectionSerializer, 201: SmtpConnectionSerializer},
    )
    def put(self, request: Request, name: str) -> Response:
        """Create the connection of this name or make it what is sent; the second identical call changes nothing."""
        values = _values(request)
        said = values.setdefault("name", name)
        if isinstance(said, str) and comparison_key(said) != comparison_key(name):
            raise ValidationError(
                {"name": [invalid("invalid_choice", "The name differs from the one in the address.", allowed=[name])]}
            )
        before = smtp_connections().filter(name_key=comparison_key(name)).first()
        saved = services.save_smtp(before, values, user=_user(request), expected_version=expected_version(request))
        return _answer(saved, 201 if saved.created else 200)


class SmtpTestView(ApiView):
    """Tests of a saved SMTP connection."""

    acts = {"post": "connections.test"}

    @extend_schema(operation_id="smtp_test", parameters=[_WAIT], request=TestRequestSerializer, responses=JOB_RESPONSES)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Enqueue a configuration test: 202 with the job, or 200 once it is final within `?wait=`."""
        row, body = _existing(pk), _body(request)
        _refuse_keys(body, _TEST_KEYS)
        _refuse_checks(body)
        overrides = body.get("overrides") or {}
        if not isinstance(overrides, Mapping):
            raise ValidationError({"overrides": [invalid("invalid_type", "Expected an object of fields.")]})
        seconds = wait_seconds(request)
        target = _target(body, body)
        targets = testing.every_steng(target, row) if _everywhere(body) else [target]
        jobs = [testing.request_test(row, each, user=_user(request), overrides=overrides) for each in targets]
        return job_response(jobs, seconds, batch=_everywhere(body))


class SmtpDraftTestView(ApiView):
    """Tests of SMTP definitions that are not saved."""

    acts = {"post": "connections.draft"}

    @extend_schema(
        operation_id="smtp_test_draft",
        parameters=[_WAIT],
        request=_PARTIAL,
        responses=JOB_RESPONSES,
    )
    def post(self, request: Request) -> Response:
        """Test the values that are sent, save nothing; `connection` names the one whose stored secret may be used."""
        values = _values(request)
        body = {key: values.pop(key) for key in _DRAFT_KEYS & set(values)}
        _refuse_checks(body)
        based_on = _based_on(body.get("connection"))
        seconds = wait_seconds(request)
        target = _target(body, values)
        targets = testing.every_steng(target, based_on) if _everywhere(body) else [target]
        jobs = [testing.request_draft_test(values, based_on, each, user=_user(request)) for each in targets]
        return job_response(jobs, seconds, batch=_everywhere(body))


def _existing(pk: uuid.UUID) -> SmtpConnection:
    row = smtp_connections().filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _named(name: str) -> SmtpConnection:
    row = smtp_connections().filter(name_key=comparison_key(name)).first()
    if row is None:
        raise Http404
    return row


def _user(request: Request) -> User:
    assert isinstance(request.user, User)  # ActionPermission lets nobody else in
    return request.user


def _body(request: Request) -> dict[str, Any]:
    data: Any = request.data
    if data is None or data == "":
        return {}
    if not isinstance(data, Mapping):
        raise ValidationError({"": [invalid("invalid_type", "Expected an object.")]})
    return dict(data)


def _values(request: Request) -> dict[str, Any]:
    return SmtpConnectionSerializer().to_internal_value(_body(request))


def _filters(request: Request) -> dict[str, str]:
    filters = {name: request.query_params[name] for name in request.query_params}
    unknown = sorted(set(filters) - {*FILTERS, "limit", "offset"})
    if unknown:
        # A misspelt filter must not silently mean "all of them".
        raise ValidationError(
            {name: [invalid("unknown_field", f"There is no filter “{name[:80]}”.")] for name in unknown}
        )
    return filters


def _page(view: ApiView, request: Request, rows: Any, serializer: Any) -> Response:
    paginator = Pagination()
    page: Any = paginator.paginate_queryset(rows, request, view=view)
    return paginator.get_paginated_response(serializer(page, many=True).data)


def _change(request: Request, row: SmtpConnection, *, partial: bool) -> Response:
    saved = services.save_smtp(
        row, _values(request), user=_user(request), partial=partial, expected_version=expected_version(request)
    )
    return _answer(saved, 200)


def _answer(saved: services.Saved, status: int) -> Response:
    response = _representation(_existing(saved.connection.pk), saved)
    response.status_code = status
    if status == 201:
        response["Location"] = reverse("api-smtp", args=[saved.connection.pk])
    return response


def _representation(row: SmtpConnection, saved: services.Saved | None = None) -> Response:
    body = SmtpConnectionSerializer(row).data
    if saved is not None:
        # A write may have more to say than a read: what it dropped.
        body["advisories"] = [advisory_to_json(problem) for problem in saved.advisories]
    return Response(body, headers={"ETag": etag(row.version)})


def _target(body: Mapping[str, Any], where: Mapping[str, Any]) -> Target:
    depth = testing.parse_depth(body.get("depth", "full"))
    return Target(cluster=where.get("cluster"), steng=where.get("steng"), depth=depth)


def _everywhere(body: Mapping[str, Any]) -> bool:
    value = body.get("all_stengs", False)
    if not isinstance(value, bool):
        raise ValidationError({"all_stengs": [invalid("invalid_type", "Expected true or false.")]})
    return value


def _refuse_keys(body: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(body) - known)
    if unknown:
        raise ValidationError(
            {name: [invalid("unknown_field", f"There is no “{name[:80]}” here.")] for name in unknown}
        )


def _refuse_checks(body: Mapping[str, Any]) -> None:
    if body.get("checks"):
        raise ValidationError({"checks": [invalid("not_available", "This installation has no further checks.")]})


def _based_on(reference: Any) -> SmtpConnection | None:
    if reference is None:
        return None
    if isinstance(reference, Mapping):
        reference = reference.get("id")
    row = find_smtp(reference) if isinstance(reference, str) else None
    if row is None:
        raise ValidationError({"connection": [invalid("not_found", "There is no such connection.")]})
    return row
