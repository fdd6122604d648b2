"""Definitions without a fault, one for each way in which fields apply; every fault is planted in one of them."""

from __future__ import annotations

from typing import Any

from connections import rules
from connections.choices import Authentication, Selection
from connections.kinds import KINDS
from connections.models import Connection

BASIC_CREDENTIAL = "shared-login"
OAUTH2_CREDENTIAL = "tenant-app"
FOREIGN_CREDENTIAL = "for-another-host"
"""The names of credentials that the database of a parity test holds; the last may be used for one other host only."""

TAKEN = {"smtp": "a-mailbox-has-it", "mailbox": "an-smtp-connection-has-it"}
"""By kind a name that a connection of the other kind has in the database of a parity test."""

_COMMON: dict[str, Any] = {
    "host": "mail.example.org",
    "username": "orders",
    "password": "correct horse",
    "connection_security": "STARTTLS",
}
SOUND: dict[str, dict[str, Any]] = {
    "smtp": {"name": "orders-out", "port": 587, **_COMMON},
    "mailbox": {"name": "orders-in", "port": 143, **_COMMON},
}
"""A sound definition of each kind."""

POP_BEFORE_SMTP: dict[str, Any] = {
    "authentication_type": Authentication.POP_BEFORE_SMTP.value,
    "username": None,
    "password": None,
    "pop_host": "pop.example.org",
    "pop_port": 995,
    "pop_security": "SSL_TLS",
    "pop_username": "orders",
    "pop_password": "horse correct",
}
OAUTH2: dict[str, Any] = {
    "authentication_type": Authentication.OAUTH2_CLIENT_CREDENTIAL.value,
    "credential": OAUTH2_CREDENTIAL,
    "password": None,
}
POP3: dict[str, Any] = {"store_type": "POP3", "port": 110}

_SETTINGS: dict[str, dict[str, Any]] = {
    Authentication.BASIC.value: {},
    Authentication.OAUTH2_CLIENT_CREDENTIAL.value: OAUTH2,
    Authentication.POP_BEFORE_SMTP.value: POP_BEFORE_SMTP,
}
_LISTS = {
    "ssl_protocol_mode": ("ssl_protocols", "TLSv1_2"),
    "cipher_suite_mode": ("cipher_suites", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
}


def where_it_applies(model: type[Connection], name: str) -> dict[str, Any]:
    """Return the changes to the sound definition by which a field applies, read from the table of conditions."""
    condition = rules.CONDITIONS.get(name)
    changes: dict[str, Any] = {}
    if condition is None:
        return changes
    for term in condition.within(model.writable()).alternatives[0]:
        if term.minimum is not None:
            changes |= {term.controller: term.minimum, name: 60}
        elif term.controller == "authentication_type":
            changes |= _SETTINGS[term.values[0]]
        elif term.values == (Selection.SPECIFIC.value,):
            listed, member = _LISTS[term.controller]
            changes |= {term.controller: Selection.SPECIFIC.value, listed: [member]}
    return changes


def sound(kind: str, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a definition with some changes; what is None is left out."""
    values = {**SOUND[kind], **(changes or {})}
    assert values.keys() <= {*KINDS[kind].writable(), *(changes or {})}
    return {name: value for name, value in values.items() if value is not None}
