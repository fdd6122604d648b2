"""What a word of another system means here: one row of a mapping table, and how its value is read.

A `Word` is a label of a form of theirs. It carries values of ours, or it is left behind with a sentence that says
why. Labels are compared without case, the asterisk of mandatory fields and surplus blanks. Values are read from text
as well as from typed YAML and JSON; what they make is judged by the rules of the fields, like anything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.errors import invalid

ABSENT: Any = object()
"""The default of a word whose system says nothing about an absent value."""

_ORNAMENT = re.compile(r"\(new\)|\*|:\s*\Z")
_BRACKET = re.compile(r"\A(?P<words>[^\[\]]*?)\s*\[(?P<value>[^\[\]]*)\]\Z")


class Fate(StrEnum):
    """What becomes of a word."""

    CARRIED = "carried"
    NOTED = "noted"
    """Carried, with something to know about it."""
    IGNORED = "ignored"
    """Left out on purpose: it has no meaning, there or here."""
    NOT_CARRIED = "not_carried"
    """It means something there that cannot be said here."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is said about a word of one row."""

    label: str
    fate: Fate
    detail: str


@dataclass(frozen=True, slots=True)
class Word:
    """One label of a system. `fields` are ours, empty where nothing is carried; `meaning` is for people."""

    label: str
    fields: tuple[str, ...] = ()
    read: Callable[[Any], Any] = field(default=lambda value: value)
    meaning: str = ""
    fate: Fate = Fate.CARRIED
    default: Any = ABSENT
    aliases: tuple[str, ...] = ()
    section: str = ""
    keys: frozenset[str] = field(init=False, repr=False, compare=False)
    """The forms under which the label is recognised; inside its section the label alone will do."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", frozenset(comparable(text) for text in (self.label, *self.aliases)))


def comparable(label: str) -> str:
    """Return a label in the form in which labels are compared."""
    return " ".join(_ORNAMENT.sub(" ", label).casefold().split())


def text(label: str, name: str, meaning: str = "", **more: Any) -> Word:
    """Carry a text as it is."""
    return Word(label, (name,), _one(name, _text), meaning, **more)


def number(label: str, name: str, meaning: str = "", *, factor: int = 1, **more: Any) -> Word:
    """Carry a whole number, times `factor`."""

    def read(value: Any) -> Any:
        found = _number(value)
        return found * factor if isinstance(found, int) and not isinstance(found, bool) else found

    return Word(label, (name,), _one(name, read), meaning, **more)


def choice(label: str, name: str, spellings: Mapping[str, Any], meaning: str = "", **more: Any) -> Word:
    """Carry one of their values as the one of ours beside it; `Yes [smtps]` is also known as `Yes` and `smtps`."""
    known = {form: ours for theirs, ours in spellings.items() for form in _forms(theirs)}
    listed = ", ".join(spellings)

    def read(value: Any) -> Any:
        plain = comparable(value) if isinstance(value, str) else value
        if isinstance(plain, bool) or plain in ("true", "false"):
            found = _switch(known, yes=plain in (True, "true"))
        else:
            found = known.get(str(plain), ABSENT)
        if found is ABSENT:
            raise invalid("invalid_choice", f"“{str(value)[:80]}” is not one of: {listed}.", allowed=list(spellings))
        return found

    meaning = meaning or "; ".join(f"{theirs} = `{_shown(ours)}`" for theirs, ours in spellings.items())
    return Word(label, (name,), _one(name, read), meaning, **more)


def switch(label: str, name: str, *, yes: str = "Yes", no: str = "No", **more: Any) -> Word:
    """Carry a switch as true or false."""
    return choice(label, name, {yes: True, no: False}, **more)


def selection(label: str, mode: str, names: str, meaning: str = "", **more: Any) -> Word:
    """Carry `ALL` or a list of specific values as a mode and a list."""
    specific = "only specific values"

    def read(value: Any) -> Mapping[str, Any]:
        if isinstance(value, Mapping) and len(value) == 1:
            ((title, value),) = value.items()
            if comparable(str(title)) != specific:
                raise invalid("invalid_choice", "Expected ALL or ONLY SPECIFIC VALUES.")
            value = [] if value is None else value
        if isinstance(value, str):
            plain = re.sub(rf"\A\s*{specific}\s*:?", "", value, flags=re.IGNORECASE)
            if comparable(plain) == "all":
                return {mode: "ALL", names: []}
            value = [item for item in re.split(r"[,;\s]+", plain) if item]
        if value == ["ALL"]:
            return {mode: "ALL", names: []}
        return {mode: "SPECIFIC", names: value}

    return Word(label, (mode, names), read, meaning, **more)


def ignored(label: str, sentence: str, **more: Any) -> Word:
    """Leave a word behind that has no meaning."""
    return Word(label, meaning=sentence, fate=Fate.IGNORED, **more)


def not_carried(label: str, sentence: str, **more: Any) -> Word:
    """Leave a word behind that cannot be said here."""
    return Word(label, meaning=sentence, fate=Fate.NOT_CARRIED, **more)


def _one(name: str, read: Callable[[Any], Any]) -> Callable[[Any], Mapping[str, Any]]:
    def carry(value: Any) -> Mapping[str, Any]:
        return {name: read(value)}

    return carry


def _text(value: Any) -> Any:
    # A name or a password of digits, which YAML without quotation marks reads as a number: what was written is not
    # known any more (1e3, 1.0), so it is not guessed; the field answers with `invalid_type`.
    return value


def _number(value: Any) -> Any:
    if isinstance(value, str):
        plain = value.strip()
        return int(plain) if re.fullmatch(r"-?[0-9]{1,18}", plain) else (value if plain else None)
    return value


def _switch(known: Mapping[str, Any], *, yes: bool) -> Any:
    for word in ("yes", "true", "enabled") if yes else ("no", "false", "disabled"):
        if word in known:
            return known[word]
    return ABSENT


def _forms(theirs: str) -> Iterable[str]:
    yield comparable(theirs)
    found = _BRACKET.match(theirs)
    if found is not None:
        yield comparable(found["words"])
        yield comparable(found["value"])


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
