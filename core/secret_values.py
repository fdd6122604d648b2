"""Secrets on their way in, by every door: absent keeps, null clears, a text sets, what a read showed keeps."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from core.errors import invalid
from core.fields import check_length

MAX_SECRET = 1_024
"""Longest password in code points."""


class Wish(Enum):
    """What a write wants of a stored secret."""

    KEEP = "keep"
    CLEAR = "clear"
    SET = "set"


def wish(values: Mapping[str, Any], name: str, limit: int = MAX_SECRET) -> Wish:
    """Return what the values of a write say about a secret; raise ValidationError for a text that cannot be one."""
    if name not in values:
        return Wish.KEEP
    given = values[name]
    if given is None:
        return Wish.CLEAR
    if isinstance(given, Mapping) and "is_set" in given and set(given) <= {"is_set", "changed_at"}:
        return Wish.KEEP
    validate_secret(given, limit)
    return Wish.SET


def validate_secret(text: object, limit: int = MAX_SECRET) -> None:
    """Accept 1 to `limit` code points, any character but NUL, CR and LF; blanks at the edges count."""
    if not isinstance(text, str):
        raise invalid("invalid_type", "Expected a text.")
    check_length(text, limit, minimum=1)
    for place, character in enumerate(text):
        if character in "\0\r\n" or "\ud800" <= character <= "\udfff":
            # The character itself is not shown: it is a part of a secret.
            raise invalid("forbidden_character", f"Character {place + 1} cannot be sent.", position=place + 1)
