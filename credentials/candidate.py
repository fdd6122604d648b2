"""A credential on its way in: raw values of any door become a checked, unsaved row.

A door hands over values by name as JSON would carry them. What is absent keeps its value where only a part is
changed, else takes its default. Secrets are a text (set), null (clear), or absent, or the object that a read
gave (keep).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from core.errors import invalid, unknown_fields
from core.rules import Problem, advice
from core.secret_values import Wish, wish
from credentials import rules
from credentials.choices import CredentialKind
from credentials.models import SECRETS, Credential
from steng.secret import Secret

Errors = dict[str, list[ValidationError]]


@dataclass(slots=True)
class Candidate:
    """A checked credential that is not saved yet.

    `typed` holds the secrets that came with this write, `cleared` those to remove; every other stored
    secret of `row` stays sealed as it is.
    """

    row: Credential
    before: Credential | None
    ignored: list[Problem] = field(default_factory=list)
    typed: dict[str, Secret] = field(default_factory=dict)
    cleared: set[str] = field(default_factory=set)

    def advisories(self, today: date) -> list[Problem]:
        """Return what is worth knowing about this write."""
        return [*self.ignored, *self.row.advisories(today)]


def build(values: Mapping[str, Any], before: Credential | None, *, partial: bool) -> Candidate:
    """Return the credential that these values describe; raise ValidationError with every problem by field."""
    candidate = Candidate(copy.copy(before) if before is not None else Credential(), before)
    errors = unknown_fields(values, Credential.writable(), "There is no field “{}”.")
    _assign(candidate.row, values, errors, partial=partial)
    _take_secrets(candidate, values, errors)
    broken = set(errors)
    _drop_hidden(candidate, values, errors)
    _check(candidate.row, errors)
    if before is not None:
        _guard_secrets(candidate, before, errors, broken)
    if errors:
        raise ValidationError(errors)
    return candidate


def _assign(row: Credential, values: Mapping[str, Any], errors: Errors, *, partial: bool) -> None:
    for name in Credential.definition_fields():
        model_field = _model_field(name)
        if name not in values:
            if not partial:
                setattr(row, name, model_field.get_default())
            continue
        try:
            setattr(row, name, model_field.to_python(values[name]))
        except ValidationError as error:
            errors[name] = error.error_list
            setattr(row, name, model_field.get_default())


def _take_secrets(candidate: Candidate, values: Mapping[str, Any], errors: Errors) -> None:
    for name, limit in SECRETS.items():
        try:
            wanted = wish(values, name, limit)
        except ValidationError as error:
            errors[name] = error.error_list
            continue
        if wanted is Wish.CLEAR:
            candidate.cleared.add(name)
            setattr(candidate.row, f"{name}_sealed", "")
        elif wanted is Wish.SET:
            candidate.typed[name] = Secret(values[name])
            # A mark that the secret will be there: the row is sealed when it is saved.
            setattr(candidate.row, f"{name}_sealed", "typed")


def _drop_hidden(candidate: Candidate, values: Mapping[str, Any], errors: Errors) -> None:
    row = candidate.row
    if row.kind not in CredentialKind.values:
        return  # what belongs to it is not known
    for name in sorted(rules.hidden(row.values())):
        given = errors.pop(name, None) is not None
        if name in SECRETS:
            continue
        default = _model_field(name).get_default()
        given = given or (name in values and getattr(row, name) != default)
        setattr(row, name, default)
        if given:
            reason = rules.CONDITIONS[name].attribute
            detail = f"The value was dropped: it applies only with {reason}."
            candidate.ignored.append(advice(name, "field_ignored", detail))


def _check(row: Credential, errors: Errors) -> None:
    skipped = {*errors, *(item.name for item in row._meta.concrete_fields if not item.editable)}
    try:
        row.full_clean(exclude=skipped, validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        for name, problems in error.error_dict.items():
            if name not in errors:
                errors[name] = problems


def _guard_secrets(candidate: Candidate, before: Credential, errors: Errors, broken: set[str]) -> None:
    old, new = before.values(), candidate.row.values()
    unseen = rules.hidden(new)  # a user name that does not belong to the new kind was dropped, which moves nothing
    for name in SECRETS:
        if name in candidate.typed or name in candidate.cleared or not before.secret_is_set(name):
            continue
        because = [item for item in rules.redirected(name, old, new) if item not in broken | unseen]
        if not because:
            continue
        if rules.CONDITIONS[name].holds(new):
            labels = ", ".join(because)
            detail = f"Type the secret again: the change of {labels} would use it for somebody else or elsewhere."
            errors.setdefault(name, []).append(invalid("secret_must_be_retyped", detail, because=because))
        else:
            # Nobody can see the field, so nobody could retype it: a secret must not follow the change unseen.
            candidate.cleared.add(name)
            setattr(candidate.row, f"{name}_sealed", "")
            detail = "The unused stored secret was removed: its destinations were widened."
            candidate.ignored.append(advice(name, "field_ignored", detail))


def _model_field(name: str) -> models.Field[Any, Any]:
    model_field = Credential._meta.get_field(name)
    assert isinstance(model_field, models.Field)
    return model_field
