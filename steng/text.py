"""Text that strangers wrote, made harmless to show.

A greeting, a certificate's subject or a refusal may hold control characters that move a
terminal's cursor, or bidi overrides that make `moc.live` read as `evil.com`. They are
shown as escapes instead of being removed, so that what a reader sees is what was there.
"""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode general categories that have no honest picture: controls, formats, surrogates, unassigned, separators."""


def visible(text: str, limit: int | None = None) -> str:
    """Return `text` with every invisible character as an escape, cut to `limit` characters with an ellipsis."""
    if limit is not None and len(text) > limit:
        # Cut first: escaping ten megabytes to show two hundred characters would be the peer's choice, not ours.
        return visible(text[:limit]) + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def brief(text: str, limit: int) -> str:
    """Return `text` made visible and no longer than `limit` characters, escapes and ellipsis included."""
    shown = visible(text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:
        # A byte that was not UTF-8, as `surrogateescape` keeps it.
        return f"\\x{number - 0xDC00:02x}"
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
