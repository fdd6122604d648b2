"""The views of each kind of connection, with what the schema says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter

from cluster.api import JOB_RESPONSES
from connections.api.definitions import FILTERS_OF_KIND, KindByNameView, KindDetailView, KindListView, KindView
from connections.api.listing import FILTER_PARAMETERS
from connections.api.tests import DraftFoldersView, FoldersView, KindDraftTestView, KindTestView
from connections.models import Connection, MailboxConnection, SmtpConnection
from connections.serializers import (
    FoldersRequestSerializer,
    MailboxConnectionSerializer,
    SmtpConnectionSerializer,
    TestRequestSerializer,
    WholeSerializer,
)
from core.definition_api import described

_SERIALIZERS: Mapping[type[Connection], type[WholeSerializer]] = {
    SmtpConnection: SmtpConnectionSerializer,
    MailboxConnection: MailboxConnectionSerializer,
}
_LISTED = [
    *(parameter for parameter in FILTER_PARAMETERS if parameter.name in FILTERS_OF_KIND),
    OpenApiParameter("limit", int),
    OpenApiParameter("offset", int),
]
_WAIT = OpenApiParameter("wait", int, description="Wait up to this many seconds (60) for the final state.")


def views_of(model: type[Connection]) -> dict[str, type[KindView]]:
    """Return the views of a kind by the word that their address and operation go by."""
    whole = _SERIALIZERS[model]
    part = whole(partial=True)
    test: dict[str, Any] = {"parameters": [_WAIT], "responses": JOB_RESPONSES}
    views = {
        "list": _of(
            KindListView,
            model,
            get={"operation_id": "list", "responses": whole(many=True), "parameters": _LISTED},
            post={"operation_id": "create", "request": whole, "responses": {201: whole}},
        ),
        "detail": _of(
            KindDetailView,
            model,
            get={"operation_id": "read", "responses": whole},
            put={"operation_id": "replace", "request": whole, "responses": whole},
            patch={"operation_id": "change", "request": part, "responses": whole},
            delete={"operation_id": "delete", "responses": {204: None}},
        ),
        "by-name": _of(
            KindByNameView,
            model,
            get={"operation_id": "read_by_name", "responses": whole},
            put={"operation_id": "apply", "request": whole, "responses": {200: whole, 201: whole}},
        ),
        "test": _of(KindTestView, model, post={"operation_id": "test", "request": TestRequestSerializer, **test}),
        "draft": _of(KindDraftTestView, model, post={"operation_id": "test_draft", "request": part, **test}),
    }
    if model is MailboxConnection:
        views["folders"] = _of(
            FoldersView, model, post={"operation_id": "folders", "request": FoldersRequestSerializer, **test}
        )
        views["draft-folders"] = _of(
            DraftFoldersView, model, post={"operation_id": "folders_draft", "request": part, **test}
        )
    return views


def _of(view: type[KindView], model: type[Connection], **operations: dict[str, Any]) -> type[KindView]:
    members = {"model": model, "kind": model.KIND, "serializer": _SERIALIZERS[model], "__doc__": view.__doc__}
    made: type[KindView] = type(f"{model.__name__}{view.__name__.removeprefix('Kind')}", (view,), members)
    said = {
        method: {**operation, "operation_id": f"{model.KIND}_{operation['operation_id']}"}
        for method, operation in operations.items()
    }
    return described("connection", **said)(made)
