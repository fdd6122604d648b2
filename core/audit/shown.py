"""An event as pages and the API show it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.html import format_html

from core.audit.acts import DOORS, KINDS
from core.audit.declarations import label_of, links
from core.audit.models import AuditEvent
from core.templatetags.postern import when

NOTHING = "none"
_EMPTY: tuple[Any, ...] = (None, "", [])
# As `datetime.isoformat` writes a moment with its zone.
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}[+-][0-9]{2}:[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs, in words; None where there was, or is, no row."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One event of the page: `url` leads to what it was done to, empty where that is gone or has no page."""

    event: AuditEvent
    kind: str
    door: str
    url: str
    changes: list[Change]
    extra: list[tuple[str, str]]


def rows(events: Sequence[AuditEvent], permits: Callable[[str], bool]) -> list[Row]:
    """Return the events for the page of who has these acts; one query per kind of thing finds out what still exists."""
    ids: dict[str, set[str]] = {}
    for event in events:
        if event.object_id:
            ids.setdefault(event.object_kind, set()).add(event.object_id)
    urls = {kind: links(kind, wanted, permits) for kind, wanted in ids.items()}
    return [
        Row(
            event,
            KINDS.get(event.object_kind, event.object_kind),
            DOORS.get(event.door, event.door),
            urls.get(event.object_kind, {}).get(event.object_id, ""),
            list(_changes(event)),
            [(label_of("", name), in_words(value)) for name, value in event.extra.items() if value not in ("", None)],
        )
        for event in events
    ]


def to_json(event: AuditEvent) -> dict[str, Any]:
    """Return an event as the API shows it."""
    return {
        "id": event.pk,
        "at": event.at,
        "act": event.act,
        "sentence": event.sentence,
        "actor": {"id": event.actor_id, "name": event.actor_name},
        "door": event.door,
        "address": event.address,
        "object": {"kind": event.object_kind, "id": event.object_id, "name": event.object_name},
        "before": event.before,
        "after": event.after,
        "reason": event.reason,
        "extra": event.extra,
    }


def in_words(value: Any) -> str:
    """Return a value for people; a secret says whether it is set and since when."""
    if isinstance(value, Mapping):
        return _object_in_words(value)
    if isinstance(value, list) and value:
        return ", ".join(in_words(item) for item in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return _moment_in_words(value)
    return NOTHING if value in _EMPTY else str(value)


def _moment_in_words(text: str) -> str:
    try:
        return when(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return text  # somebody wrote what only looks like a moment


def _object_in_words(value: Mapping[str, Any]) -> str:
    match value:
        case {"is_set": True, "changed_at": str(changed_at)}:
            return format_html("set since {}", in_words(changed_at))
        case {"is_set": is_set, "changed_at": _}:
            return "set" if is_set else "not set"
        case {"id": _, "name": name}:
            return str(name)
    return ", ".join(f"{key}: {in_words(item)}" for key, item in value.items()) or NOTHING


def _changes(event: AuditEvent) -> Iterator[Change]:
    before, after = event.before, event.after
    for name in {**(before or {}), **(after or {})}:
        # Of what came or went whole, what was left empty says nothing.
        whole = after if before is None else before if after is None else None
        if whole is None or whole[name] not in _EMPTY:
            yield Change(label_of(event.object_kind, name), _side(before, name), _side(after, name))


def _side(values: Mapping[str, Any] | None, name: str) -> str | None:
    return None if values is None else in_words(values.get(name))
