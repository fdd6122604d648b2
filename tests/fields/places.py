"""The fields that a person fills in and the values of their enumerations, read from the models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from connections.kinds import KINDS
from connections.models import Connection
from core.fields import NameListField, StrictBooleanField, StrictChoiceField
from credentials.models import Credential
from tests.fields.effects import BOTH, CREDENTIAL

MODELS: Mapping[str, Any] = {BOTH: Connection, **KINDS, CREDENTIAL: Credential}
"""The model that speaks for the fields of each section."""


def fields_of(kind: str) -> tuple[str, ...]:
    """Return the fields of a section, in the order of the model; a kind has those that it does not share."""
    shared = Connection.writable() if kind in KINDS else ()
    names = MODELS[kind].writable()
    order = [item.name.removesuffix("_sealed") for item in MODELS[kind]._meta.concrete_fields]
    order = [name for name in order if name in names]
    return tuple(name for name in (*order, *(name for name in names if name not in order)) if name not in shared)


def model_field(kind: str, name: str) -> models.Field[Any, Any] | None:
    """Return the field of the model, None for a secret and for a reference to what has no table yet."""
    try:
        found = MODELS[kind]._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    assert isinstance(found, models.Field)
    return found


def values_of(kind: str, name: str) -> tuple[tuple[str, str], ...]:
    """Return the enumeration of a field with the words of the pages; empty where it has none."""
    field = model_field(kind, name)
    if isinstance(field, StrictChoiceField):
        return tuple((str(value), str(label)) for value, label in field.flatchoices if value)
    if isinstance(field, StrictBooleanField):
        return ("true", "yes"), ("false", "no")
    if isinstance(field, NameListField) and field.known is not None:
        return tuple((value, "") for value in field.known)
    return ()


def places() -> Iterator[tuple[str, str, str]]:
    """Yield kind, field and value of everything that has to have an effect."""
    for kind in MODELS:
        for name in fields_of(kind):
            values = values_of(kind, name)
            yield from ((kind, name, value) for value, _ in values or [("", "")])
