"""The words that somebody searches for."""

from __future__ import annotations

from core.errors import invalid

_MAX_WORDS = 10
_MAX_CHARACTERS = 300


def words_of(text: str) -> list[str]:
    """Return the words of a search; raise ValidationError `too_long`.

    Each word is a comparison with every row: a thousand of them would keep the database busy for a minute.
    """
    words = text.split()
    if len(words) > _MAX_WORDS or len(text) > _MAX_CHARACTERS:
        raise invalid("too_long", f"At most {_MAX_WORDS} words.", limit=_MAX_WORDS)
    return words
