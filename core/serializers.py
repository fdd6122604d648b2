"""What the JSON forms of all definitions share. Values are handed on as they came: the model's fields judge them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.fields import StrictIntegerField


def secret_schema(limit: int) -> dict[str, Any]:
    """Return the schema of a secret: a text or null to write, an object to read."""
    return {
        "writeOnly": False,
        "oneOf": [
            {"type": "string", "minLength": 1, "maxLength": limit, "description": "Set the secret (write only)."},
            {"type": "null", "description": "Clear it."},
            {
                "type": "object",
                "description": "What a read shows; written back it keeps the secret.",
                "properties": {
                    "is_set": {"type": "boolean"},
                    "changed_at": {"type": ["string", "null"], "format": "date-time"},
                },
                "additionalProperties": False,
            },
        ],
    }


def secret_to_json(is_set: bool, changed_at: datetime | None) -> dict[str, Any]:
    """Return all that a read shows of a secret."""
    return {"is_set": is_set, "changed_at": changed_at}


@extend_schema_field(secret_schema(1_024))
class SecretField(serializers.Field):  # type: ignore[type-arg]
    """A write-only text, for the schema."""


class AdvisorySerializer(serializers.Serializer[Any]):
    """Something worth knowing about a definition."""

    pointer = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class UserOfThingSerializer(serializers.Serializer[Any]):
    """Who uses a thing."""

    kind = serializers.CharField()
    id = serializers.UUIDField()
    name = serializers.CharField()


class RawSerializer(serializers.ModelSerializer[Any]):
    """Document a resource from its model, and hand its values to the services untouched.

    `only_read` names what a read adds to a definition; a write may carry it back and it is passed over.
    """

    only_read: frozenset[str] = frozenset()

    def to_internal_value(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values as JSON carried them, without what only a read adds."""
        return {name: value for name, value in data.items() if name not in self.only_read}

    def run_validation(self, data: Any = serializers.empty) -> dict[str, Any]:
        """Check nothing here: one validator serves every door."""
        return self.to_internal_value({} if data is serializers.empty else data)

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        """Carry the limits of strict integers into the schema."""
        built, options = super().build_standard_field(field_name, model_field)
        if isinstance(model_field, StrictIntegerField):
            options |= {"min_value": model_field.minimum, "max_value": model_field.maximum}
        return built, options
