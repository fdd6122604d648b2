"""The only writer of credentials, and the only place that opens their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils import timezone

from core import audit, definition_services
from core.definition_services import changes, current, first_come, keep_equal_secrets, seal_typed
from core.errors import Refused
from core.models import User
from core.usage import notify, usage
from core.versions import advance
from credentials import candidate as candidates
from credentials import vault
from credentials.candidate import Candidate
from credentials.models import Credential
from credentials.rules import SECRET_OF
from steng.secret import Secret

KIND = "credential"
"""How credentials are called where users of a thing are counted, and in the audit trail."""


class Saved(definition_services.Saved[Credential]):
    """What a write did."""

    __slots__ = ()

    @property
    def credential(self) -> Credential:
        """Return the credential as it is now."""
        return self.row


def save(
    before: Credential | None,
    values: Mapping[str, Any],
    *,
    user: User | None,
    partial: bool = False,
    expected_version: int | None = None,
    now: datetime | None = None,
) -> Saved:
    """Create or change a credential from the values of any door.

    Raises ValidationError with a code per field, Refused `precondition_failed` where `expected_version` is not the
    stored one any more, Refused `in_use` where the kind would change under a user. A write that changes nothing
    writes nothing.
    """
    moment = now or timezone.now()
    with first_come(Credential, values, before), transaction.atomic():
        if before is not None:
            before = current(before, expected_version)
        candidate = candidates.build(values, before, partial=partial)
        _refuse_other_kind(candidate)
        return _store(candidate, user, moment)


def delete(credential: Credential, *, expected_version: int | None = None) -> None:
    """Delete a credential with its secrets; raise Refused `in_use` with its users."""
    try:
        with transaction.atomic():
            row = current(credential, expected_version)
            users = usage(KIND, row)
            if users:
                raise _in_use(row, users)
            _record("deleted", row, before=row)
            row.delete()
    except (ProtectedError, RestrictedError):
        # Somebody began to use it between our look and our act; the database decided.
        raise _in_use(credential, usage(KIND, credential)) from None


def open_secret(credential: Credential, name: str = "") -> Secret:
    """Return the secret of a credential, that of its kind unless another is named.

    Raises vault.SecretUnreadable where it cannot be opened or none is stored, VaultUnavailable without any key.
    """
    field = name or SECRET_OF[credential.kind]
    return vault.open_(getattr(credential, f"{field}_sealed"), credential.pk, field)


def _in_use(row: Credential, users: list[dict[str, Any]]) -> Refused:
    return Refused("in_use", f"The credential “{row.name}” is in use.", used_by=users)


def _refuse_other_kind(candidate: Candidate) -> None:
    """A connection chose the kind with its authentication type; it must not find another one there."""
    before = candidate.before
    if before is None or candidate.row.kind == before.kind:
        return
    users = usage(KIND, before)
    if users:
        raise Refused(
            "in_use", f"The kind cannot change while “{before.name}” is in use: make another credential.", used_by=users
        )


def _store(candidate: Candidate, user: User | None, now: datetime) -> Saved:
    keep_equal_secrets(candidate, vault.opened)
    row, before = candidate.row, candidate.before
    changed = changes(candidate)
    advisories = tuple(candidate.advisories(timezone.localdate(now)))
    if before is not None and not changed:
        return Saved(before, created=False, changed=(), advisories=advisories)
    seal_typed(candidate, vault.seal, now)
    advance(row, changed)
    row.updated, row.updated_by = now, user
    if before is None:
        row.created = now
    row.save(force_insert=before is None)
    _record("created" if before is None else "changed", row, before)
    if before is not None:
        notify(KIND, row, changed)
    return Saved(row, created=before is None, changed=tuple(changed), advisories=advisories)


def _record(act: str, row: Credential, before: Credential | None) -> None:
    """Write the audit trail in the transaction of the change."""
    audit.record(
        f"credential.{act}",
        row,
        before=None if before is None else audit.snapshot(before),
        after=None if act == "deleted" else audit.snapshot(row),
    )
