"""The fields as a page for people: `python -m tests.fields > docs/fields.md` writes it.

It is made of the models, the conditions, the enumerations, the faults that are played through every door, and the
table of effects: what a field is and does is said there, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from connections import entrusted, rules
from connections.forms import ConnectionForm
from connections.kinds import KINDS
from connections.models import Connection
from core.fields import (
    NameField,
    NameListField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictDateField,
    StrictIntegerField,
    StrictTextField,
)
from core.rules import Condition
from core.secret_values import MAX_SECRET
from credentials.destinations import MAX_PATTERN, DestinationListField
from credentials.forms import CredentialForm
from credentials.models import Credential
from credentials.rules import CONDITIONS as CREDENTIAL_CONDITIONS
from credentials.rules import redirected
from tests.fields.credential_faults import CREDENTIAL_FAULTS
from tests.fields.effects import BOTH, CREDENTIAL, EFFECTS, IN_JOBS, MAILBOX, NOT_YET, SMTP, Effect
from tests.fields.faults import FAULTS
from tests.fields.places import MODELS, fields_of, model_field, values_of

HEAD = """\
# Fields

Every field that a person fills in, under the name that forms, REST, files and the command line share: what it may
hold, when it applies, by which code it is refused, and what it does, with the test that proves it. Each fault named
here is played through the doors by `tests/integration/test_parity.py`, those of credentials by
`tests/integration/test_effects_credential.py`.

A value that is dropped because its field does not apply is answered with the advisory `field_ignored`. Where no server
could show an effect, one of two sentences stands instead of a test:

* *{in_jobs}*: it is for transfers, which are not a part of this console yet.
* *{not_yet}*: a test ends with the code `not_supported_by_this_steng`; a key
  is not found. What was chosen is never ignored; `tests/integration/test_effects_not_yet.py` tries each.

This page is written by `make docs`; do not edit it.
"""
_HEADINGS = {
    BOTH: "Connections of both kinds",
    SMTP: "SMTP connections (`smtp`)",
    MAILBOX: "POP3 and IMAP connections (`mailbox`)",
    CREDENTIAL: "Credentials",
}
_LENT = (
    "a stored credential with less protection, from who does not manage credentials "
    "([why](decisions/0013-whom-a-shared-credential-may-reach.md))"
)
_MANY = 10
"""Values of one enumeration beyond which those that say the same share a row."""


class _Words(ConnectionForm):
    """The form for what it says of its fields; what it offers from the database is left out."""

    def _offer_places(self) -> None:
        pass

    def _offer_suites(self) -> None:
        pass


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join([HEAD.format(in_jobs=IN_JOBS, not_yet=NOT_YET), *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    for kind, heading in _HEADINGS.items():
        yield f"## {heading}\n"
        form = _form(kind)
        for name in fields_of(kind):
            described = form.fields[name]
            yield f"### `{name}`\n"
            help_text = str(described.help_text).replace("*", "\\*")
            yield f"**{described.label}.** {help_text}".rstrip() + "\n"
            yield from _facts(kind, name)


def _form(kind: str) -> Any:
    if kind == CREDENTIAL:
        return CredentialForm()
    return _Words(MODELS[kind] if kind in KINDS else Connection)


# -- one field ---------------------------------------------------------------


def _facts(kind: str, name: str) -> Iterator[str]:
    yield f"* Holds: {'; '.join(_holds(kind, name))}."
    condition = _condition(kind, name)
    yield f"* Applies: {in_words(condition) if condition else 'always'}."
    yield from (f"* `{code}`: {'; '.join(titles)}." for code, titles in _refused(kind, name).items())
    if moves := _moves(kind, name):
        yield f"* `secret_must_be_retyped`: {', '.join(moves)} changes, and it is not sent again."
    if kind == BOTH and name in {*entrusted.REMEDIES, *entrusted.MODES.values()}:
        yield f"* `secret_not_for_destination`: {_LENT}."
    if not values_of(kind, name):
        yield from (f"* {line}" for line in _effect(EFFECTS[kind, name, ""]))
        yield ""
        return
    yield ""
    yield from _value_table(kind, name)


def _effect(effect: Effect) -> tuple[str, str]:
    return f"Effect: {effect.says}", f"Proof: {', '.join(_linked(effect.proofs))}."


def _linked(proofs: Iterable[str]) -> Iterator[str]:
    for proof in proofs:
        file, inside, name = proof.partition("::")
        yield f"[`{name.rpartition('::')[2]}`](../{file})" if inside else f"*{proof}*"


def _condition(kind: str, name: str) -> Condition | None:
    found = (CREDENTIAL_CONDITIONS if kind == CREDENTIAL else rules.CONDITIONS).get(name)
    return found.within(MODELS[kind].writable() if kind in KINDS else _all_names()) if found is not None else None


def _all_names() -> set[str]:
    return {name for model in (*KINDS.values(), MODELS[CREDENTIAL]) for name in model.writable()}


def in_words(condition: Condition) -> str:
    """Return a condition as people say it."""
    return ", or ".join(" and ".join(_term(term) for term in terms) for terms in condition.alternatives)


def _term(term: Any) -> str:
    if term.minimum is not None:
        return f"`{term.controller}` is at least {term.minimum}"
    return f"`{term.controller}` is {' or '.join(f'`{value}`' if value else 'empty' for value in term.values)}"


# -- what it holds -----------------------------------------------------------


def _holds(kind: str, name: str) -> Iterator[str]:
    field = model_field(kind, name)
    if name in _secrets(kind):
        limit = Credential.SECRETS[name] if kind == CREDENTIAL else MAX_SECRET
        yield f"a secret of 1 to {limit:,} characters, never shown"
    elif field is None or field.is_relation:
        yield "the name of what is stored under it, or nothing"
    else:
        yield _type(field)
        yield from _default(kind, field)


def _secrets(kind: str) -> Iterable[str]:
    return Credential.SECRETS if kind == CREDENTIAL else MODELS[kind].SECRETS


def _type(field: Any) -> str:
    for known, words in _TYPES.items():
        if isinstance(field, known):
            return words(field)
    raise LookupError(type(field).__name__)


def _list(field: Any) -> str:
    if field.known is not None:
        return "some of the values below, each once, in order"
    return f"up to {field.max_items:,} names of up to 128 characters"


# The first that fits speaks for the field: names and choices are texts too.
_TYPES: dict[type, Callable[[Any], str]] = {
    NameField: lambda field: f"a name of up to {field.max_length:,} characters",
    StrictChoiceField: lambda field: "one of the values below",
    StrictCharField: lambda field: f"a text of up to {field.max_length:,} characters",
    StrictTextField: lambda field: f"a text of several lines, up to {field.max_length:,} characters",
    StrictIntegerField: lambda field: f"a whole number, {field.minimum:,} to {field.maximum:,}",
    StrictBooleanField: lambda field: "yes or no",
    StrictDateField: lambda field: "a day",
    DestinationListField: lambda field: (
        f"up to {field.max_items:,} patterns of host and port, each of up to {MAX_PATTERN:,} characters"
    ),
    NameListField: _list,
}


def _default(kind: str, field: Any) -> Iterator[str]:
    default = field.get_default()
    if not field.blank:
        yield "mandatory"
    elif isinstance(field, StrictBooleanField):
        yield f"default `{str(default).lower()}`"
    elif default not in (None, "", []):
        yield f"default `{default}`"
    elif filled := _filled_in(kind, field.name):
        yield f"default {', '.join(filled)}"
    elif "required" not in _refused(kind, field.name):
        yield "may be empty"


def _filled_in(kind: str, name: str) -> list[str]:
    """Return the defaults that follow from the value of another field."""
    for other in fields_of(kind) if kind in KINDS else ():
        defaults = {value: _filled(kind, name, {other: value}) for value, _ in values_of(kind, other)}
        if other != name and len(set(defaults.values())) > 1:
            return [f"`{default}` where `{other}` is `{value}`" for value, default in defaults.items()]
    return []


def _filled(kind: str, name: str, values: Mapping[str, str]) -> Any:
    row = MODELS[kind](**values)
    row.fill_in()
    return getattr(row, name)


# -- how it is refused -------------------------------------------------------


def _refused(kind: str, name: str) -> dict[str, list[str]]:
    """Return the codes of bad input, each with the faults that cause it, as they are played through the doors."""
    found: dict[str, dict[str, set[str]]] = {}
    for fault in _faults(kind):
        if fault.field == name:
            title = fault.title.removeprefix(f"{name}: ").removesuffix(" by type")
            found.setdefault(fault.code, {}).setdefault(title, set()).add(fault.kind)
    return {
        code: [title if _everywhere(kind, kinds) else f"{title} ({kinds.pop()})" for title, kinds in titles.items()]
        for code, titles in sorted(found.items())
    }


def _moves(kind: str, name: str) -> list[str]:
    """Return the changes that a stored secret does not follow."""
    if name not in _secrets(kind):
        return []
    if kind == CREDENTIAL:
        one, other = ["a.example:1"], ["b.example:1"]
        return [f"`{field}`" for field in fields_of(kind) if redirected(name, {field: one}, {field: other})]
    where = rules.DESTINATIONS[name]
    fields = (field.replace("host_canonical", "host") for field in where.fields)
    return [*(f"`{field}`" for field in fields), f"or a loosening of `{where.security}` or TLS"]


def _faults(kind: str) -> Iterator[Any]:
    if kind == CREDENTIAL:
        yield from CREDENTIAL_FAULTS
    yield from (fault for fault in FAULTS if kind in {BOTH, fault.kind})


def _everywhere(kind: str, kinds: set[str]) -> bool:
    return kind != BOTH or kinds == set(KINDS)


# -- its values --------------------------------------------------------------


def _value_table(kind: str, name: str) -> Iterator[str]:
    values = values_of(kind, name)
    rows = [(value, label, EFFECTS[kind, name, value]) for value, label in values]
    if len(rows) > _MANY:
        alike: dict[Effect, list[str]] = {}
        for value, _, effect in rows:
            alike.setdefault(effect, []).append(f"`{value}`")
        yield from _table(
            ("Values", "Effect", "Proof"),
            [(", ".join(names), effect.says, ", ".join(_linked(effect.proofs))) for effect, names in alike.items()],
        )
        return
    yield from _table(
        ("Value", "On the pages", "Effect", "Proof"),
        [(f"`{value}`", label, effect.says, ", ".join(_linked(effect.proofs))) for value, label, effect in rows],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in rows)
    yield ""
