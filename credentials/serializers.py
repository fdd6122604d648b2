"""The JSON form of a credential."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.rules import advisory_to_json
from core.serializers import (
    AdvisorySerializer,
    RawSerializer,
    SecretField,
    UserOfThingSerializer,
    secret_schema,
    secret_to_json,
)
from credentials.destinations import MAX_PATTERN
from credentials.models import Credential

READ_ONLY = frozenset(
    ("id", "advisories", "created", "updated", "updated_by", "version", "used_by", "used_by_count")
)  # fmt: skip
"""What a read adds to a definition."""


@extend_schema_field(secret_schema(Credential.SECRETS["client_secret"]))
class ClientSecretField(serializers.Field):  # type: ignore[type-arg]
    """A write-only text, for the schema."""


def credential_to_json(row: Credential, used_by_count: int, today: date) -> dict[str, Any]:
    """Return a credential, secrets as `is_set` and `changed_at`; the row comes from `selectors`."""
    body: dict[str, Any] = {"id": str(row.pk), **row.values()}
    for name in row.SECRETS:
        body[name] = secret_to_json(row.secret_is_set(name), getattr(row, f"{name}_changed_at"))
    body["advisories"] = [advisory_to_json(problem) for problem in row.advisories(today)]
    body["created"], body["updated"] = row.created, row.updated
    body["updated_by"] = row.updated_by.get_username() if row.updated_by else None
    body["version"] = row.version
    body["used_by_count"] = used_by_count
    return body


class _Described(RawSerializer):
    """The fields of a credential as the description of the API shows them; `credential_to_json` makes the answers."""

    only_read = READ_ONLY
    destinations = serializers.ListField(child=serializers.CharField(max_length=MAX_PATTERN), required=False)
    password = SecretField(required=False)
    client_secret = ClientSecretField(required=False)
    advisories = AdvisorySerializer(many=True, read_only=True)
    updated_by = serializers.CharField(read_only=True, allow_null=True)
    used_by_count = serializers.IntegerField(read_only=True)


_FIELDS = (
    "id", *Credential.writable(), "advisories", "created", "updated", "updated_by", "version", "used_by_count",
)  # fmt: skip
_READ_ONLY_COLUMNS = ("id", "created", "updated", "version")


class CredentialRowSerializer(_Described):
    """A credential in a list: how many use it, not who."""

    class Meta:
        model = Credential
        fields = _FIELDS
        read_only_fields = _READ_ONLY_COLUMNS


class CredentialSerializer(_Described):
    """A credential with its users."""

    used_by = UserOfThingSerializer(many=True, read_only=True)

    class Meta:
        model = Credential
        fields = (*_FIELDS, "used_by")
        read_only_fields = _READ_ONLY_COLUMNS


def read_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values to write; what was read may be sent back."""
    return CredentialSerializer().to_internal_value(data)
