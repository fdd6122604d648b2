"""Two header fields of a message, for people: its subject and its date (RFC 5322, 2047). Pure functions."""

from __future__ import annotations

import email.header
import email.utils
from datetime import UTC, datetime

MAX_FIELD = 2_000
"""Bytes of a field that are looked at: RFC 5322 section 2.1.1 wants lines under 998."""


def subject_of(field: bytes) -> str:
    """Return a subject as text: encoded words decoded, folds undone, what cannot be read as escapes."""
    text = _unfolded(field.decode("utf-8", "surrogateescape"))
    try:
        parts = email.header.decode_header(text)
    except (ValueError, email.errors.HeaderParseError):
        return text
    return "".join(part if isinstance(part, str) else _decoded(part, charset) for part, charset in parts)


def date_of(field: str) -> str | None:
    """Return the moment of a Date field in UTC as ISO 8601, None where it is none."""
    try:
        moment = email.utils.parsedate_to_datetime(_unfolded(field[:MAX_FIELD]))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return iso(moment)


def iso(moment: datetime) -> str | None:
    """Return a moment in UTC as ISO 8601, None where it lies beyond the calendar."""
    try:
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _unfolded(text: str) -> str:
    return " ".join(text[:MAX_FIELD].split())


def _decoded(part: bytes, charset: str | None) -> str:
    try:
        return part.decode(charset or "utf-8")
    except (LookupError, ValueError):
        return part.decode("utf-8", "surrogateescape")
