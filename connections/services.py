"""The only writers of definitions, and the one way to ask for a configuration test."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from cluster import dispatch
from connections import candidate as candidates
from connections import fingerprint
from connections.candidate import Candidate
from connections.choices import Status
from connections.models import Connection
from core import audit, definition_services
from core.definition_services import changes, current, first_come, keep_equal_secrets, seal_typed
from core.models import User
from core.versions import advance
from credentials import vault

_STORED = ("cluster", "steng", "credential")
"""The references that are columns; the others have no store yet."""


class Saved(definition_services.Saved[Connection]):
    """What a write did."""

    __slots__ = ()

    @property
    def connection(self) -> Connection:
        """Return the connection as it is now."""
        return self.row


def save(
    model: type[Connection],
    before: Connection | None,
    values: Mapping[str, Any],
    *,
    user: User | None,
    partial: bool = False,
    expected_version: int | None = None,
    now: datetime | None = None,
) -> Saved:
    """Create or change a connection of this kind from the values of any door.

    Raises ValidationError with a code per field, and Refused `precondition_failed` where
    `expected_version` is not the stored one any more. A write that changes nothing writes nothing.
    """
    moment = now or timezone.now()
    with first_come(model, values, before), transaction.atomic():
        if before is not None:
            before = current(before, expected_version)
        candidate = candidates.build(model, values, before, user=user, partial=partial)
        return _store(candidate, user, moment)


def preview(
    model: type[Connection],
    before: Connection | None,
    values: Mapping[str, Any],
    *,
    user: User | None,
    partial: bool = False,
) -> Saved:
    """Return what `save` would do with these values, and write nothing; raises what it would raise."""
    candidate = candidates.build(model, values, before, user=user, partial=partial)
    keep_equal_secrets(candidate, vault.opened)
    changed = tuple(changes(candidate, _STORED))
    return Saved(candidate.row, before is None, changed, tuple(candidate.advisories))


def set_status(
    connection: Connection,
    status: Any,
    *,
    user: User | None,
    expected_version: int | None = None,
    now: datetime | None = None,
) -> Saved:
    """Enable or disable a connection and leave everything else; raises what `save` raises.

    What may not be used any more can always be stopped, so who disables has nothing else judged. Who enables puts the
    whole definition to work, so all of it is judged as if it were written now.
    """
    if status != Status.DISABLED:
        values = {"status": status}
        return save(
            type(connection), connection, values,
            user=user, partial=True, expected_version=expected_version, now=now,
        )  # fmt: skip
    with transaction.atomic():
        row = current(connection, expected_version)
        changed = ("status",) if row.status != Status.DISABLED else ()
        if changed:
            before = copy.copy(row)
            row.status = Status.DISABLED
            advance(row, changed)
            row.updated, row.updated_by = now or timezone.now(), user
            row.save(update_fields=["status", "version", "field_versions", "updated", "updated_by"])
            _record(row, before, list(changed))
        return Saved(row, created=False, changed=changed, advisories=tuple(row.advisories()))


def refresh(row: Connection) -> None:
    """Note that the credential of a connection changed; nothing happens where that changes no sign-in."""
    configuration = fingerprint.of_row(row)
    if configuration == row.configuration:
        return
    row.configuration = configuration
    advance(row, ("credential",))
    row.save(update_fields=["configuration", "version", "field_versions"])


def delete(connection: Connection, *, expected_version: int | None = None) -> None:
    """Delete a connection with its secrets; its test history stays."""
    with transaction.atomic():
        row = current(connection, expected_version)
        audit.record("connection.deleted", row, before=audit.snapshot(row))
        row.delete()
        dispatch.unfollow(row.last_test_id)


def _store(candidate: Candidate, user: User | None, now: datetime) -> Saved:
    keep_equal_secrets(candidate, vault.opened)
    row, before = candidate.row, candidate.before
    changed = changes(candidate, _STORED)
    if before is not None and not changed:
        return Saved(before, created=False, changed=(), advisories=tuple(candidate.advisories))
    seal_typed(candidate, vault.seal, now)
    advance(row, changed)
    row.updated, row.updated_by = now, user
    row.configuration = fingerprint.of_row(row)
    if before is None:
        row.created = now
        row.last_test = dispatch.follow(row.id)
    row.save()
    _record(row, before, changed)
    return Saved(row, created=before is None, changed=tuple(changed), advisories=tuple(candidate.advisories))


def _record(row: Connection, before: Connection | None, changed: list[str]) -> None:
    after = audit.snapshot(row)
    if before is None:
        audit.record("connection.created", row, after=after)
    elif changed == ["status"]:
        act = "connection.enabled" if row.status == Status.ENABLED else "connection.disabled"
        audit.record(act, row, before=audit.snapshot(before), after=after)
    else:
        audit.record("connection.changed", row, before=audit.snapshot(before), after=after)
