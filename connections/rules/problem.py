"""What a rule has to say of a field."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, Any]
"""The values of a definition by name, its kind among them; secrets are not."""

IsSet = Callable[[str], bool]
"""Tells whether a secret is stored, or typed and about to be."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to say about a field: an `error` blocks the save, a `warning` (advisory) never does."""

    field: str
    code: str
    detail: str
    severity: str = "error"
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def advisory_to_json(problem: Problem) -> dict[str, Any]:
    """Return an advisory as every answer shows it."""
    return {"pointer": f"/{problem.field}", "code": problem.code, "detail": problem.detail, **problem.params}


def required(name: str, detail: str) -> Problem:
    """Return the error of a field that these values make mandatory."""
    return Problem(name, "required", detail)


def not_available(name: str, detail: str, instead: str) -> Problem:
    """Return the error of a value that this combination cannot have, with one that it can."""
    return Problem(name, "not_available", detail, params={"suggestion": {name: instead}})


def advice(name: str, code: str, detail: str, **params: Any) -> Problem:
    """Return something worth knowing that blocks nothing."""
    return Problem(name, code, detail, "warning", params)
