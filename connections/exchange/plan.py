"""What a file would do, row by row, and doing it.

A plan reads and never writes. It judges each row as its write would be judged, by the one validator, so that what
it refuses is what would be refused. Applying writes through `services` alone, and only the rows that the plan would
create or change: a file that says what is stored already writes nothing, not even an event. By default all rows or
none are applied.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from connections import selectors, services
from connections.exchange.document import ROWS, Document, Format
from connections.exchange.foreign.systems import System
from connections.exchange.foreign.words import Note
from connections.exchange.incoming import Incoming, incoming, system_of
from connections.exchange.secret_sources import Reader
from connections.models import Connection
from core import audit
from core.errors import Refused, invalid
from core.models import User
from core.problems import field_errors
from core.rules import Problem, advisory_to_json
from core.text import comparison_key

T = TypeVar("T")

_AT_ONCE = 200
"""Rows whose connections are looked up by one query; and, where each row stands for itself, stored at once."""

MAX_ERRORS = 1_000
"""Most errors that a plan lists; the others are counted. A small file can have a great many."""

MAX_ROW_ERRORS = 100
"""Most errors that it lists of one row."""


class Action(StrEnum):
    """What becomes of a row."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(slots=True)
class Entry:
    """One row of a plan. `errors` are problems as every door shows them, their pointers within the row.

    There may be more errors than are listed: `error_count` says how many.
    """

    incoming: Incoming = field(repr=False)
    name: str
    kind: str
    action: Action
    id: str | None = None
    changed: tuple[str, ...] = ()
    errors: list[dict[str, Any]] = field(default_factory=list)
    error_count: int = 0
    advisories: tuple[Problem, ...] = ()

    @property
    def place(self) -> int:
        """Return the place of the row in the file, from 0."""
        return self.incoming.place

    @property
    def line(self) -> int | None:
        """Return the line on which the row begins, None where the format has none."""
        return self.incoming.line

    @property
    def notes(self) -> Sequence[Note]:
        """Return what was left behind of a row in the words of another system."""
        return self.incoming.notes

    @property
    def more_errors(self) -> int:
        """Return how many errors are not listed."""
        return self.error_count - len(self.errors)

    @property
    def is_work(self) -> bool:
        """Tell whether there is something to write."""
        return self.action in {Action.CREATE, Action.UPDATE}


@dataclass(slots=True)
class Plan:
    """What a file would do; `recognised` tells that its words gave the system away. `applied`: it has been done."""

    format: Format
    system: System | None
    recognised: bool
    entries: list[Entry]
    applied: bool = False
    room: int = MAX_ERRORS
    """How many errors more are listed."""

    @property
    def counts(self) -> dict[str, int]:
        """Return how many rows each action has."""
        found = Counter(entry.action for entry in self.entries)
        return {action.value: found[action] for action in Action}

    @property
    def refused(self) -> list[Entry]:
        """Return the rows that cannot be applied."""
        return [entry for entry in self.entries if entry.action is Action.REFUSED]

    @property
    def error_count(self) -> int:
        """Return how many errors there are, listed or not."""
        return sum(entry.error_count for entry in self.entries)

    def find_fault(self, entry: Entry, errors: Sequence[dict[str, Any]]) -> None:
        """Refuse a row, and list of its errors what there is room for."""
        entry.action = Action.REFUSED
        entry.errors = list(errors[: min(self.room, MAX_ROW_ERRORS)])
        entry.error_count = len(errors)
        self.room -= len(entry.errors)

    def errors(self) -> list[dict[str, Any]]:
        """Return every listed error with its pointer into the file, `/connections/3/port`."""
        return [
            {**error, "pointer": f"/{ROWS}/{entry.place}{error['pointer']}"}
            | ({"line": entry.line} if entry.line is not None else {})
            for entry in self.entries
            for error in entry.errors
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the plan as the API and the command line show it."""
        return {
            "applied": self.applied,
            "format": self.format.value,
            "system": self.system.key if self.system is not None else None,
            "recognised": self.recognised,
            "counts": self.counts,
            "error_count": self.error_count,
            "rows": [_entry_to_json(entry) for entry in self.entries],
        }


def _entry_to_json(entry: Entry) -> dict[str, Any]:
    return {
        "place": entry.place,
        "line": entry.line,
        "kind": entry.kind or None,
        "name": entry.name or None,
        "action": entry.action.value,
        "id": entry.id,
        "changed": list(entry.changed),
        "errors": entry.errors,
        "error_count": entry.error_count,
        "advisories": [advisory_to_json(problem) for problem in entry.advisories],
        "notes": [dataclasses.asdict(note) for note in entry.notes],
    }


def make(document: Document, secret: Reader, *, user: User | None, system: str | None = None) -> Plan:
    """Return what a document of this user would do; raise ValidationError where its words cannot be told."""
    spoken = system_of(document, system)
    recognised = spoken is not None and system is None and document.system is None
    rows = incoming(document, spoken, secret)
    made = Plan(document.format, spoken, recognised, [])
    seen: dict[str, Incoming] = {}
    for batch in _batches(rows, _AT_ONCE):
        stored = selectors.by_names([key for row in batch if (key := _key(row))])
        made.entries.extend(_judge(made, row, stored, seen, user) for row in batch)
    return made


def _judge(
    made: Plan, row: Incoming, stored: Mapping[str, Connection], seen: dict[str, Incoming], user: User | None
) -> Entry:
    key = _key(row)
    before = _of_kind(stored.get(key), row)
    name = row.values.get("name")
    entry = Entry(
        row, name if isinstance(name, str) else "", row.model.KIND if row.model is not None else "", Action.REFUSED
    )
    first = seen.setdefault(key, row) if key else row
    if first is not row:
        where = f"line {first.line}" if first.line is not None else f"number {first.place + 1}"
        row.errors.setdefault("name", []).append(
            invalid("not_unique", f"The connection at {where} has this name too.", other=f"/{ROWS}/{first.place}")
        )
    saved = _preview(row, before, user)
    if row.errors:
        made.find_fault(entry, field_errors(ValidationError(row.errors)))
        row.values, row.errors = {}, {}
    elif saved is not None:
        entry.action = Action.CREATE if saved.created else Action.UPDATE if saved.changed else Action.UNCHANGED
        entry.changed = () if saved.created else saved.changed
        entry.id = None if saved.created else str(saved.connection.pk)
        entry.advisories = saved.advisories if entry.is_work else ()
        if not entry.is_work:
            row.values = {}
    return entry


def _preview(row: Incoming, before: Connection | None, user: User | None) -> services.Saved | None:
    if row.model is None:
        return None
    _join_tags(row, before)
    try:
        return services.preview(row.model, before, _values(row, before), user=user, partial=_is_partial(row, before))
    except ValidationError as error:
        # What could not be read at all was left out of the values, and is missing only for that reason.
        for name, problems in error.error_dict.items():
            row.errors.setdefault(name, problems)
        return None


def _values(row: Incoming, before: Connection | None) -> dict[str, Any]:
    return row.values if before is not None else {**row.for_new, **row.values}


def _is_partial(row: Incoming, before: Connection | None) -> bool:
    return row.partial and before is not None


def _join_tags(row: Incoming, before: Connection | None) -> None:
    tags = row.values.get("tags")
    if row.partial and before is not None and isinstance(tags, list):
        row.values["tags"] = [tag for tag in before.tags if tag not in row.own_tags] + tags


def _key(row: Incoming) -> str:
    name = row.values.get("name")
    return comparison_key(name) if isinstance(name, str) else ""


def apply(plan: Plan, *, user: User | None, partial: bool = False, now: datetime | None = None) -> Plan:
    """Do what a plan says, and say in it what was done.

    Where a row is refused nothing is done, unless `partial` asks for what is sound. A row that became unsound
    since the plan was made is refused like any other.
    """
    moment = now or timezone.now()
    if plan.refused and not partial:
        return plan
    work = [entry for entry in plan.entries if entry.is_work]
    for batch in _batches(work, _AT_ONCE if partial else max(len(work), 1)):
        with transaction.atomic():
            done = [_write(plan, entry, before, user, moment) for entry, before in _stored(batch)]
            if not partial and not all(done):
                transaction.set_rollback(True)
                _forget(batch)
                return plan
            _record(plan, batch, moment)
    plan.applied = True
    return plan


def _forget(entries: Iterable[Entry]) -> None:
    """Take back the ids of what was created and is not there any more."""
    for entry in entries:
        if entry.action is Action.CREATE:
            entry.id = None


def _stored(entries: Iterable[Entry]) -> Iterator[tuple[Entry, Connection | None]]:
    """Yield each row with the connection of its name and kind as it is now, whatever it was for the plan."""
    for batch in _batches(entries, _AT_ONCE):
        stored = selectors.by_names([_key(entry.incoming) for entry in batch])
        for entry in batch:
            yield entry, _of_kind(stored.get(_key(entry.incoming)), entry.incoming)


def _of_kind(found: Connection | None, row: Incoming) -> Connection | None:
    """Return what was found where it is of the row's kind: else the name is taken, as creating answers."""
    return found if type(found) is row.model else None


def _write(plan: Plan, entry: Entry, before: Connection | None, user: User | None, now: datetime) -> bool:
    row = entry.incoming
    assert row.model is not None
    try:
        saved = services.save(
            row.model, before, _values(row, before), user=user, partial=_is_partial(row, before), now=now
        )
    except ValidationError as error:
        plan.find_fault(entry, field_errors(error))
    except Refused as refusal:
        plan.find_fault(entry, [{"pointer": "", "code": refusal.code, "detail": refusal.detail}])
    else:
        entry.id = str(saved.connection.pk)
        return True
    return False


def _record(plan: Plan, batch: Sequence[Entry], now: datetime) -> None:
    """Record that a file was the reason of these changes, each of which has its own event."""
    found = Counter(entry.action.value for entry in batch)
    if found[Action.CREATE] + found[Action.UPDATE]:
        audit.record(
            "definitions.imported",
            audit.Thing("definitions", "", plan.system.title if plan.system is not None else "Definitions"),
            now=now,
            format=plan.format.value,
            created=found[Action.CREATE],
            changed=found[Action.UPDATE],
        )


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
