"""What people call the fields of definitions and their values, wherever a page proposes a value or names a field.

Each app teaches the words of its models when it starts, so that this module knows no app.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models

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


def _proposed(name: str, value: object) -> str:
    if isinstance(value, bool):
        return f"{label_of(name)} {'on' if value else 'off'}"
    if isinstance(value, list | tuple):
        return f"{label_of(name)} {', '.join(map(str, value))}"
    known = _values.get(name, {}).get(str(value))
    if known is None:
        return f"{label_of(name)} {value}"
    return known if name in _SPEAKS_FOR_ITSELF else f"{label_of(name)}: {known}"
