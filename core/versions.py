"""Versions of a stored definition: `version` counts its writes, `field_versions` says which wrote each field last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from core.errors import Refused


class Versioned(Protocol):
    """A row that counts its writes."""

    version: int
    field_versions: dict[str, int]


def require_version(row: Versioned, expected: int | None, noun: str) -> None:
    """Raise Refused `precondition_failed` with what changed where the row is not in the version that was seen.

    None expects nothing; a negative number stands for an `If-Match` that names no version of ours.
    """
    if expected is None or row.version == expected:
        return
    if expected < 0:
        raise Refused("precondition_failed", f"If-Match names no version of this {noun}. Read it again.", changed=[])
    changed = sorted(name for name, version in row.field_versions.items() if version > expected)
    raise Refused(
        "precondition_failed",
        f"The {noun} was changed meanwhile: {', '.join(changed) or 'nothing that is shown'}. Read it again.",
        changed=changed,
    )


def advance(row: Versioned, changed: Iterable[str]) -> None:
    """Count one more write, which changed these fields."""
    row.version += 1
    row.field_versions = {**row.field_versions, **dict.fromkeys(changed, row.version)}
