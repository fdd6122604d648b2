"""The REST resource of suspended sign-ins."""

from __future__ import annotations

import uuid

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cluster.accounts import selectors, services
from cluster.accounts.serializers import (
    LiftRequestSerializer,
    SuspendedLoginSerializer,
    read_reason,
    suspended_to_json,
)
from cluster.models import SuspendedLogin
from core.api import PAGES, ApiView, Pagination, unknown_filters
from core.errors import invalid


class SuspendedLoginListView(ApiView):
    """Suspended sign-ins."""

    acts = {"get": "tests.view"}

    @extend_schema(
        operation_id="suspended_logins_list",
        parameters=[
            OpenApiParameter("lifted", str, enum=["true", "false"], description="Those that were lifted instead."),
            OpenApiParameter("limit", int),
            OpenApiParameter("offset", int),
        ],
        responses=SuspendedLoginSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List what is suspended now, latest first."""
        errors = unknown_filters(request, PAGES | {"lifted"})
        lifted = request.query_params.get("lifted", "false")
        if lifted not in {"true", "false"}:
            errors["lifted"] = [invalid("invalid_choice", "Choose one of true, false.", allowed=["true", "false"])]
        if errors:
            raise ValidationError(errors)
        paginator = Pagination()
        page = (
            paginator.paginate_queryset(selectors.suspended(request.user, lifted=lifted == "true"), request, view=self)
            or []
        )
        return paginator.get_paginated_response([suspended_to_json(row) for row in page])


class SuspendedLoginDetailView(ApiView):
    """One suspended sign-in."""

    acts = {"get": "tests.view"}

    @extend_schema(operation_id="suspended_logins_read", responses=SuspendedLoginSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read it, lifted or not."""
        return Response(suspended_to_json(_row(request, pk)))


class SuspendedLoginLiftView(ApiView):
    """The end of a suspension."""

    acts = {"post": "logins.lift"}

    @extend_schema(
        operation_id="suspended_logins_lift", request=LiftRequestSerializer, responses=SuspendedLoginSerializer
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Let it be tried once more; what was lifted already keeps its first reason."""
        services.lift(_row(request, pk), reason=read_reason(request.data), now=timezone.now())
        return Response(suspended_to_json(_row(request, pk)))


def _row(request: Request, pk: uuid.UUID) -> SuspendedLogin:
    row = selectors.by_id(pk, request.user)
    if row is None:
        raise Http404
    return row
