"""A credential on its way in, from raw values of any door to a checked, unsaved row."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError

from core import definition_candidate
from core.definition_candidate import Errors, Guard, assign, plain_field, take_secrets
from core.errors import unknown_fields
from core.rules import Problem, advice
from credentials import rules
from credentials.choices import CredentialKind
from credentials.models import Credential
from steng.secret import Secret

_GUARD = Guard(
    redirected=rules.redirected,
    applies=lambda name, values: rules.CONDITIONS[name].holds(values),
    danger="would use it for somebody else or elsewhere",
    removed="its destinations were widened",
)


@dataclass(slots=True)
class Candidate(definition_candidate.Candidate[Credential]):
    """A checked credential that is not saved yet."""

    def advisories(self, today: date) -> list[Problem]:
        """Return what is worth knowing about this write."""
        return [*self.ignored, *self.row.advisories(today)]


def build(values: Mapping[str, Any], before: Credential | None, *, partial: bool) -> Candidate:
    """Return the credential that these values describe; raise ValidationError with every problem by field."""
    candidate = Candidate(copy.copy(before) if before is not None else Credential(), before)
    errors = unknown_fields(values, Credential.writable(), "There is no field “{}”.")
    assign(candidate.row, values, errors, partial=partial)
    take_secrets(candidate, values, errors, Secret)
    broken = set(errors)
    _drop_hidden(candidate, values, errors)
    _check(candidate.row, errors)
    if before is not None:
        # A user name that does not belong to the new kind was dropped, which moves nothing.
        _GUARD.watch(candidate, before, errors, broken | rules.hidden(candidate.row.values()))
    if errors:
        raise ValidationError(errors)
    return candidate


def _drop_hidden(candidate: Candidate, values: Mapping[str, Any], errors: Errors) -> None:
    row = candidate.row
    if row.kind not in CredentialKind.values:
        return  # what belongs to it is not known
    for name in sorted(rules.hidden(row.values())):
        given = errors.pop(name, None) is not None
        if name in row.SECRETS:
            continue
        default = plain_field(row, name).get_default()
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
