"""The REST resource of connections of every kind."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from connections.api.requests import filters_of
from connections.selectors import FILTERS, ORDERINGS, connection_list
from connections.serializers import ConnectionSerializer
from core.api import ApiView, Pagination

FILTER_PARAMETERS = (
    *(OpenApiParameter(name, str) for name in FILTERS),
    OpenApiParameter("ordering", str, enum=[*ORDERINGS, *(f"-{name}" for name in ORDERINGS)]),
)


class ConnectionListView(ApiView):
    """Connections of every kind."""

    acts = {"get": "connections.view"}

    @extend_schema(
        operation_id="connections_list",
        parameters=[*FILTER_PARAMETERS, OpenApiParameter("limit", int), OpenApiParameter("offset", int)],
        responses=ConnectionSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List connections, by name unless `ordering` says otherwise."""
        paginator = Pagination()
        page: Any = paginator.paginate_queryset(connection_list(filters_of(request)), request, view=self)  # type: ignore[arg-type]
        return paginator.get_paginated_response(ConnectionSerializer(page, many=True).data)
