"""Which field of a connection applies when: the one declaration that server, template, script and stylesheet read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connections.choices import Authentication, Disposition, Selection, StoreType
from core.rules import Condition, Term, Values, when

_BASIC = Term("authentication_type", (Authentication.BASIC.value,))
_OAUTH2 = Term("authentication_type", (Authentication.OAUTH2_CLIENT_CREDENTIAL.value,))
_OWN_SECRET = Term("credential", ("",))
_POP = Term("authentication_type", (Authentication.POP_BEFORE_SMTP.value,))

POP_FIELDS = (
    "pop_host", "pop_port", "pop_security", "pop_username", "pop_password", "pop_use_apop", "pop_interval_ms",
)  # fmt: skip

CONDITIONS: Mapping[str, Condition] = MappingProxyType(
    {
        "credential": when(
            Term("authentication_type", (Authentication.BASIC.value, Authentication.OAUTH2_CLIENT_CREDENTIAL.value))
        ),
        # A credential brings user name and password along and hides these; OAuth2 needs to know whose mailbox it is.
        "username": Condition(((_BASIC, _OWN_SECRET), (_OAUTH2,))),
        "password": when(_BASIC, _OWN_SECRET),
        "basic_mechanism": when(_BASIC),
        "oauth2_mechanism": when(_OAUTH2),
        **dict.fromkeys(POP_FIELDS, when(_POP)),
        "ssl_protocols": when(Term("ssl_protocol_mode", (Selection.SPECIFIC.value,))),
        "cipher_suites": when(Term("cipher_suite_mode", (Selection.SPECIFIC.value,))),
        "retry_interval": when(Term("max_retries", minimum=1)),
    }
)


HAS_FOLDERS = when(Term("store_type", (StoreType.IMAP.value,)))
TAKEN_AGAIN = when(Term("store_type", (StoreType.POP3.value,)), Term("disposition", (Disposition.KEEP.value,)))
"""Conditions of parts of the page that are no fields: the button that lists folders, a note on POP3."""


def hidden(values: Values) -> set[str]:
    """Return the fields that do not apply to these values."""
    return {name for name, condition in CONDITIONS.items() if not condition.holds(values)}


def applies(name: str, values: Values) -> bool:
    """Tell whether a field applies to these values."""
    condition = CONDITIONS.get(name)
    return condition is None or condition.holds(values)
