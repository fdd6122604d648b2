"""The only writers of definitions, and the one way to ask for a configuration test."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from cluster import dispatch
from connections import candidate as candidates
from connections import fingerprint
from connections.candidate import Candidate
from connections.choices import Status
from connections.models import Connection, name_taken
from core import audit, definition_services
from core.errors import Refused
from core.models import User
from core.text import comparison_key
from core.versions import advance, require_version
from credentials import vault


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
    try:
        with transaction.atomic():
            if before is not None:
                before = _current(before, expected_version)
            candidate = candidates.build(model, values, before, user=user, partial=partial)
            return _store(candidate, user, moment)
    except IntegrityError:
        # The name was taken between our look and our write; the constraint decided, and the loser is told the same.
        other = Connection.objects.filter(name_key=_key_of(values, before)).values_list("pk", flat=True).first()
        if other is None:
            raise
        raise ValidationError({"name": [name_taken(other)]}) from None


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
    _keep_equal_secrets(candidate)
    changed = tuple(_changes(candidate))
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
        row = _current(connection, expected_version)
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
        row = _current(connection, expected_version)
        audit.record("connection.deleted", row, before=audit.snapshot(row))
        row.delete()
        dispatch.unfollow(row.last_test_id)


def _key_of(values: Mapping[str, Any], before: Connection | None) -> str:
    name = values.get("name", before.name if before is not None else "")
    return comparison_key(name) if isinstance(name, str) else ""


def _current(connection: Connection, expected_version: int | None) -> Connection:
    row = type(connection)._default_manager.select_for_update().filter(pk=connection.pk).first()
    if row is None:
        raise Refused("not_found", "This connection has been deleted meanwhile.")
    require_version(row, expected_version, "connection")
    return row


def _store(candidate: Candidate, user: User | None, now: datetime) -> Saved:
    _keep_equal_secrets(candidate)
    row, before = candidate.row, candidate.before
    changed = _changes(candidate)
    if before is not None and not changed:
        return Saved(before, created=False, changed=(), advisories=tuple(candidate.advisories))
    for name in row.SECRETS:
        if name in candidate.typed:
            setattr(row, f"{name}_sealed", vault.seal(candidate.typed[name].reveal(), row.id, name))
            setattr(row, f"{name}_changed_at", now)
        elif name in candidate.cleared:
            setattr(row, f"{name}_changed_at", None)
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


def _keep_equal_secrets(candidate: Candidate) -> None:
    """Take a secret that was sent again unchanged as kept, so that the second of two equal writes changes nothing."""
    before = candidate.before
    for name in list(candidate.typed):
        if before is None or not before.secret_is_set(name):
            continue
        try:
            stored = vault.open_(getattr(before, f"{name}_sealed"), before.pk, name)
        except vault.SecretUnreadable:
            continue  # whatever was stored there, what was typed mends it
        if constant_time_compare(stored.reveal(), candidate.typed[name].reveal()):
            del candidate.typed[name]
            setattr(candidate.row, f"{name}_sealed", getattr(before, f"{name}_sealed"))


def _changes(candidate: Candidate) -> list[str]:
    row, before = candidate.row, candidate.before
    names = [*row.definition_fields(), "cluster_id", "steng_id", "credential_id"]
    changed = [name for name in names if before is None or getattr(row, name) != getattr(before, name)]
    changed += sorted(candidate.typed)
    changed += sorted(name for name in candidate.cleared if before is not None and before.secret_is_set(name))
    return [name.removesuffix("_id") for name in changed]
