"""The REST resource of bulk acts: enable, disable, test or delete many connections, with a result for each."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cluster.batches.api import BATCH_RESPONSES, WAIT, batch_response, seconds_to_wait
from cluster.batches.choices import Action
from cluster.batches.services import Thing
from connections import bulk
from connections.serializers import BulkRequestSerializer
from core.api import ApiView
from core.errors import invalid, refuse_unknown
from core.permissions import parts, require
from core.requests import read_object, user_of

_OPTIONS = ("cluster", "steng", "depth")
_KEYS = frozenset({"action", "ids", "filter", "reason", *_OPTIONS})


class BulkView(ApiView):
    """Acts on many connections."""

    acts = {"post": parts(*dict.fromkeys(bulk.ACTS.values()), note="each action takes its own act")}

    @extend_schema(
        operation_id="connections_bulk",
        parameters=[WAIT],
        request=BulkRequestSerializer,
        responses=BATCH_RESPONSES,
    )
    def post(self, request: Request) -> Response:
        """Start a batch over the connections that `ids` name or that match `filter`: 202, or 200 once it is over."""
        body = read_object(request.data)
        refuse_unknown(body, _KEYS)
        action = _action(body.get("action"))
        require(request, bulk.ACTS[action])
        seconds = seconds_to_wait(request)
        batch = bulk.request(
            action,
            _things(body),
            user=user_of(request),
            options={name: body[name] for name in _OPTIONS if name in body},
            reason=_reason(body.get("reason", "")),
        )
        return batch_response(self, request, batch, seconds)


def _action(value: Any) -> Action:
    if value is None or value == "":
        raise ValidationError({"action": [invalid("required", "This field is mandatory.")]})
    if value not in Action.values:
        sentence = f"Choose one of {', '.join(Action.values)}."
        raise ValidationError({"action": [invalid("invalid_choice", sentence, allowed=Action.values)]})
    return Action(value)


def _things(body: Mapping[str, Any]) -> list[Thing]:
    if "ids" in body and "filter" in body:
        raise ValidationError({"filter": [invalid("not_available", "Send ids or a filter, not both.")]})
    if "ids" in body:
        return bulk.by_ids(_ids(body["ids"]))
    if "filter" in body:
        return bulk.by_filter(_filter(body["filter"]))
    raise ValidationError({"ids": [invalid("required", "Say which connections: send ids, or a filter.")]})


def _ids(value: Any) -> list[uuid.UUID]:
    if not isinstance(value, list):
        raise ValidationError({"ids": [invalid("invalid_type", "Expected a list of ids.")]})
    if not value:
        raise ValidationError({"ids": [invalid("required", "Name at least one connection.")]})
    keys: dict[uuid.UUID, None] = {}
    for place, text in enumerate(value):
        try:
            keys[uuid.UUID(text)] = None
        except (ValueError, TypeError, AttributeError):
            sentence = f"“{str(text)[:80]}” is not an id."
            raise ValidationError({"ids": [invalid("invalid_type", sentence, place=place)]}) from None
    return list(keys)


def _filter(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValidationError({"filter": [invalid("invalid_type", "Expected an object of filters.")]})
    for name, text in value.items():
        if not isinstance(text, str):
            raise ValidationError({"filter": [invalid("invalid_type", f"{name[:80]}: expected a text.")]})
    return dict(value)


def _reason(value: Any) -> str:
    if not isinstance(value, str):
        raise ValidationError({"reason": [invalid("invalid_type", "Expected a text.")]})
    return value
