"""Which field applies when: the one declaration that server, template, script and stylesheet read.

The server drops the value of a field that does not apply, the template renders the condition as an
attribute, and the script and the stylesheet hide what the attribute excludes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from connections.choices import Authentication, Selection
from connections.rules.problem import Values


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


def _when(*terms: Term) -> Condition:
    return Condition((terms,))


_BASIC = Term("authentication_type", (Authentication.BASIC.value,))
_OAUTH2 = Term("authentication_type", (Authentication.OAUTH2_CLIENT_CREDENTIAL.value,))
_OWN_SECRET = Term("credential", ("",))
_POP = Term("authentication_type", (Authentication.POP_BEFORE_SMTP.value,))

POP_FIELDS = (
    "pop_host", "pop_port", "pop_security", "pop_username", "pop_password", "pop_use_apop", "pop_interval_ms",
)  # fmt: skip

CONDITIONS: Mapping[str, Condition] = MappingProxyType(
    {
        "credential": _when(
            Term("authentication_type", (Authentication.BASIC.value, Authentication.OAUTH2_CLIENT_CREDENTIAL.value))
        ),
        # A credential brings user name and password along and hides these; OAuth2 needs to know whose mailbox it is.
        "username": Condition(((_BASIC, _OWN_SECRET), (_OAUTH2,))),
        "password": _when(_BASIC, _OWN_SECRET),
        "basic_mechanism": _when(_BASIC),
        "oauth2_mechanism": _when(_OAUTH2),
        **dict.fromkeys(POP_FIELDS, _when(_POP)),
        "ssl_protocols": _when(Term("ssl_protocol_mode", (Selection.SPECIFIC.value,))),
        "cipher_suites": _when(Term("cipher_suite_mode", (Selection.SPECIFIC.value,))),
        "retry_interval": _when(Term("max_retries", minimum=1)),
    }
)


def hidden(values: Values) -> set[str]:
    """Return the fields that do not apply to these values."""
    return {name for name, condition in CONDITIONS.items() if not condition.holds(values)}


def applies(name: str, values: Values) -> bool:
    """Tell whether a field applies to these values."""
    condition = CONDITIONS.get(name)
    return condition is None or condition.holds(values)
