"""A definition on its way in: raw values of any door become a checked, unsaved row.

A door hands over values by name as JSON would carry them. What is absent keeps its value where only a part is
changed, else takes its default. Secrets are a text (set), null (clear), or absent, or the object that a read
gave (keep).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from core.definition_models import Definition
from core.errors import invalid
from core.rules import Problem, Values, advice
from core.secret_values import Wish, wish

Row = TypeVar("Row", bound=Definition)

Errors = dict[str, list[ValidationError]]


@dataclass(slots=True)
class Candidate(Generic[Row]):
    """A checked definition that is not saved yet.

    `typed` holds the secrets that came with this write, `cleared` those to remove; every other stored
    secret of `row` stays sealed as it is.
    """

    row: Row
    before: Row | None
    ignored: list[Problem] = field(default_factory=list)
    typed: dict[str, Any] = field(default_factory=dict)
    cleared: set[str] = field(default_factory=set)

    def clear(self, name: str) -> None:
        """Let a secret be removed."""
        self.cleared.add(name)
        setattr(self.row, f"{name}_sealed", "")


def plain_field(row: Definition | type[Definition], name: str) -> models.Field[Any, Any]:
    """Return a field of the model."""
    found = row._meta.get_field(name)
    assert isinstance(found, models.Field)
    return found


def assign(row: Definition, values: Mapping[str, Any], errors: Errors, *, partial: bool) -> None:
    """Give the plain fields their values; one that cannot be read is an error, and takes its default."""
    for name in row.definition_fields():
        model_field = plain_field(row, name)
        if name not in values:
            if not partial:
                setattr(row, name, model_field.get_default())
            continue
        try:
            setattr(row, name, model_field.to_python(values[name]))
        except ValidationError as error:
            errors[name] = error.error_list
            setattr(row, name, model_field.get_default())


def take_secrets(
    candidate: Candidate[Row], values: Mapping[str, Any], errors: Errors, wrap: Callable[[str], Any]
) -> None:
    """Take what a write says of each secret; `wrap` hides a text that was typed."""
    for name, limit in candidate.row.SECRETS.items():
        try:
            wanted = wish(values, name, limit)
        except ValidationError as error:
            errors[name] = error.error_list
            continue
        if wanted is Wish.CLEAR:
            candidate.clear(name)
        elif wanted is Wish.SET:
            candidate.typed[name] = wrap(values[name])
            # A mark that the secret will be there: the row is sealed when it is saved.
            setattr(candidate.row, f"{name}_sealed", "typed")


@dataclass(frozen=True, slots=True)
class Guard:
    """Which changes a stored secret must not follow, and what people are told about them.

    `redirected` returns the fields by which a secret would be used otherwise, `applies` tells whether a field is to
    be seen, `called` has what people call a field that they do not see.
    """

    redirected: Callable[[str, Values, Values], list[str]]
    applies: Callable[[str, Values], bool]
    danger: str
    removed: str
    called: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def watch(self, candidate: Candidate[Row], before: Row, errors: Errors, passed_over: Collection[str]) -> None:
        """Ask for a stored secret again where a change, but of what is passed over, would lead it elsewhere."""
        old, new = before.values(), candidate.row.values()
        for name in candidate.row.SECRETS:
            if name in candidate.typed or name in candidate.cleared or not before.secret_is_set(name):
                continue
            moved = [item for item in self.redirected(name, old, new) if item not in passed_over]
            if not moved:
                continue
            because = [self.called.get(item, item) for item in moved]
            if self.applies(name, new):
                detail = f"Type the secret again: the change of {', '.join(because)} {self.danger}."
                errors.setdefault(name, []).append(invalid("secret_must_be_retyped", detail, because=because))
            else:
                # Nobody can see the field, so nobody could retype it: a secret must not follow the change unseen.
                candidate.clear(name)
                detail = f"The unused stored secret was removed: {self.removed}."
                candidate.ignored.append(advice(name, "field_ignored", detail))
