"""The JSON form of a definition. Values are handed on as they came: the model's fields judge them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from cluster.batches.choices import Action
from cluster.models import LastTest
from connections.choices import SslProtocol
from connections.models import Connection, MailboxConnection, SmtpConnection
from connections.selectors import is_stale
from core.rules import advisory_to_json
from core.serializers import AdvisorySerializer, RawSerializer, SecretField, secret_to_json
from steng.suites import SUITES
from steng.wire import Depth

READ_ONLY = frozenset(
    ("id", "kind", "advisories", "created", "updated", "updated_by", "version", "last_test", "stale", "endpoint")
)
"""What a read adds to a definition; a write may carry it back and it is passed over."""


def last_test_to_json(test: LastTest) -> dict[str, Any] | None:
    """Return the standing verdict of a connection, None where it was never tested."""
    if test.finished is None:
        return None
    return {
        "job": str(test.job_id) if test.job_id else None,
        "state": test.state,
        "verdict": test.verdict or None,
        "failed_stage": test.failed_stage or None,
        "code": test.code or None,
        "finished": test.finished,
        "duration_ms": test.duration_ms,
    }


def connection_to_json(row: Connection) -> dict[str, Any]:
    """Return what a list of both kinds shows of a connection; the row comes from `selectors`."""
    return {
        "id": str(row.pk),
        "kind": row.kind,
        "name": row.name,
        "description": row.description,
        "status": row.status,
        "host": row.host,
        "port": row.port,
        "connection_security": row.connection_security,
        "username": row.username,
        "tags": row.tags,
        "partner": row.partner,
        "updated": row.updated,
        "last_test": last_test_to_json(row.last_test),
        "stale": is_stale(row),
    }


def to_json(row: Connection) -> dict[str, Any]:
    """Return a whole connection, secrets as `is_set` and `changed_at`; the row comes from `selectors`."""
    body: dict[str, Any] = {"id": str(row.pk), "kind": row.kind}
    body |= {name: getattr(row, name) for name in row.definition_fields()}
    for name in row.SECRETS:
        body[name] = secret_to_json(row.secret_is_set(name), getattr(row, f"{name}_changed_at"))
    for name in row.REFERENCES:
        target = getattr(row, name, None)
        body[name] = None if target is None else {"id": str(target.pk), "name": target.name}
    body["advisories"] = [advisory_to_json(problem) for problem in row.advisories()]
    body["created"], body["updated"] = row.created, row.updated
    body["updated_by"] = row.updated_by.get_username() if row.updated_by else None
    body["version"] = row.version
    body["last_test"] = last_test_to_json(row.last_test)
    body["stale"] = is_stale(row)
    return body


_REFERENCE = {
    "oneOf": [
        {"type": "string", "description": "The name."},
        {"type": "null"},
        {
            "type": "object",
            "properties": {"id": {"type": "string", "format": "uuid"}, "name": {"type": "string"}},
            "required": ["id"],
        },
    ],
}


@extend_schema_field(_REFERENCE)
class ReferenceField(serializers.Field):  # type: ignore[type-arg]
    """A reference by name or id, for the schema."""


class TestRequestSerializer(serializers.Serializer[Any]):
    """What may be said about a test of a saved connection; nothing of it has to be."""

    cluster = ReferenceField(required=False)
    steng = ReferenceField(required=False)
    all_stengs = serializers.BooleanField(required=False)
    depth = serializers.ChoiceField(choices=[depth.value for depth in Depth], required=False)
    overrides = serializers.DictField(required=False)
    checks = serializers.DictField(required=False)


class BulkRequestSerializer(serializers.Serializer[Any]):
    """An act on many connections: those of `ids`, or those that match `filter` (the filters of the list)."""

    action = serializers.ChoiceField(choices=Action.choices)
    ids = serializers.ListField(child=serializers.UUIDField(), required=False)
    filter = serializers.DictField(child=serializers.CharField(), required=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2_048)
    cluster = ReferenceField(required=False)
    steng = ReferenceField(required=False)
    depth = serializers.ChoiceField(choices=[depth.value for depth in Depth], required=False)


class FoldersRequestSerializer(serializers.Serializer[Any]):
    """Where the folders are asked from."""

    cluster = ReferenceField(required=False)
    steng = ReferenceField(required=False)


_LAST_TEST = inline_serializer(
    "LastTest",
    {
        "job": serializers.UUIDField(allow_null=True),
        "state": serializers.CharField(),
        "verdict": serializers.CharField(allow_null=True),
        "failed_stage": serializers.CharField(allow_null=True),
        "code": serializers.CharField(allow_null=True),
        "finished": serializers.DateTimeField(),
        "duration_ms": serializers.FloatField(allow_null=True),
    },
    allow_null=True,
    read_only=True,
)


class ConnectionSerializer(RawSerializer):
    """A row of the list of both kinds."""

    only_read = READ_ONLY

    tags = serializers.ListField(child=serializers.CharField(max_length=128))
    last_test = _LAST_TEST
    stale = serializers.BooleanField(read_only=True)

    class Meta:
        model = Connection
        fields = (
            "id", "kind", "name", "description", "status", "host", "port", "connection_security", "username", "tags",
            "partner", "updated", "last_test", "stale",
        )  # fmt: skip
        read_only_fields = fields

    def to_representation(self, instance: Connection) -> dict[str, Any]:
        """Return the JSON form."""
        return connection_to_json(instance)


_ADDED = ("advisories", "created", "updated", "updated_by", "version", "last_test", "stale")
_UNWRITABLE = ("id", "kind", "created", "updated", "version")


class WholeSerializer(RawSerializer):
    """A whole connection, whatever its kind."""

    only_read = READ_ONLY

    ssl_protocols = serializers.ListField(child=serializers.ChoiceField(choices=SslProtocol.choices), required=False)
    cipher_suites = serializers.ListField(child=serializers.ChoiceField(choices=list(SUITES)), required=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=128), required=False)
    password = SecretField(required=False)
    credential = ReferenceField(required=False)
    client_key_label = ReferenceField(required=False)
    cluster = ReferenceField(required=False)
    steng = ReferenceField(required=False)
    advisories = AdvisorySerializer(many=True, read_only=True)
    updated_by = serializers.CharField(read_only=True, allow_null=True)
    last_test = _LAST_TEST
    stale = serializers.BooleanField(read_only=True)

    def to_representation(self, instance: Connection) -> dict[str, Any]:
        """Return the JSON form."""
        return to_json(instance)


class SmtpConnectionSerializer(WholeSerializer):
    """A whole SMTP connection."""

    pop_password = SecretField(required=False)
    sign_key_alias = ReferenceField(required=False)

    class Meta:
        model = SmtpConnection
        fields = ("id", "kind", *SmtpConnection.writable(), *_ADDED)
        read_only_fields = _UNWRITABLE


class MailboxConnectionSerializer(WholeSerializer):
    """A whole mailbox connection (POP3 or IMAP)."""

    class Meta:
        model = MailboxConnection
        fields = ("id", "kind", *MailboxConnection.writable(), *_ADDED)
        read_only_fields = _UNWRITABLE
