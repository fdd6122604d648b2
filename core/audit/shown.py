"""An event as pages and the API show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.audit.acts import DOORS, KINDS
from core.audit.declarations import links
from core.audit.models import AuditEvent

NOTHING = "none"


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


def rows(events: Sequence[AuditEvent]) -> list[Row]:
    """Return the events for the page; one query per kind of thing finds out what still exists."""
    ids: dict[str, set[str]] = {}
    for event in events:
        if event.object_id:
            ids.setdefault(event.object_kind, set()).add(event.object_id)
    urls = {kind: links(kind, wanted) for kind, wanted in ids.items()}
    return [
        Row(
            event,
            KINDS.get(event.object_kind, event.object_kind),
            DOORS.get(event.door, event.door),
            urls.get(event.object_kind, {}).get(event.object_id, ""),
            list(_changes(event)),
            [(words(name), in_words(value)) for name, value in event.extra.items() if value not in ("", None)],
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


def words(name: str) -> str:
    """Return the name of a field for people."""
    return name.replace("_", " ").capitalize()


def in_words(value: Any) -> str:
    """Return a value for people; a secret says whether it is set and since when."""
    if isinstance(value, Mapping):
        return _object_in_words(value)
    if isinstance(value, list) and value:
        return ", ".join(in_words(item) for item in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return NOTHING if value in (None, "", []) else str(value)


def _object_in_words(value: Mapping[str, Any]) -> str:
    match value:
        case {"is_set": is_set, "changed_at": changed_at}:
            return (f"set, {changed_at}" if changed_at else "set") if is_set else "not set"
        case {"id": _, "name": name}:
            return str(name)
    return ", ".join(f"{key}: {in_words(item)}" for key, item in value.items()) or NOTHING


def _changes(event: AuditEvent) -> Iterator[Change]:
    before, after = event.before, event.after
    for name in {**(before or {}), **(after or {})}:
        yield Change(words(name), _side(before, name), _side(after, name))


def _side(values: Mapping[str, Any] | None, name: str) -> str | None:
    return None if values is None else in_words(values.get(name))
