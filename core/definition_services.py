"""What the writers of all definitions share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from core.rules import Problem

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Saved(Generic[Row]):
    """What a write did: `changed` names the fields that differ now, empty where nothing was to do."""

    row: Row
    created: bool
    changed: tuple[str, ...]
    advisories: tuple[Problem, ...]
