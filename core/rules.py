"""What the rules of any definition are said in: problems, and conditions under which a field applies.

A condition is declared once. The server drops the value of a field that does not apply, the template renders the
condition as an attribute, and the script and the stylesheet hide what the attribute excludes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, Any]
"""The values of a definition by name; secrets are not among them."""

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


def required(name: str, detail: str) -> Problem:
    """Return the error of a field that these values make mandatory."""
    return Problem(name, "required", detail)


def not_available(name: str, detail: str, instead: str) -> Problem:
    """Return the error of a value that this combination cannot have, with one that it can."""
    return Problem(name, "not_available", detail, params={"suggestion": {name: instead}})


def advice(name: str, code: str, detail: str, **params: Any) -> Problem:
    """Return something worth knowing that blocks nothing."""
    return Problem(name, code, detail, "warning", params)


def advisory_to_json(problem: Problem) -> dict[str, Any]:
    """Return an advisory as every answer shows it."""
    return {"pointer": f"/{problem.field}", "code": problem.code, "detail": problem.detail, **problem.params}


@dataclass(frozen=True, slots=True)
class Term:
    """`controller` has one of `values` ("" means empty), or is at least `minimum`."""

    controller: str
    values: tuple[str, ...] = ()
    minimum: int | None = None

    def holds(self, values: Values) -> bool:
        """Tell whether it is so."""
        value = values.get(self.controller)
        if self.minimum is not None:
            return isinstance(value, int) and value >= self.minimum
        return ("" if value is None else value) in self.values

    @property
    def attribute(self) -> str:
        """Return the term as the page carries it: `name=A|B` or `name>=1`."""
        if self.minimum is not None:
            return f"{self.controller}>={self.minimum}"
        return f"{self.controller}={'|'.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Condition:
    """A field applies while all terms of one of the alternatives hold."""

    alternatives: tuple[tuple[Term, ...], ...]

    def holds(self, values: Values) -> bool:
        """Tell whether the field applies."""
        return any(all(term.holds(values) for term in terms) for terms in self.alternatives)

    @property
    def controllers(self) -> tuple[str, ...]:
        """Return the fields that decide, each once."""
        return tuple(dict.fromkeys(term.controller for terms in self.alternatives for term in terms))

    @property
    def attribute(self) -> str:
        """Return the condition as the page carries it: terms joined by ` and `, alternatives by ` or `."""
        return " or ".join(" and ".join(term.attribute for term in terms) for terms in self.alternatives)

    def within(self, names: Iterable[str]) -> Condition:
        """Return the condition for a kind of definition that has these fields only; an absent one is empty."""
        known = set(names)
        kept = tuple(
            tuple(term for term in terms if term.controller in known)
            for terms in self.alternatives
            if all(term.controller in known or "" in term.values for term in terms)
        )
        return Condition(kept)


def when(*terms: Term) -> Condition:
    """Return the condition that all of these terms hold."""
    return Condition((terms,))


def stylesheet(conditions: Iterable[Condition]) -> str:
    """Return the CSS that hides fields where no script does: one rule for each condition."""
    rules = dict.fromkeys(_rule(condition) for condition in conditions if condition.alternatives)
    return "\n".join(rules) + "\n"


def _rule(condition: Condition) -> str:
    holds = ",".join("".join(_selectors(terms)) for terms in condition.alternatives)
    return f'form:not(:is({holds})) [data-show-if="{condition.attribute}"]{{display:none}}'


def _selectors(terms: tuple[Term, ...]) -> Iterator[str]:
    for term in terms:
        control = f'[name="{term.controller}"]'
        if term.minimum is not None:
            # CSS compares no numbers: an empty control hides the field, a typed 0 is left to the server.
            yield f":has({control}:not(:placeholder-shown))"
        elif term.values == ("",):
            yield f":has({control}:placeholder-shown)"
        else:
            yield ":has(" + ",".join(f'{control}[value="{value}"]:checked' for value in term.values) + ")"
