"""The set-up, the check and the rotation of the vault."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import models, transaction

from core import audit
from credentials import key_ring, vault
from credentials.key_ring import VaultUnavailable
from credentials.models import VaultCheck
from credentials.vault import SealedColumn, SecretUnreadable

_RECORD, _FIELD, _TEXT = "vault-check", "sealed", "postern"
_BATCH = 200
VAULT = audit.Thing("vault", "", "vault")


class VaultMismatch(Exception):
    """Say in one sentence that the database was sealed with another key than the one we have."""


@dataclass(slots=True)
class Resealed:
    """What a rotation did: rows sealed anew, and rows that no key opens."""

    done: int = 0
    unreadable: int = 0


def prepare_vault() -> None:
    """Make key and check of a new database; for an old one only check.

    A database that has a check and no key file gets no new key: what it holds could not be opened with it, and
    what were sealed from then on could not be opened with the old key when that is found again.
    Raises VaultMismatch, VaultUnavailable.
    """
    if VaultCheck.objects.exists():
        check_vault()
        return
    key_ring.create(settings.POSTERN_VAULT_KEY_FILE)
    check = VaultCheck(sealed=vault.seal(_TEXT, _RECORD, _FIELD))
    check.full_clean()
    with transaction.atomic():
        check.save(force_insert=True)
        audit.record("vault.prepared", VAULT)


def check_vault() -> None:
    """Raise VaultMismatch where this database was sealed with another key, VaultUnavailable where there is none."""
    path = settings.POSTERN_VAULT_KEY_FILE
    check = VaultCheck.objects.first()
    if check is None:
        raise VaultUnavailable("The vault was not set up: run `manage.py vault check`.")
    if not path.exists():
        raise VaultMismatch(
            f"This database holds sealed secrets, but its key {path} is missing: restore it from a backup."
        )
    try:
        vault.open_(check.sealed, _RECORD, _FIELD)
    except SecretUnreadable:
        sentence = f"This database was sealed with another key than {path}: restore the key that belongs to it."
        raise VaultMismatch(sentence) from None


def rotate() -> Resealed:
    """Put a new key first and seal everything anew with it; the old keys stay on the ring.

    Running processes notice the new file at their next sealing.
    """
    with _alone():
        check_vault()
        keys = vault.ring().keys
        with transaction.atomic():
            # First the event: a key must not change where that cannot be recorded.
            audit.record("vault.rotated", VAULT, keys=len(keys) + 1)
            key_ring.write(settings.POSTERN_VAULT_KEY_FILE, (key_ring.new_key(), *keys))
        return _reseal()


def prune() -> int:
    """Take the old keys off the ring that sealed nothing of what is stored now; return how many."""
    with _alone(), transaction.atomic():
        # Within a transaction nobody else writes, so no row can come to need a key between the look and the act.
        check_vault()
        ring = vault.ring()
        used = {vault.key_id_of(sealed) for column in _columns() for _, sealed in _rows(column)}
        kept = tuple(key for key in ring.keys if key == ring.current or key.id in used)
        if len(kept) < len(ring.keys):
            audit.record("vault.pruned", VAULT, removed=len(ring.keys) - len(kept), keys=len(kept))
            key_ring.write(settings.POSTERN_VAULT_KEY_FILE, kept)
        return len(ring.keys) - len(kept)


def _columns() -> Iterator[SealedColumn]:
    yield from vault.sealed_columns()


def _reseal() -> Resealed:
    result = Resealed()
    check = VaultCheck.objects.get()
    check.sealed = vault.seal(vault.open_(check.sealed, _RECORD, _FIELD).reveal(), _RECORD, _FIELD)
    check.save()
    current = vault.ring().current.id
    for column in _columns():
        batch: list[tuple[models.Model, str]] = []
        for row in _rows(column):
            if vault.key_id_of(row[1]) == current:
                continue
            batch.append(row)
            if len(batch) == _BATCH:
                _reseal_batch(column, batch, result)
                batch = []
        _reseal_batch(column, batch, result)
    return result


def _rows(column: SealedColumn) -> Iterator[tuple[models.Model, str]]:
    rows = column.model._default_manager.exclude(**{column.column: ""}).exclude(**{f"{column.column}__isnull": True})
    for row in rows.order_by("pk").iterator(_BATCH):
        yield row, getattr(row, column.column)


def _reseal_batch(column: SealedColumn, batch: list[tuple[models.Model, str]], result: Resealed) -> None:
    with transaction.atomic():
        for row, sealed in batch:
            record = getattr(row, column.record)
            try:
                text = vault.open_(sealed, record, column.field).reveal()
            except SecretUnreadable:
                result.unreadable += 1
                continue
            # Whoever wrote the row since we read it sealed with the new key: then this changes nothing.
            changed = column.model._default_manager.filter(pk=row.pk, **{column.column: sealed}).update(
                **{column.column: vault.seal(text, record, column.field)}
            )
            result.done += changed


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock beside the key file: of two rotations at once, the second would lose the first one's key."""
    path = settings.POSTERN_VAULT_KEY_FILE
    try:
        descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise VaultUnavailable(f"The folder of the vault key {path} cannot be used: {error.strerror}.") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
