"""One-fault credentials, made from the fields of the model as those of connections are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.fields import StrictDateField
from credentials.choices import CredentialKind
from credentials.destinations import MAX_PATTERN, DestinationListField
from credentials.models import Credential
from credentials.rules import CONDITIONS
from tests.credentials import BASIC, OAUTH2
from tests.fields.faults import Found, of_long_secret, of_secret_type, of_type, of_value

TAKEN = "somebody-has-it"
"""The name of a credential that the database of a test holds."""

_SOUND: dict[str, dict[str, Any]] = {str(values["kind"]): values for values in (BASIC, OAUTH2)}


@dataclass(frozen=True)
class CredentialFault:
    """Changes to a sound credential of a kind, and the one error that they cause."""

    kind: str
    title: str
    changes: dict[str, Any]
    field: str
    code: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.title}"

    @property
    def values(self) -> dict[str, Any]:
        """Return the whole credential; what is None is left out."""
        return {name: value for name, value in {**_SOUND[self.kind], **self.changes}.items() if value is not None}


def _of_destinations() -> Found:
    yield "a host without a port", ["mail.example.org"], "destination_invalid"
    yield "port 0", ["mail.example.org:0"], "destination_invalid"
    yield "an address below which nothing is", ["*.192.0.2.1:25"], "destination_invalid"
    yield "a hidden character", ["ma\N{SOFT HYPHEN}il.example.org:25"], "forbidden_character"
    yield f"{MAX_PATTERN + 1} characters in a member", ["a" * (MAX_PATTERN + 1)], "too_long"
    yield f"{DestinationListField.max_items + 1} members", [f"h{n}.example:25" for n in range(251)], "too_long"


def _of_days() -> Found:
    yield "a word", "soon", "invalid_type"
    yield "a day that is none", "2027-02-30", "invalid_type"
    yield "a time", "2027-01-31T00:00:00Z", "invalid_type"


def _of(field: Any) -> Found:
    if isinstance(field, DestinationListField):
        yield from _of_destinations()
    elif isinstance(field, StrictDateField):
        yield from _of_days()
    else:
        yield from of_value(field)
    yield from of_type(field)


_RULES: tuple[tuple[str, str, Any, str], ...] = (
    ("name", "a name that is taken", TAKEN.upper(), "not_unique"),
    ("username", "a password without a user name", None, "required"),
    ("password", "a user name without a password", None, "required"),
    ("client_id", "a client without its ID", None, "required"),
    ("client_secret", "a client without its secret", None, "required"),
    ("token_endpoint", "a client without a token endpoint", None, "required"),
    ("token_endpoint", "a word as the token endpoint", "login", "url_invalid"),
    ("token_endpoint", "a token endpoint in clear text", "http://login.example.org/t", "https_required"),
    ("token_endpoint", "a token endpoint with a password", "https://me:pw@login.example.org/t", "url_has_user_info"),
    ("token_endpoint", "a token endpoint with a fragment", "https://login.example.org/t#x", "url_has_fragment"),
    ("passwort", "a misspelt key", "x", "unknown_field"),
)


def _kind_of(name: str) -> str:
    """Return the kind to which a field belongs; what every kind has is tried with the first."""
    condition = CONDITIONS.get(name)
    return CredentialKind.BASIC.value if condition is None else condition.alternatives[0][0].values[0]


def _faults() -> Iterator[CredentialFault]:
    for name in Credential.definition_fields():
        for title, value, code in _of(Credential._meta.get_field(name)):
            yield CredentialFault(_kind_of(name), f"{name}: {title}", {name: value}, name, code)
    for name, limit in Credential.SECRETS.items():
        for title, value, code in (*of_long_secret(limit), *of_secret_type()):
            yield CredentialFault(_kind_of(name), f"{name}: {title}", {name: value}, name, code)
    for name, title, value, code in _RULES:
        yield CredentialFault(_kind_of(name), title, {name: value}, name, code)


CREDENTIAL_FAULTS: tuple[CredentialFault, ...] = tuple(_faults())
