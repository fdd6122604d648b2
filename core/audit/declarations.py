"""Which values of a row the audit trail shows: declared per model, secrets redacted by declaration.

What is neither declared as shown, as secret nor as left out makes a test fail, so that a new column is a
decision and never an oversight.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from django.db import models
from django.utils.text import capfirst

LinkFinder = Callable[[Collection[str]], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Thing:
    """What an act was done to, where there is no row to ask (any more)."""

    kind: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """How the rows of a model are shown."""

    model: type[models.Model]
    kind: str
    fields: tuple[str, ...]
    secrets: tuple[str, ...]
    left_out: frozenset[str]
    name: str

    def undeclared(self) -> Iterator[str]:
        """Yield the columns that hold something a person, or the vault, wrote and that nobody decided about."""
        known = {*self.fields, *self.left_out}
        for secret in self.secrets:
            known |= {secret, f"{secret}_sealed", f"{secret}_changed_at"}
        for field in (*self.model._meta.concrete_fields, *self.model._meta.many_to_many):
            if field.primary_key or field.name in known:
                continue
            if field.editable or field.name.endswith(("_sealed", "_changed_at", "_digest", "digest")):
                yield field.name


_declarations: dict[type[models.Model], Declaration] = {}
_links: dict[str, tuple[LinkFinder, str]] = {}


def declare(
    model: type[models.Model],
    *,
    kind: str,
    fields: Sequence[str],
    secrets: Iterable[str] = (),
    left_out: Sequence[str] = (),
    name: str = "name",
) -> None:
    """Say which values of a model's rows are shown, which are secret, and which tell nobody anything.

    A secret `password` is either a column of that name or the pair `password_sealed`, `password_changed_at`.
    `name` is the attribute by which people call a row; empty where that is its own text.
    """
    _declarations[model] = Declaration(model, kind, tuple(fields), tuple(secrets), frozenset(left_out), name)


def declared() -> tuple[Declaration, ...]:
    """Return all declarations."""
    return tuple(_declarations.values())


def register_links(kind: str, finder: LinkFinder, *, act: str = "") -> None:
    """Let `finder` tell the addresses of things of a kind: ids in, address by id out, gone ones left out.

    `act` is what their pages take where not everybody who reads the trail may open them.
    """
    _links[kind] = finder, act


def links(kind: str, ids: Collection[str], permits: Callable[[str], bool]) -> Mapping[str, str]:
    """Return the addresses of the things of a kind that still exist, none where the acts of a reader do not permit."""
    finder, act = _links.get(kind, (None, ""))
    if finder is None or not ids or (act and not permits(act)):
        return {}
    try:
        return finder(ids)
    except ValueError:
        return {}  # an id of another form, for example of before a change of the keys, leads nowhere


def label_of(kind: str, name: str) -> str:
    """Return what the forms call a value of a kind of thing; where no field has that name, the name for people."""
    for declaration in _declarations.values():
        if declaration.kind == kind and name in declaration.fields:
            return capfirst(str(getattr(declaration.model._meta.get_field(name), "verbose_name", name)))
    return capfirst(name.replace("_", " "))


def thing(row: models.Model) -> Thing:
    """Return the reference of a row, to be kept over its deletion; raise LookupError for an undeclared model."""
    declaration = _of(row)
    if row.pk is None:
        raise ValueError("A row that is not stored, or no longer, has no id to be recorded under.")
    return Thing(declaration.kind, str(row.pk), str(getattr(row, declaration.name) if declaration.name else row))


def snapshot(row: models.Model) -> dict[str, Any]:
    """Return what of a row may be shown, by the declaration of its model; LookupError where there is none."""
    declaration = _of(row)
    shown = {name: _value(row, name) for name in declaration.fields}
    return shown | {name: _secret(row, name) for name in declaration.secrets}


def _of(row: models.Model) -> Declaration:
    model = row._meta.concrete_model
    try:
        return _declarations[model]  # type: ignore[index]
    except KeyError:
        raise LookupError(f"Nobody declared what the audit trail shows of {type(row).__name__}.") from None


def _secret(row: models.Model, name: str) -> dict[str, Any]:
    # A plain column of that name is a digest or a hash; sealed ones come with the time of their change.
    value = getattr(row, f"{name}_sealed") if hasattr(row, f"{name}_sealed") else getattr(row, name)
    return {"is_set": bool(value), "changed_at": plain(getattr(row, f"{name}_changed_at", None))}


def _value(row: models.Model, name: str) -> Any:
    value = getattr(row, name)
    if isinstance(value, models.Manager):
        return sorted(str(item) for item in value.all()) if row.pk is not None else []
    if isinstance(value, models.Model):
        return {"id": str(value.pk), "name": str(value)}
    return plain(value)


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it; raise TypeError for what it cannot, bytes above all."""
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int() | float() | str():
            return value
        case datetime() | date():
            return value.isoformat()
        case uuid.UUID():
            return str(value)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
            return [plain(item) for item in items]
        case _:
            raise TypeError(f"The audit trail cannot hold a {type(value).__name__}.")
