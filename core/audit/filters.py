"""The filters of the audit log, as addresses carry them: of the page and of the API the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from core.audit.actors import Door
from core.audit.acts import ACTS, GROUPS
from core.errors import invalid
from core.moments import read_moment

NAMES = ("q", "actor", "act", "kind", "id", "name", "door", "from", "to")
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for. `exact` maps a column to its value; `text` is searched for in names and reasons."""

    exact: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def read(query: Mapping[str, str]) -> Filters:
    """Return the filters of an address; raise ValidationError with a code per filter. What is empty does not filter."""
    given = {name: query[name].strip() for name in NAMES if query.get(name, "").strip()}
    problems: dict[str, list[ValidationError]] = {}
    for name, allowed in (("act", (*GROUPS, *ACTS)), ("door", tuple(Door))):
        if name in given and given[name] not in allowed:
            choices = [str(choice) for choice in allowed]
            problems[name] = [invalid("invalid_choice", "There is no such choice.", allowed=choices)]
    for name, text in given.items():
        if "\0" in text:
            problems[name] = [invalid("forbidden_character", "There is a character in it that no text holds.")]
        if len(text) > _LONGEST:
            sentence = f"At most {_LONGEST} characters."
            problems[name] = [invalid("too_long", sentence, limit=_LONGEST, value=len(text))]
    moments: dict[str, dt.datetime | None] = {"from": None, "to": None}
    for name in moments:
        try:
            moments[name] = read_moment(given.get(name, ""), end_of_day=name == "to")
        except ValidationError as error:
            problems[name] = error.error_list
    if problems:
        raise ValidationError(problems)
    return Filters(_exact(given), given.get("q", ""), moments["from"], moments["to"])


def _exact(given: Mapping[str, str]) -> dict[str, str]:
    columns = {"id": "object_id", "name": "object_name", "actor": "actor_name", "kind": "object_kind", "door": "door"}
    exact = {columns[name]: given[name] for name in columns if name in given}
    if "act" in given:
        exact["act" if given["act"] in ACTS else "act_group"] = given["act"]
    return exact
