"""What may stand in a text that people read, and when two names are the same.

Names and descriptions are shown to admins who act on them, so characters that
nobody can see, or that turn the reading direction, are refused rather than cleaned:
what was typed is either stored or answered with the place of the offender.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ZERO_WIDTH = frozenset(
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060\u2061\u2062\u2063\u2064\u3164\ufeff\uffa0"
)
_JOINERS = frozenset("\u200c\u200d")
# Scripts whose spelling needs ZWJ or ZWNJ, by the first word of their characters' Unicode names.
_JOINING_SCRIPTS = frozenset(
    (
        "ARABIC", "BENGALI", "DEVANAGARI", "GUJARATI", "GURMUKHI", "KANNADA", "KHMER", "MALAYALAM", "MONGOLIAN",
        "MYANMAR", "ORIYA", "SINHALA", "SYRIAC", "TAMIL", "TELUGU", "TIBETAN",
    )
)  # fmt: skip
_EMOJI_MODIFIERS = frozenset("\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
_BLACK_FLAG = "\U0001f3f4"


def normalise(text: str) -> str:
    """Return the text in NFC, the form in which names are stored."""
    return unicodedata.normalize("NFC", text)


def unix_lines(text: str) -> str:
    """Return the text with LF line ends; lengths are counted on this form."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def comparison_key(text: str) -> str:
    """Return the key under which two names are the same: NFC and case-folded.

    It is stored beside the name, because databases disagree about the case of
    anything beyond ASCII.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def first_forbidden(text: str, refused: Callable[[str], bool] | None = None) -> tuple[str, int] | None:
    """Return the first character that may not stand in the text and its place (from 0), or None.

    Refused everywhere: control, bidi-override and zero-width characters, lone surrogates,
    line and paragraph separators. ZWJ and ZWNJ are allowed inside emoji and after a letter of a
    script that needs them. `refused` adds the rules of one kind of text.
    """
    for place, character in enumerate(text):
        if _is_hidden(text, place) or (refused is not None and refused(character)):
            return character, place
    return None


def describe(character: str) -> str:
    """Return how to call a character in a message, also one that cannot be seen."""
    name = unicodedata.name(character, "")
    code_point = f"U+{ord(character):04X}"
    if character == " ":
        return "a blank"
    if character.isprintable():
        return f"“{character}”"
    return f"{name.lower()} ({code_point})" if name else code_point


def _is_hidden(text: str, place: int) -> bool:
    character = text[place]
    if character in _JOINERS:
        return not _joiner_is_needed(text, place)
    if "\U000e0020" <= character <= "\U000e007f":
        # Tag characters spell the flags of England, Scotland and Wales, and hide text anywhere else.
        return not (place and (text[place - 1] == _BLACK_FLAG or "\U000e0020" <= text[place - 1] <= "\U000e007e"))
    return (
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        or character in _BIDI_CONTROLS
        or character in _ZERO_WIDTH
        or "\ufff9" <= character <= "\ufffb"
    )


def _joiner_is_needed(text: str, place: int) -> bool:
    if place in (0, len(text) - 1):
        return False
    before = text[place - 1]
    if before in _EMOJI_MODIFIERS or unicodedata.category(before) == "So":
        return text[place] == "\u200d"
    return unicodedata.name(before, "").partition(" ")[0] in _JOINING_SCRIPTS
