"""The REST resource of the audit log: to be read, by the filters of the page."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiView, refuse_unknown_filters
from core.audit import filters, selectors
from core.audit.actors import Door
from core.audit.acts import ACTS, GROUPS
from core.audit.shown import to_json
from core.pagination import MAX_COUNT, read_limit

_KNOWN = frozenset({*filters.NAMES, "limit", "older", "newer"})


class WhoSerializer(serializers.Serializer[Any]):
    """Who acted; `id` is null where it was no user of the console."""

    id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()


class WhatSerializer(serializers.Serializer[Any]):
    """What an act was done to, as it was called then."""

    kind = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField()


class AuditEventSerializer(serializers.Serializer[Any]):
    """One event; `before` and `after` hold what differs, secrets only as whether they are set and since when."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    act = serializers.ChoiceField(choices=list(ACTS))
    sentence = serializers.CharField()
    actor = WhoSerializer()
    door = serializers.ChoiceField(choices=[door.value for door in Door])
    address = serializers.CharField()
    object = WhatSerializer()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)
    reason = serializers.CharField()
    extra = serializers.DictField()


_PAGE = inline_serializer(
    "AuditPage",
    {
        "count": serializers.IntegerField(
            allow_null=True, help_text=f"Null beyond {MAX_COUNT:,}, and where counting would take long."
        ),
        "next": serializers.CharField(allow_null=True, help_text="The older events; opaque."),
        "previous": serializers.CharField(allow_null=True, help_text="The newer events; opaque."),
        "results": AuditEventSerializer(many=True),
    },
)


class AuditListView(ApiView):
    """The audit log."""

    acts = {"get": "audit.view"}

    @extend_schema(
        operation_id="audit_list",
        parameters=[
            OpenApiParameter("q", str, description="Text in the name of the thing or the actor, reason or address."),
            OpenApiParameter("actor", str, description="Exact name of who acted."),
            OpenApiParameter("act", str, enum=[*GROUPS, *ACTS], description="An act, or a group of acts."),
            OpenApiParameter("kind", str, description="Kind of thing, such as `connection`."),
            OpenApiParameter("id", str, description="Id of the thing."),
            OpenApiParameter("name", str, description="Exact name of the thing, as it was then."),
            OpenApiParameter("door", str, enum=[door.value for door in Door]),
            OpenApiParameter("from", str, description="RFC 3339 time with its zone, or a date (UTC)."),
            OpenApiParameter("to", str, description="The same; the day, or second, that is named is included."),
            OpenApiParameter("limit", int),
            OpenApiParameter("older", str, description="As `next` says."),
            OpenApiParameter("newer", str, description="As `previous` says."),
        ],
        responses=_PAGE,
    )
    def get(self, request: Request) -> Response:
        """List events, newest first.

        A page may hold fewer events than `limit`, even none, and yet have a `next`: where several filters are
        given, each page searches through a bounded number of events.
        """
        refuse_unknown_filters(request, _KNOWN)
        query = request.query_params.dict()
        wanted, limit = filters.read(query), read_limit(request)
        places = {name: _place(name, query.get(name, "")) for name in ("older", "newer")}
        page = selectors.page(wanted, limit, **places)
        return Response(
            {
                "count": selectors.count(wanted),
                "next": _address(request, older=page.older),
                "previous": _address(request, newer=page.newer),
                "results": [to_json(event) for event in page.events],
            }
        )


class AuditDetailView(ApiView):
    """One event."""

    acts = {"get": "audit.view"}

    @extend_schema(operation_id="audit_read", responses=AuditEventSerializer)
    def get(self, request: Request, pk: int) -> Response:  # noqa: ARG002
        """Read one event."""
        event = selectors.event(pk)
        if event is None:
            raise Http404
        return Response(to_json(event))


def _place(name: str, text: str) -> selectors.Place | None:
    try:
        return selectors.read_place(text)
    except ValidationError as error:
        raise ValidationError({name: error.error_list}) from None


def _address(request: Request, **place: selectors.Place | None) -> str | None:
    ((name, where),) = place.items()
    if where is None:
        return None
    query = request.query_params.copy()
    for other in ("older", "newer"):
        query.pop(other, None)
    query[name] = str(where)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
