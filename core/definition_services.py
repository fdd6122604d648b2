"""What the writers of all definitions share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils.crypto import constant_time_compare

from core.definition_candidate import Candidate
from core.definition_models import Definition
from core.errors import Refused
from core.rules import Problem
from core.text import comparison_key
from core.versions import require_version

Row = TypeVar("Row", bound=Definition)


@dataclass(frozen=True, slots=True)
class Saved(Generic[Row]):
    """What a write did: `changed` names the fields that differ now, empty where nothing was to do."""

    row: Row
    created: bool
    changed: tuple[str, ...]
    advisories: tuple[Problem, ...]


def current(row: Row, expected_version: int | None) -> Row:
    """Return the row as it is stored, locked; raise Refused `not_found`, `precondition_failed`."""
    stored = type(row)._default_manager.select_for_update().filter(pk=row.pk).first()
    if stored is None:
        raise Refused("not_found", f"This {row.NOUN} has been deleted meanwhile.")
    require_version(stored, expected_version, row.NOUN)
    return stored


@contextmanager
def first_come(model: type[Definition], values: Mapping[str, Any], before: Definition | None) -> Iterator[None]:
    """Turn what the database says of a name that was taken between our look and our write into the error of a look.

    The constraint decided, and the loser is told what he would have been told a moment later.
    """
    try:
        yield
    except IntegrityError:
        name = values.get("name", before.name if before is not None else "")
        taken = model.name_taken(comparison_key(name) if isinstance(name, str) else "")
        if taken is None:
            raise
        raise ValidationError({"name": [taken]}) from None


def keep_equal_secrets(candidate: Candidate[Row], opened: Callable[[str, Any, str], Any]) -> None:
    """Take a secret that was sent again unchanged as kept, so that the second of two equal writes changes nothing.

    `opened` opens what is stored; where it returns None, what was typed mends it.
    """
    before = candidate.before
    for name in list(candidate.typed):
        if before is None or not before.secret_is_set(name):
            continue
        sealed = getattr(before, f"{name}_sealed")
        stored = opened(sealed, before.pk, name)
        if stored is not None and constant_time_compare(stored.reveal(), candidate.typed[name].reveal()):
            del candidate.typed[name]
            setattr(candidate.row, f"{name}_sealed", sealed)


def changes(candidate: Candidate[Row], references: Collection[str] = ()) -> list[str]:
    """Return the names of what a write changes; of a secret that it was typed or is gone, not whether it differs."""
    row, before = candidate.row, candidate.before
    columns = {name: name for name in row.definition_fields()} | {name: f"{name}_id" for name in references}
    changed = [
        name for name, column in columns.items() if before is None or getattr(row, column) != getattr(before, column)
    ]
    changed += sorted(candidate.typed)
    changed += sorted(name for name in candidate.cleared if before is not None and before.secret_is_set(name))
    return changed


def seal_typed(candidate: Candidate[Row], seal: Callable[[str, Any, str], str], now: datetime) -> None:
    """Seal what was typed, and note when each secret changed."""
    row = candidate.row
    for name in row.SECRETS:
        if name in candidate.typed:
            setattr(row, f"{name}_sealed", seal(candidate.typed[name].reveal(), row.id, name))
            setattr(row, f"{name}_changed_at", now)
        elif name in candidate.cleared:
            setattr(row, f"{name}_changed_at", None)
