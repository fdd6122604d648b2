"""The answers about files of definitions, for the description of the API."""

from __future__ import annotations

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from connections.exchange.document import Format
from connections.exchange.foreign.words import Fate
from connections.exchange.plan import MAX_ERRORS, Action
from core.serializers import AdvisorySerializer

_ERROR = inline_serializer(
    "ImportError",
    {
        "pointer": serializers.CharField(help_text="Within the row: /port."),
        "code": serializers.CharField(),
        "detail": serializers.CharField(),
    },
    many=True,
)
_NOTE = inline_serializer(
    "ImportNote",
    {
        "label": serializers.CharField(help_text="The word of the other system."),
        "fate": serializers.ChoiceField(choices=[fate.value for fate in Fate]),
        "detail": serializers.CharField(),
    },
    many=True,
)
_ROW = inline_serializer(
    "ImportRow",
    {
        "place": serializers.IntegerField(help_text="From 0."),
        "line": serializers.IntegerField(allow_null=True, help_text="From 1; null for JSON."),
        "kind": serializers.CharField(allow_null=True),
        "name": serializers.CharField(allow_null=True),
        "action": serializers.ChoiceField(choices=[action.value for action in Action]),
        "id": serializers.UUIDField(allow_null=True),
        "changed": serializers.ListField(child=serializers.CharField()),
        "errors": _ERROR,
        "error_count": serializers.IntegerField(help_text="Of the row; more than are listed where there are many."),
        "advisories": AdvisorySerializer(many=True),
        "notes": _NOTE,
    },
    many=True,
)

PLAN = inline_serializer(
    "ImportPlan",
    {
        "applied": serializers.BooleanField(),
        "format": serializers.ChoiceField(choices=[format_.value for format_ in Format]),
        "system": serializers.CharField(allow_null=True, help_text="In whose words it was written; null: in ours."),
        "recognised": serializers.BooleanField(help_text="The system was told by its words alone."),
        "counts": inline_serializer("ImportCounts", {action.value: serializers.IntegerField() for action in Action}),
        "error_count": serializers.IntegerField(help_text=f"Of the file; the first {MAX_ERRORS:,} are listed."),
        "rows": _ROW,
    },
)
"""What a file would do, or did."""
