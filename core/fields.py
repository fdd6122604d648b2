"""Model fields that never guess: a value is of its type and within its limits, or an error with our code.

Django's own fields turn `True` and `25.9` into a port and skip empty values before anybody asked;
every door feeds these fields instead. JSON hands over typed values (`to_python` accepts nothing else),
forms and the command line hand over text, which `from_text` converts strictly first.
Codes: `required`, `invalid_type`, `invalid_choice`, `too_long`, `too_short`, `out_of_range`, `forbidden_character`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.core import validators
from django.core.exceptions import ValidationError
from django.db import models

from core.errors import invalid
from core.text import comparison_key, describe, first_forbidden, normalise, unix_lines

_INTEGER = re.compile(r"-?[0-9]{1,18}\Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_YES = frozenset({"true", "on", "yes", "1"})
_NO = frozenset({"false", "off", "no", "0", ""})


class _Strict(models.Field):  # type: ignore[type-arg]
    """What all strict fields share: nothing is skipped, and `required` is our own code."""

    # Django skips the checks of a blank field whose value is in this list; we check every value.
    empty_values: Any = ()

    def is_empty(self, value: Any) -> bool:
        """Tell whether a value counts as absent."""
        return value is None or value in ("", [])

    def validate(self, value: Any, model_instance: models.Model | None) -> None:  # noqa: ARG002
        """Refuse an absent value of a mandatory field, and a value outside the enumeration."""
        if self.is_empty(value) and not self.blank:
            raise invalid("required", "This field is mandatory.")

    def run_validators(self, value: Any) -> None:
        """Run the field's own validators on a value that is there."""
        if self.is_empty(value):
            return
        errors: list[ValidationError] = []
        for check in self.validators:
            if isinstance(check, validators.BaseValidator):
                continue  # Django's own length and range checks: `check_limits` gives our codes instead
            try:
                check(value)
            except ValidationError as error:
                errors.extend(error.error_list)
        if errors:
            raise ValidationError(errors)

    def from_text(self, text: str) -> Any:
        """Return the typed value of what a person typed; raise ValidationError `invalid_type`."""
        return text


class StrictCharField(_Strict, models.CharField):  # type: ignore[type-arg]
    """A text of limited length in code points; no conversion, no stripping."""

    def to_python(self, value: Any) -> str | None:
        """Return the text; null means empty."""
        if value is None:
            return None if self.null else ""
        if not isinstance(value, str):
            raise invalid("invalid_type", "Expected a text.")
        return value

    def run_validators(self, value: Any) -> None:
        """Check length and hidden characters, then the field's own validators."""
        if self.is_empty(value):
            return
        check_length(value, self.max_length)
        check_characters(value)
        super().run_validators(value)


class StrictTextField(_Strict, models.TextField):  # type: ignore[type-arg]
    """A text of several lines with a limit; CRLF becomes LF before it is counted."""

    def to_python(self, value: Any) -> str | None:
        """Return the text with LF line ends; null means empty."""
        if value is None:
            return None if self.null else ""
        if not isinstance(value, str):
            raise invalid("invalid_type", "Expected a text.")
        return unix_lines(value)

    def run_validators(self, value: Any) -> None:
        """Check length and hidden characters, then the field's own validators."""
        if self.is_empty(value):
            return
        check_length(value, self.max_length)
        check_characters(re.sub(r"[\n\t]", " ", value))
        super().run_validators(value)


class NameField(StrictCharField):
    """The name of a thing: 1 to 128 characters, no blanks, none of ' " |, stored in NFC."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 128)
        kwargs.setdefault("help_text", "Up to 128 characters. No blanks and none of ' \" |")
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> str | None:
        """Return the name in NFC."""
        text = super().to_python(value)
        return normalise(text) if text else text

    def run_validators(self, value: Any) -> None:
        """Refuse blanks of any kind and the three characters, with their place."""
        super().run_validators(value)
        if not self.is_empty(value):
            check_characters(value, refused=lambda character: character.isspace() or character in "'\"|")


class StrictChoiceField(StrictCharField):
    """One value of an enumeration, exactly as written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 40)
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> str | None:
        """Return the value as it is, the default for an absent one."""
        text = super().to_python(value)
        return self.get_default() if not text and self.has_default() else text

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        """Refuse a value outside the enumeration; case matters."""
        super().validate(value, model_instance)
        allowed = [str(choice) for choice, _ in self.flatchoices]
        if not self.is_empty(value) and value not in allowed:
            raise invalid("invalid_choice", f"Choose one of {', '.join(allowed)}.", allowed=allowed)

    def run_validators(self, value: Any) -> None:
        """Do nothing: a member of the enumeration needs no further check."""


class StrictIntegerField(_Strict, models.IntegerField):  # type: ignore[type-arg]
    """A whole number between `minimum` and `maximum`."""

    def __init__(self, *args: Any, minimum: int = 0, maximum: int = 2**31 - 1, **kwargs: Any) -> None:
        self.minimum = minimum
        self.maximum = maximum
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> int | None:
        """Return the number, the default for what is empty; a boolean or a text that looks like a number is none."""
        if value is None or value == "":
            return self.get_default() if self.has_default() else None
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid("invalid_type", "Expected a whole number.")
        return value

    def from_text(self, text: str) -> int | None:
        """Return the number that the text spells, None for an empty one."""
        if text == "":
            return None
        if not _INTEGER.match(text):
            raise invalid("invalid_type", f"“{text[:40]}” is not a whole number.")
        return int(text)

    def run_validators(self, value: Any) -> None:
        """Check the range, then the field's own validators."""
        if not self.is_empty(value) and not self.minimum <= value <= self.maximum:
            limit = self.minimum if value < self.minimum else self.maximum
            raise invalid(
                "out_of_range", f"Must be between {self.minimum:,} and {self.maximum:,}.", limit=limit, value=value
            )
        super().run_validators(value)


class StrictBooleanField(_Strict, models.BooleanField):  # type: ignore[type-arg]
    """Yes or no."""

    def to_python(self, value: Any) -> bool:
        """Return the boolean; null means the default."""
        if value is None:
            return bool(self.default)
        if not isinstance(value, bool):
            raise invalid("invalid_type", "Expected true or false.")
        return value

    def from_text(self, text: str) -> bool:
        """Return the boolean that a check box or a command line spells."""
        if text.lower() in _YES:
            return True
        if text.lower() in _NO:
            return False
        raise invalid("invalid_type", "Expected true or false.")


class StrictDateField(_Strict, models.DateField):  # type: ignore[type-arg]
    """A day of the calendar, written as in RFC 3339: 2027-01-31."""

    def to_python(self, value: Any) -> date | None:
        """Return the day; null means none, and a time is not a day."""
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        if isinstance(value, str) and _DAY.match(value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                raise invalid("invalid_type", f"There is no day {value}.") from None
        raise invalid("invalid_type", "Expected a day such as 2027-01-31.")

    def from_text(self, text: str) -> date | None:
        """Return the day that the text spells, None for an empty one."""
        return None if text == "" else self.to_python(text)


class NameListField(_Strict, models.TextField):  # type: ignore[type-arg]
    """A list of names without doubles, in the order given; `known` closes it to an enumeration.

    It is stored one name a line, with a line end before and after each, so that
    `contains="\\nname\\n"` finds a member on every database.
    """

    max_items = 250

    def __init__(
        self, *args: Any, known: Iterable[str] | None = None, refused: Iterable[str] = (), **kwargs: Any
    ) -> None:
        self.known = None if known is None else tuple(known)
        self.refused = frozenset(refused)
        kwargs.setdefault("default", list)
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, *_: Any) -> list[str]:
        """Return the list of a stored value."""
        return [] if not value else value.strip("\n").split("\n")

    def get_prep_value(self, value: Any) -> Any:
        """Return what is stored; a text passes as it is, so that look-ups can search in it."""
        if isinstance(value, str) or value is None:
            return value or ""
        return "\n" + "\n".join(value) + "\n" if value else ""

    def to_python(self, value: Any) -> list[str]:
        """Return the list without doubles."""
        if value is None:
            return []
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise invalid("invalid_type", "Expected a list of texts.")
        if not all(isinstance(item, str) for item in value):
            raise invalid("invalid_type", "Expected a list of texts.")
        return list({self._key(item): normalise(item) for item in reversed(value)}.values())[::-1]

    def _key(self, item: str) -> str:
        return item if self.known is not None else comparison_key(item)

    def from_text(self, text: str) -> list[str]:
        """Return the names of a text that separates them by commas, blanks or lines."""
        return [item for item in re.split(r"[,\s]+", text) if item]

    def run_validators(self, value: Any) -> None:
        """Check each member: known and acceptable, or a name by the rules of names."""
        if len(value) > self.max_items:
            raise invalid("too_long", f"At most {self.max_items} entries.", limit=self.max_items, value=len(value))
        for item in value:
            self._check_item(item)

    def _check_item(self, item: str) -> None:
        if self.known is None:
            if not item:
                raise invalid("required", "A name in the list is empty.")
            check_length(item, 128)
            check_characters(item, refused=lambda character: character.isspace() or character in "'\"|,")
        elif item in self.refused:
            raise invalid("not_acceptable", f"{item} protects nothing and is never allowed.", value=item)
        elif item not in self.known:
            raise invalid("invalid_choice", f"“{item[:80]}” is not known here.", value=item[:80])


def check_length(text: str, limit: int | None, minimum: int = 0) -> None:
    """Raise `too_long` or `too_short`; lengths count code points."""
    if limit is not None and len(text) > limit:
        raise invalid(
            "too_long", f"At most {limit:,} characters; these are {len(text):,}.", limit=limit, value=len(text)
        )
    if len(text) < minimum:
        raise invalid("too_short", f"At least {minimum} characters.", limit=minimum, value=len(text))


def check_characters(text: str, refused: Any = None) -> None:
    """Raise `forbidden_character` with the character and its place (from 1, as people count)."""
    found = first_forbidden(text, refused)
    if found is not None:
        character, place = found
        raise invalid(
            "forbidden_character",
            f"Character {place + 1}, {describe(character)}, is not allowed here.",
            character=character.encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
            position=place + 1,
        )
