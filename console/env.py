"""What the environment sets: read once, checked, with a sentence for each value that cannot be used.

| variable | default | meaning |
|---|---|---|
| `POSTERN_PORT` | 8000 | TCP port of the web server |
| `POSTERN_BIND` | 127.0.0.1 | address that the web server listens on |
| `POSTERN_DATA` | var/ | folder of the database, the keys and the logs |
| `POSTERN_HOSTS` | | further host names under which browsers reach the console, separated by commas |
| `POSTERN_BEHIND_TLS` | no | a proxy speaks TLS to the browsers and sets X-Forwarded-Proto |
| `POSTERN_ALLOW_LOOPBACK` | as bound | may tests reach loopback; by default yes while we listen on loopback only |
| `POSTERN_PER_TARGET` | 10 | connections that tests hold to one host and port at a time |
| `POSTERN_ADMIN_PASSWORD` | | password of the first administrator; read by the set-up alone, never kept |
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.files import create_private

BASE = Path(__file__).resolve().parent.parent

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"", "0", "false", "no", "off"})


class SettingsError(Exception):
    """Say in one sentence which setting cannot be used and why."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings of this process as the environment gives them."""

    port: int
    bind: str
    data: Path
    hosts: tuple[str, ...]
    behind_tls: bool
    allow_loopback: bool
    per_target: int

    @property
    def allowed_hosts(self) -> list[str]:
        """Return the host names that a request may carry: loopback, the bound address, and those named."""
        names = {"localhost", "127.0.0.1", "[::1]", *self.hosts}
        address = ipaddress.ip_address(self.bind)
        if address.is_unspecified:
            # Every address of this machine answers, so it may be called by the name it gives itself.
            names.add(socket.gethostname().lower())
        else:
            names.add(f"[{self.bind}]" if address.version == 6 else self.bind)
        return sorted(names)


def read(environ: Mapping[str, str] = os.environ) -> Environment:
    """Return the settings; raise SettingsError for a value that cannot be used."""
    bind = _address(environ.get("POSTERN_BIND", "") or "127.0.0.1")
    loopback = environ.get("POSTERN_ALLOW_LOOPBACK", "")
    return Environment(
        port=_port(environ.get("POSTERN_PORT", "") or "8000"),
        bind=bind,
        data=_folder(environ.get("POSTERN_DATA", "") or "var"),
        hosts=tuple(name.strip().lower() for name in environ.get("POSTERN_HOSTS", "").split(",") if name.strip()),
        behind_tls=_flag("POSTERN_BEHIND_TLS", environ.get("POSTERN_BEHIND_TLS", "")),
        allow_loopback=(
            _flag("POSTERN_ALLOW_LOOPBACK", loopback) if loopback else ipaddress.ip_address(bind).is_loopback
        ),
        per_target=_per_target(environ.get("POSTERN_PER_TARGET", "") or "10"),
    )


def secret_key(data: Path) -> str:
    """Return the key that signs sessions, made at first use in `data/secret_key` (mode 0600).

    Raises SettingsError where the folder cannot be written.
    """
    path = data / "secret_key"
    try:
        if not path.exists():
            create_private(path, secrets.token_urlsafe(64) + "\n")
        key = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsError(f"The secret key in {path} cannot be read or made: {error.strerror}.") from None
    if len(key) < 50:
        raise SettingsError(f"The secret key in {path} is damaged: remove the file, and everybody logs in anew.")
    return key


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65_535:
        raise SettingsError(f"POSTERN_PORT is {text!r}: a whole number from 1 to 65535 is needed.")
    return int(text)


def _per_target(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise SettingsError(f"POSTERN_PER_TARGET is {text!r}: a whole number from 1 to 10000 is needed.")
    return int(text)


def _address(text: str) -> str:
    if text == "localhost":
        return "127.0.0.1"
    try:
        return ipaddress.ip_address(text.strip("[]")).compressed
    except ValueError:
        raise SettingsError(f"POSTERN_BIND is {text!r}: an IP address of this machine is needed.") from None


def _folder(text: str) -> Path:
    path = Path(text).expanduser()
    return path if path.is_absolute() else BASE / path


def _flag(name: str, text: str) -> bool:
    if text.strip().lower() in _YES:
        return True
    if text.strip().lower() in _NO:
        return False
    raise SettingsError(f"{name} is {text!r}: 1 or 0 is needed.")
