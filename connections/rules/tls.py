"""What a definition allows in TLS, read from its modes and lists."""

from __future__ import annotations

from connections.choices import Selection
from core.rules import Values


def chosen_protocols(values: Values) -> tuple[str, ...] | None:
    """Return the selected protocol versions, None for ALL."""
    return tuple(values.get("ssl_protocols") or ()) if values.get("ssl_protocol_mode") == Selection.SPECIFIC else None


def chosen_suites(values: Values) -> tuple[str, ...] | None:
    """Return the selected cipher suites, None for ALL."""
    return tuple(values.get("cipher_suites") or ()) if values.get("cipher_suite_mode") == Selection.SPECIFIC else None
