"""The rows of a document in our words: which kind, which values, what was left behind, what could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from cluster.models import Steng
from connections.candidate import find_reference
from connections.exchange import sheet
from connections.exchange.document import Document, Row
from connections.exchange.foreign import iconduct, systems
from connections.exchange.foreign.systems import System
from connections.exchange.foreign.words import Note
from connections.exchange.secret_sources import Reader
from connections.kinds import KINDS
from connections.models import Connection
from connections.serializers import READ_ONLY
from core.errors import invalid

PART = "."
"""Joins the name of a secret and the part of it that a column of a CSV file holds: `password.env`."""

_OURS = frozenset().union(READ_ONLY - {"kind"}, *(model.writable() for model in KINDS.values()))

Errors = dict[str, list[ValidationError]]


@dataclass(slots=True)
class Incoming:
    """A row in our words.

    `partial`: it says a part of a definition, in the words of a system that has no more; `for_new` is what it means
    beyond that where the connection does not exist yet, `own_tags` are the tags it decides on.
    """

    place: int
    line: int | None
    model: type[Connection] | None = None
    values: dict[str, Any] = field(default_factory=dict, repr=False)
    partial: bool = False
    for_new: Mapping[str, Any] = field(default_factory=dict)
    own_tags: frozenset[str] = frozenset()
    errors: Errors = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def system_of(document: Document, said: str | None) -> System | None:
    """Return the system in whose words a document is written, None for ours.

    Said by the caller, by the document, else recognised by its labels. Raises ValidationError at `system`.
    """
    if said is not None and document.system is not None and systems.find(said) is not systems.find(document.system):
        sentence = f"The file says “{document.system[:80]}” of itself."
        raise ValidationError({"system": [invalid("invalid_choice", sentence, allowed=[document.system[:80]])]})
    named = said if said is not None else document.system
    if named is not None:
        return systems.find(named)
    labels = {name.partition(PART)[0] if PART in name and name.partition(PART)[0] in _OURS else name
              for row in document.rows if isinstance(row.values, Mapping) for name in row.values}  # fmt: skip
    return systems.recognise(labels, _OURS)


def incoming(document: Document, system: System | None, secret: Reader) -> Iterator[Incoming]:
    """Yield every row in our words."""
    for row in document.rows:
        if not isinstance(row.values, Mapping):
            wrong = invalid("invalid_type", "Expected the fields of a connection.")
            yield Incoming(row.place, row.line, errors={"": [wrong]})
            continue
        found = _ours(row, document) if system is None else _theirs(row, document, system)
        _take_secrets(found, secret)
        yield found


def _ours(row: Row, document: Document) -> Incoming:
    found = Incoming(row.place, row.line)
    values = dict(row.values)
    kind = values.pop("kind", document.kind)
    if not isinstance(kind, str) or kind not in KINDS:
        found.errors["kind"] = [_wrong_kind(kind)]
        found.values = values
        return found
    found.model = KINDS[kind]
    if document.textual:
        values = _from_cells(found, values)
    found.values = {name: value for name, value in values.items() if name not in READ_ONLY}
    return found


def _wrong_kind(kind: Any) -> ValidationError:
    allowed = list(KINDS)
    sentence = f"Choose one of {', '.join(allowed)}."
    if kind in (None, ""):
        return invalid("required", sentence, allowed=allowed)
    return invalid("invalid_choice" if isinstance(kind, str) else "invalid_type", sentence, allowed=allowed)


def _from_cells(found: Incoming, cells: Mapping[str, str]) -> dict[str, Any]:
    assert found.model is not None
    values: dict[str, Any] = {}
    for name, cell in cells.items():
        text = sheet.unshield(cell)
        secret, dot, part = name.partition(PART)
        if dot and secret in found.model.SECRETS:
            # What the columns of a secret say together is one object, as YAML would hold it.
            parts = values.setdefault(secret, {})
            if isinstance(parts, dict):
                parts[part] = text
        elif name in found.model.SECRETS:
            values[name] = text
        else:
            values[name] = value_from_text(found.model, name, text)
    return values


def value_from_text(model: type[Connection], name: str, text: str) -> Any:
    """Return the typed value that a text spells for a field; what spells none is handed on for the domain to judge."""
    if name in model.REFERENCES:
        return text or None
    if name not in model.definition_fields():
        return text  # the domain answers with `unknown_field`
    model_field: models.Field[Any, Any] = model._meta.get_field(name)  # type: ignore[assignment]
    try:
        return model_field.from_text(text)  # type: ignore[attr-defined]
    except ValidationError:
        return text  # the domain says what is wrong with it, together with everything else


def _theirs(row: Row, document: Document, system: System) -> Incoming:
    found = Incoming(row.place, row.line, partial=True)
    raw = dict(row.values)
    kind = raw.pop("kind", document.kind)
    if kind is not None and not isinstance(kind, str):
        found.errors["kind"] = [_wrong_kind(kind)]
        return found
    try:
        form = system.form_of(raw, kind.casefold() if kind else None)
    except ValidationError as error:
        found.errors = dict(error.error_dict)
        return found
    done = form.translate(raw)
    found.model, found.values = KINDS[form.kind], done.values
    found.for_new, found.own_tags = form.for_new, form.own_tags
    found.errors, found.notes = done.errors, done.notes
    if iconduct.AGENT in found.values:
        _place(found, found.values.pop(iconduct.AGENT))
    return found


def _place(found: Incoming, agent: Any) -> None:
    """Find the STENG of this name, else the cluster, for the agent of another system."""
    steng, cluster = _found("steng", agent), _found("cluster", agent)
    if isinstance(steng, Steng):
        found.values |= {"steng": agent, "cluster": {"id": str(steng.cluster_id)}}
    elif cluster is not None:
        found.values |= {"steng": None, "cluster": agent}
    else:
        sentence = f"There is neither a STENG nor a cluster called “{str(agent)[:80]}” here."
        found.errors["cluster"] = [invalid("not_found", sentence)]


def _found(name: str, reference: Any) -> models.Model | None:
    try:
        return find_reference(name, reference)
    except ValidationError:
        return None


def _take_secrets(found: Incoming, secret: Reader) -> None:
    if found.model is None:
        return
    for name in found.model.SECRETS:
        if name not in found.values:
            continue
        try:
            found.values[name] = secret(found.values[name])
        except ValidationError as error:
            del found.values[name]
            found.errors[name] = error.error_list
