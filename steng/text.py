"""Text that strangers wrote, made harmless to show.

A greeting, a certificate's subject or a refusal may hold control characters that move a
terminal's cursor, or bidi overrides that make `moc.live` read as `evil.com`. They are
shown as escapes instead of being removed, so that what a reader sees is what was there.
"""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode general categories that have no honest picture: controls, formats, surrogates, unassigned, separators."""


_JOINER = "\u200d"
"""ZERO WIDTH JOINER: between two pictures it makes one of them, such as a family, and hides nothing."""

_PICTURES = frozenset({"So", "Sk", "Mn"})
"""Categories of emoji, their skin tones, and the selector that asks for a picture (U+FE0F)."""


def visible(text: str, limit: int | None = None) -> str:
    """Return `text` with every invisible character as an escape, cut to `limit` characters with an ellipsis."""
    if limit is not None and len(text) > limit:
        # Cut first: escaping ten megabytes to show two hundred characters would be the peer's choice, not ours.
        return visible(text[:limit]) + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if character == _JOINER and _joins(text, place) else _shown(character)
        for place, character in enumerate(text)
    )


def brief(text: str, limit: int) -> str:
    """Return `text` made visible and no longer than `limit` characters, escapes and ellipsis included."""
    shown = visible(text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _joins(text: str, place: int) -> bool:
    before, after = text[max(place - 1, 0) : place], text[place + 1 : place + 2]
    if not before or not after:
        return False
    return unicodedata.category(before) in _PICTURES and unicodedata.category(after) == "So"


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
