"""Seal what must not be read in the database, and open it for use.

A sealed text is `v1.<key id>.<base64url of nonce, ciphertext and tag>`: AES-256-GCM with a random 96-bit nonce
(NIST SP 800-38D, section 8.2.2: good for 2^32 sealings by one key). Record, field, version and key id are
authenticated with it, so a sealed text that was moved to another row or field, or changed in one bit, does not open.
Nothing here ever returns anything but the very text that was sealed, or raises.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.db import models

from credentials import key_ring
from credentials.key_ring import KeyRing, VaultUnavailable
from steng.secret import Secret

__all__ = [
    "SealedColumn",
    "SecretUnreadable",
    "VaultUnavailable",
    "open_",
    "opened",
    "register_sealed",
    "seal",
    "sealed_columns",
]

VERSION = "v1"
_NONCE_BYTES = 12


class SecretUnreadable(Exception):
    """A sealed text does not open: it was changed, moved, or its key is not on the ring."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """Where sealed texts stand: `column` of `model`, sealed for the record `record` (an attribute) and `field`."""

    model: type[models.Model]
    column: str
    field: str
    record: str = "pk"


_columns: dict[tuple[type[models.Model], str], SealedColumn] = {}


def register_sealed(model: type[models.Model], column: str, field: str, record: str = "pk") -> None:
    """Let the rotation of keys reseal a column; call it in the owner's `AppConfig.ready`."""
    _columns[model, column] = SealedColumn(model, column, field, record)


def sealed_columns() -> Iterator[SealedColumn]:
    """Return all columns that hold sealed texts."""
    yield from _columns.values()


def ring() -> KeyRing:
    """Return the keys; raise VaultUnavailable."""
    return key_ring.load(settings.POSTERN_VAULT_KEY_FILE)


def seal(text: str, record: UUID | str | int, field: str) -> str:
    """Return `text` sealed for one field of one record; raise VaultUnavailable."""
    key = ring().current
    nonce = secrets.token_bytes(_NONCE_BYTES)
    # "surrogatepass" on both sides: what comes in goes out, and no error can carry the text along.
    box = key.cipher.encrypt(nonce, text.encode("utf-8", "surrogatepass"), _bound(key.id, record, field))
    return f"{VERSION}.{key.id}.{_encode(nonce + box)}"


def open_(sealed: str, record: UUID | str | int, field: str) -> Secret:
    """Return the text that was sealed for this field of this record.

    Raises SecretUnreadable for a text that does not open, VaultUnavailable where there are no keys at all.
    """
    version, _, rest = sealed.partition(".")
    key_id, _, encoded = rest.partition(".")
    key = ring().find(key_id)
    if version != VERSION or key is None:
        raise SecretUnreadable("The key that sealed this is not on the ring of the vault.")
    data = _decode(encoded)
    try:
        text = key.cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _bound(key.id, record, field))
    except (InvalidTag, ValueError):
        raise SecretUnreadable("This was changed, or sealed for another place.") from None
    return Secret(text.decode("utf-8", "surrogatepass"))


def opened(sealed: str, record: UUID | str | int, field: str) -> Secret | None:
    """Return what `open_` returns, None for a text that does not open."""
    try:
        return open_(sealed, record, field)
    except SecretUnreadable:
        return None


def key_id_of(sealed: str) -> str:
    """Return the id of the key that sealed a text, "" where it is none of ours."""
    parts = sealed.split(".")
    return parts[1] if len(parts) == 3 and parts[0] == VERSION else ""


def _bound(key_id: str, record: UUID | str | int, field: str) -> bytes:
    """Return the associated data, each part behind its length: ("ab", "c") must not equal ("a", "bc")."""
    parts = [part.encode() for part in ("postern", VERSION, key_id, str(record), field)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise SecretUnreadable("This was changed, or sealed for another place.") from None
    if _encode(data) != text:
        # The decoder skips what it does not know, and the last character has bits to spare: one text, one spelling.
        raise SecretUnreadable("This was changed, or sealed for another place.")
    return data
