"""The keys of the vault: a small file that only its owner may read, the current key first, old ones after it.

    # comment
    <key id> <256-bit key, base64url>

The first key seals; every key opens what it sealed. A key's id is made from the key, so that a line whose two
parts do not belong together is found at once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.files import create_private, replace_private

KEY_BYTES = 32
_HEADER = """\
# Keys of the vault, the current one first.
# Who has this file and the database has every secret: back up both, in different places.
"""
_MAX_FILE = 65_536


class VaultUnavailable(Exception):
    """Say in one sentence why the keys cannot be used."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key, whose bytes no repr shows."""

    id: str
    raw: bytes = field(repr=False)

    @property
    def cipher(self) -> AESGCM:
        """Return the AEAD of this key (AES-256-GCM, NIST SP 800-38D)."""
        return AESGCM(self.raw)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys in order; never empty."""

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        """Return the key that seals."""
        return self.keys[0]

    def find(self, key_id: str) -> Key | None:
        """Return the key of an id, None where it is not on the ring."""
        return next((key for key in self.keys if key.id == key_id), None)


def new_key() -> Key:
    """Make a key of 256 random bits."""
    raw = secrets.token_bytes(KEY_BYTES)
    return Key(_id_of(raw), raw)


def create(path: Path) -> bool:
    """Make the file with one new key; return False where there is a file already, which is left alone."""
    try:
        return create_private(path, _written((new_key(),)))
    except OSError as error:
        raise VaultUnavailable(f"The vault key {path} cannot be made: {error.strerror}.") from None


def write(path: Path, keys: tuple[Key, ...]) -> None:
    """Replace the keys, all at once."""
    try:
        replace_private(path, _written(keys))
    except OSError as error:
        raise VaultUnavailable(f"The vault key {path} cannot be written: {error.strerror}.") from None


_cache: dict[Path, tuple[tuple[int, int, int, int], KeyRing]] = {}


def load(path: Path) -> KeyRing:
    """Return the ring, read again only when the file changed, so that a rotation needs no restart.

    Raises VaultUnavailable where there is no file, others may read it, or it is damaged.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise VaultUnavailable(f"There is no vault key at {path}.") from None
    except OSError as error:
        raise VaultUnavailable(f"The vault key {path} cannot be read: {error.strerror}.") from None
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode) or facts.st_mode & 0o077:
            raise VaultUnavailable(f"The vault key {path} is open to others: set its mode to 0600.")
        version = (facts.st_mtime_ns, facts.st_ino, facts.st_size, facts.st_dev)
        cached = _cache.get(path)
        if cached is not None and cached[0] == version:
            return cached[1]
        ring = _read(file.read(_MAX_FILE), path)
    _cache[path] = (version, ring)
    return ring


def _read(data: bytes, path: Path) -> KeyRing:
    keys = []
    for number, line in enumerate(data.decode("ascii", "replace").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key = _key(line)
        if key is None:
            raise VaultUnavailable(f"The vault key {path} is damaged in line {number}: restore it from a backup.")
        keys.append(key)
    if not keys:
        raise VaultUnavailable(f"The vault key {path} holds no key: restore it from a backup.")
    return KeyRing(tuple(keys))


def _key(line: str) -> Key | None:
    key_id, _, text = line.strip().partition(" ")
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii", "replace"))
    except (binascii.Error, ValueError):
        return None
    return Key(key_id, raw) if len(raw) == KEY_BYTES and _id_of(raw) == key_id else None


def _written(keys: tuple[Key, ...]) -> str:
    return _HEADER + "".join(f"{key.id} {base64.urlsafe_b64encode(key.raw).decode()}\n" for key in keys)


def _id_of(raw: bytes) -> str:
    return hashlib.sha256(b"postern vault key id\0" + raw).hexdigest()[:16]
