"""What people call the fields of definitions and their values, and how they are told what was refused.

Each app teaches the words of its models when it starts, so that this module knows no app.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import models

from core.errors import Refused

_labels: dict[str, str] = {}
_values: dict[str, dict[str, str]] = {}

_SPEAKS_FOR_ITSELF = frozenset({"connection_security", "pop_security"})
"""Fields whose values need no name before them: everybody knows what STARTTLS is."""


def learn(model: type[models.Model]) -> None:
    """Take the labels of a model's fields, and of their choices; of a name in several models the first counts."""
    for field in model._meta.get_fields():
        if not isinstance(field, models.Field) or not field.editable:
            continue
        _labels.setdefault(field.name, str(field.verbose_name))
        if field.choices:
            known = _values.setdefault(field.name, {})
            for value, label in field.flatchoices:
                known.setdefault(str(value), str(label))


def label_of(name: str) -> str:
    """Return what people call a field, as it stands inside a sentence."""
    label = _labels.get(name, name.replace("_", " "))
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def proposal(values: Mapping[str, object]) -> str:
    """Return proposed values for people: `port 587, STARTTLS`."""
    return ", ".join(_proposed(name, value) for name, value in values.items())


def sentence_of(error: Refused | ValidationError) -> str:
    """Return what went wrong in words, with the fields that it is about."""
    if isinstance(error, Refused):
        return told(error)
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    parts = [
        f"{name.replace('_', ' ')}: {' '.join(problem.messages)}"
        for name, found in error.error_dict.items()
        for problem in found
    ]
    return " ".join(parts)


def told(refusal: Refused) -> str:
    """Return a refusal as a message, with who is in the way."""
    users = ", ".join(user["name"] for user in refusal.extra.get("used_by", ()))
    return f"{refusal.detail} Used by: {users}." if users else refusal.detail


def _proposed(name: str, value: object) -> str:
    if isinstance(value, bool):
        return f"{label_of(name)} {'on' if value else 'off'}"
    if isinstance(value, list | tuple):
        return f"{label_of(name)} {', '.join(map(str, value))}"
    known = _values.get(name, {}).get(str(value))
    if known is None:
        return f"{label_of(name)} {value}"
    return known if name in _SPEAKS_FOR_ITSELF else f"{label_of(name)}: {known}"
