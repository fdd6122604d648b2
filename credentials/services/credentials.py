"""The only writer of credentials, and the only place that opens their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from core import audit, definition_services
from core.errors import Refused
from core.models import User
from core.text import comparison_key
from core.usage import notify, usage
from core.versions import advance, require_version
from credentials import candidate as candidates
from credentials import vault
from credentials.candidate import Candidate
from credentials.models import SECRETS, Credential, name_taken
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
    try:
        with transaction.atomic():
            if before is not None:
                before = _current(before, expected_version)
            candidate = candidates.build(values, before, partial=partial)
            _refuse_other_kind(candidate)
            return _store(candidate, user, moment)
    except IntegrityError:
        # The name was taken between our look and our write; the constraint decided, and the loser is told the same.
        other = Credential.objects.filter(name_key=_key_of(values, before)).values_list("pk", flat=True).first()
        if other is None:
            raise
        raise ValidationError({"name": [name_taken(other)]}) from None


def delete(credential: Credential, *, expected_version: int | None = None) -> None:
    """Delete a credential with its secrets; raise Refused `in_use` with its users."""
    try:
        with transaction.atomic():
            row = _current(credential, expected_version)
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


def _key_of(values: Mapping[str, Any], before: Credential | None) -> str:
    name = values.get("name", before.name if before is not None else "")
    return comparison_key(name) if isinstance(name, str) else ""


def _current(credential: Credential, expected_version: int | None) -> Credential:
    row = Credential.objects.select_for_update().filter(pk=credential.pk).first()
    if row is None:
        raise Refused("not_found", "This credential has been deleted meanwhile.")
    require_version(row, expected_version, "credential")
    return row


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
    _keep_equal_secrets(candidate)
    row, before = candidate.row, candidate.before
    changed = _changes(candidate)
    advisories = tuple(candidate.advisories(timezone.localdate(now)))
    if before is not None and not changed:
        return Saved(before, created=False, changed=(), advisories=advisories)
    for name in SECRETS:
        if name in candidate.typed:
            setattr(row, f"{name}_sealed", vault.seal(candidate.typed[name].reveal(), row.id, name))
            setattr(row, f"{name}_changed_at", now)
        elif name in candidate.cleared:
            setattr(row, f"{name}_changed_at", None)
    advance(row, changed)
    row.updated, row.updated_by = now, user
    if before is None:
        row.created = now
    row.save(force_insert=before is None)
    _record("created" if before is None else "changed", row, before)
    if before is not None:
        notify(KIND, row, changed)
    return Saved(row, created=before is None, changed=tuple(changed), advisories=advisories)


def _keep_equal_secrets(candidate: Candidate) -> None:
    """Take a secret that was sent again unchanged as kept, so that the second of two equal writes changes nothing."""
    before = candidate.before
    for name in list(candidate.typed):
        if before is None or not before.secret_is_set(name):
            continue
        try:
            stored = open_secret(before, name)
        except vault.SecretUnreadable:
            continue  # whatever was stored there, what was typed mends it
        if constant_time_compare(stored.reveal(), candidate.typed[name].reveal()):
            del candidate.typed[name]
            setattr(candidate.row, f"{name}_sealed", getattr(before, f"{name}_sealed"))


def _changes(candidate: Candidate) -> list[str]:
    row, before = candidate.row, candidate.before
    names = Credential.definition_fields()
    changed = [name for name in names if before is None or getattr(row, name) != getattr(before, name)]
    changed += sorted(candidate.typed)
    changed += sorted(name for name in candidate.cleared if before is not None and before.secret_is_set(name))
    return changed


def _record(act: str, row: Credential, before: Credential | None) -> None:
    """Write the audit trail in the transaction of the change."""
    audit.record(
        f"credential.{act}",
        row,
        before=None if before is None else audit.snapshot(before),
        after=None if act == "deleted" else audit.snapshot(row),
    )
