"""The list: a ModelViewSet with a nested serializer, the framework's own search, ordering and pages."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import include, path
from rest_framework import filters, pagination, routers, serializers, viewsets

from bench.plain.models import Connection, LastTest


class LastTestSerializer(serializers.ModelSerializer[LastTest]):
    """The latest test."""

    class Meta:
        model = LastTest
        fields = ("job", "state", "verdict", "failed_stage", "code", "finished", "duration_ms")


class ConnectionSerializer(serializers.ModelSerializer[Connection]):
    """A row of the list."""

    last_test = LastTestSerializer()

    class Meta:
        model = Connection
        fields = (
            "id", "kind", "name", "description", "status", "host", "port", "connection_security", "username", "tags",
            "partner", "updated", "last_test",
        )  # fmt: skip


class Pages(pagination.LimitOffsetPagination):
    """Pages of fifty."""

    default_limit = 50


class Connections(viewsets.ModelViewSet[Connection]):
    """Connections by name."""

    serializer_class = ConnectionSerializer
    pagination_class = Pages
    filter_backends = (filters.SearchFilter, filters.OrderingFilter)
    search_fields = ("name", "host", "description")
    ordering = ("name",)

    def get_queryset(self) -> QuerySet[Connection]:
        """Return all, or those of one kind and status."""
        params: Any = self.request.query_params
        wanted = {name: params[name] for name in ("kind", "status") if name in params}
        return Connection.objects.select_related("last_test").filter(**wanted)


router = routers.SimpleRouter()
router.register("connections", Connections, basename="connection")
urlpatterns = [path("api/v1/", include(router.urls))]
