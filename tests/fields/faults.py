"""One-fault definitions, made from the fields of the models and from the table of conditions.

A field that is added to a model gets its faults here without a line being written. What follows from rules
between fields stands in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models

from connections.kinds import KINDS
from connections.models import Connection
from core.fields import (
    NameField,
    NameListField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    StrictTextField,
)
from core.secret_values import MAX_SECRET
from tests.fields import sound
from tests.fields.sound import where_it_applies

_NO = "\N{NO-BREAK SPACE}"
_BIDI = "\N{RIGHT-TO-LEFT OVERRIDE}"
_ZERO = "\N{ZERO WIDTH SPACE}"


@dataclass(frozen=True)
class Fault:
    """Changes to a sound definition, and the one error that they cause.

    `typed` marks what text cannot say: a number where a text belongs, a line end in a password.
    """

    kind: str
    title: str
    changes: dict[str, Any]
    field: str
    code: str
    typed: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.title}"

    @property
    def values(self) -> dict[str, Any]:
        """Return the whole definition; what is None is left out."""
        return sound.sound(self.kind, self.changes)


Found = Iterator[tuple[str, Any, str]]
"""What is wrong in words, the value, the code."""


def _of_text(field: Any) -> Found:
    yield "a control character", "a\x07b", "forbidden_character"
    yield "a bidi override", f"a{_BIDI}b", "forbidden_character"
    yield "a zero-width space", f"a{_ZERO}b", "forbidden_character"
    yield f"{field.max_length + 1} characters", "x" * (field.max_length + 1), "too_long"
    if not field.blank:
        yield "nothing", "", "required"


def _of_lines(field: Any) -> Found:
    yield f"{field.max_length + 1} characters", "d" * (field.max_length + 1), "too_long"
    yield "a control character", "a\x07b", "forbidden_character"


def _of_name(field: Any) -> Found:
    yield from _of_text(field)
    yield "a blank", "a b", "forbidden_character"
    yield "a no-break space", f"a{_NO}b", "forbidden_character"
    for word, character in (("an apostrophe", "'"), ("a quotation mark", '"'), ("a bar", "|")):
        yield word, f"a{character}b", "forbidden_character"


def _of_choice(field: Any) -> Found:
    first = next(value for value, _ in field.flatchoices if value)
    yield "an unknown value", "SOMETHING", "invalid_choice"
    yield "a value in lower case", first.lower(), "invalid_choice"
    if not field.blank:
        yield "nothing", "", "required"


def _of_number(field: Any) -> Found:
    yield "a word", "abc", "invalid_type"
    yield "a blank before it", " 25", "invalid_type"
    yield "a fraction", "25.9", "invalid_type"
    yield "Arabic digits", "٢٥", "invalid_type"
    yield "one too few", field.minimum - 1, "out_of_range"
    yield "one too many", field.maximum + 1, "out_of_range"
    if not field.null and not field.has_default():
        yield "nothing", "", "required"


def _of_list(field: Any) -> Found:
    if field.known is None:
        yield "a bar in a member", ["fine", "a|b"], "forbidden_character"
        yield "129 characters in a member", ["n" * 129], "too_long"
        yield "251 members", [f"n{number}" for number in range(251)], "too_long"
        return
    yield "an unknown member", ["SOMETHING"], "invalid_choice"
    if field.refused:
        yield "a member that protects nothing", [min(field.refused)], "not_acceptable"


def of_type(field: models.Field[Any, Any]) -> Found:
    """Yield what no text can say, and what is not of the field's type."""
    if isinstance(field, StrictBooleanField):
        yield "a text", "true", "invalid_type"
        yield "a number", 1, "invalid_type"
    elif isinstance(field, StrictIntegerField):
        yield "true", True, "invalid_type"
        yield "a fraction as a number", 25.9, "invalid_type"
        yield "digits as a text", "25", "invalid_type"
    elif isinstance(field, NameListField):
        yield "a text", "TLSv1_2", "invalid_type"
        yield "a list of numbers", [1], "invalid_type"
    else:
        yield "a number", 5, "invalid_type"
        yield "a list", ["a"], "invalid_type"


# The first that fits speaks for the field: names and choices are texts too.
_MAKERS: tuple[tuple[type, Callable[[Any], Found]], ...] = (
    (NameField, _of_name),
    (StrictChoiceField, _of_choice),
    (StrictCharField, _of_text),
    (StrictTextField, _of_lines),
    (StrictIntegerField, _of_number),
    (NameListField, _of_list),
    (StrictBooleanField, lambda field: ()),
)


def of_value(field: Any) -> Found:
    """Yield what is of the field's type, or a text, and not within its limits."""
    return next(make for known, make in _MAKERS if isinstance(field, known))(field)


def _of_fields(kind: str, model: type[Connection]) -> Iterator[Fault]:
    for name in model.definition_fields():
        field: Any = model._meta.get_field(name)
        around = where_it_applies(model, name)
        for title, value, code in of_value(field):
            yield Fault(kind, f"{name}: {title}", {**around, name: value}, name, code)
        for title, value, code in of_type(field):
            yield Fault(kind, f"{name}: {title} by type", {**around, name: value}, name, code, typed=True)


def of_long_secret(limit: int) -> Found:
    """Yield a secret that is too long."""
    yield f"{limit + 1} characters", "p" * (limit + 1), "too_long"


def of_secret_type() -> Found:
    """Yield what a form or a command line cannot say as a secret."""
    yield "nothing", "", "too_short"
    yield "a line end", "a\nb", "forbidden_character"
    yield "a NUL", "a\x00b", "forbidden_character"
    yield "a number", 5, "invalid_type"


def _of_secrets(kind: str, model: type[Connection]) -> Iterator[Fault]:
    for name in model.SECRETS:
        around = where_it_applies(model, name)
        for title, value, code in of_long_secret(MAX_SECRET):
            yield Fault(kind, f"{name}: {title}", {**around, name: value}, name, code)
        for title, value, code in of_secret_type():
            yield Fault(kind, f"{name}: {title}", {**around, name: value}, name, code, typed=True)


def _of_references(kind: str, model: type[Connection]) -> Iterator[Fault]:
    for name in model.REFERENCES:
        around = {"username": None, "password": None} if name == "credential" else {}
        yield Fault(kind, f"{name}: one that does not exist", {**around, name: "nobody"}, name, "not_found")
        yield Fault(kind, f"{name}: a number", {**around, name: 5}, name, "invalid_type", typed=True)


_UNSIGNED = {"username": None, "password": None}
_SPECIFIC = {"ssl_protocol_mode": "SPECIFIC"}

# title, changes, field, code
_BOTH: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("a URL as the host", {"host": "smtp://h:25"}, "host", "host_has_scheme"),
    ("a port in the host", {"host": "h:25"}, "host", "host_has_port"),
    ("a blank in the host", {"host": "mail example"}, "host", "host_invalid"),
    ("specific protocols without one", _SPECIFIC, "ssl_protocols", "required"),
    ("specific suites without one", {"cipher_suite_mode": "SPECIFIC"}, "cipher_suites", "required"),
    ("a user name without a password", {"password": None}, "password", "required"),
    ("a password without a user name", {"username": None}, "username", "required"),
    ("OAuth2 without a credential", {**sound.OAUTH2, "credential": None}, "credential", "required"),
    ("OAuth2 without a user name", {**sound.OAUTH2, "username": None}, "username", "required"),
    (
        "OAuth2 with a basic credential",
        {**sound.OAUTH2, "credential": sound.BASIC_CREDENTIAL},
        "credential",
        "wrong_kind",
    ),
    (
        "a password sign-in with an OAuth2 credential",
        {**_UNSIGNED, "credential": sound.OAUTH2_CREDENTIAL},
        "credential",
        "wrong_kind",
    ),
    (
        "a credential that is for another host",
        {**_UNSIGNED, "credential": sound.FOREIGN_CREDENTIAL},
        "credential",
        "secret_not_for_destination",
    ),
)
_SMTP: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("a sender without a domain", {"sender_address": "orders"}, "sender_address", "invalid_address"),
    ("a sender with a blank", {"sender_address": "a b@example.org"}, "sender_address", "invalid_address"),
    ("a HELO name with a blank", {"helo_name": "a b"}, "helo_name", "host_invalid"),
    ("a URL as the POP3 server", {**sound.POP_BEFORE_SMTP, "pop_host": "pop3://h"}, "pop_host", "host_has_scheme"),
    *(
        (f"POP before SMTP without its {name}", {**sound.POP_BEFORE_SMTP, name: None}, name, "required")
        for name in ("pop_host", "pop_port", "pop_security", "pop_username", "pop_password")
    ),
)
_MAILBOX: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("POP3 with a folder", {**sound.POP3, "folder": "Orders"}, "folder", "not_available"),
    ("POP3 that marks as read", {**sound.POP3, "disposition": "SEEN"}, "disposition", "not_available"),
    *(
        (f"POP3 with {choice}", {**sound.POP3, "pull_disposition": choice}, "pull_disposition", "not_available")
        for choice in ("GET_FIRST_UNREAD_MESSAGE", "GET_LAST_UNREAD_MESSAGE")
    ),
    *(
        (f"IMAP with {choice}", {"basic_mechanism": choice}, "basic_mechanism", "not_available")
        for choice in ("USER_PASS", "APOP")
    ),
)
_OF_KIND = {"smtp": (*_BOTH, *_SMTP), "mailbox": (*_BOTH, *_MAILBOX)}


def _of_rules(kind: str) -> Iterator[Fault]:
    for title, changes, field, code in _OF_KIND[kind]:
        yield Fault(kind, title, changes, field, code)
    taken = sound.TAKEN[kind].upper()
    yield Fault(kind, "a name that is taken", {"name": taken}, "name", "not_unique")
    yield Fault(kind, "a misspelt key", {"ssl_protocolss": ["TLSv1_2"]}, "ssl_protocolss", "unknown_field", typed=True)


FAULTS: tuple[Fault, ...] = tuple(
    fault
    for kind, model in KINDS.items()
    for part in (_of_fields(kind, model), _of_secrets(kind, model), _of_references(kind, model), _of_rules(kind))
    for fault in part
)
