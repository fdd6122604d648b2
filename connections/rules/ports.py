"""Which ports go with which protocol and security."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connections.choices import Kind, Security, StoreType
from core.rules import Values

SMTP = Kind.SMTP.label

USUAL_PORTS: Mapping[str, Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {
        SMTP: {
            Security.STARTTLS.value: (587, 25, 2525),
            Security.SSL_TLS.value: (465,),
            Security.NONE.value: (25, 587, 2525),
        },
        StoreType.IMAP.value: {
            Security.STARTTLS.value: (143,),
            Security.SSL_TLS.value: (993,),
            Security.NONE.value: (143,),
        },
        StoreType.POP3.value: {
            Security.STARTTLS.value: (110,),
            Security.SSL_TLS.value: (995,),
            Security.NONE.value: (110,),
        },
    }
)
"""By protocol and security; the first is the one to propose."""

KNOWN_FOR: Mapping[int, str] = MappingProxyType(
    {
        25: "Port 25 is usually SMTP with STARTTLS or in clear text.",
        465: "Port 465 is usually SMTP over SSL/TLS.",
        587: "Port 587 is usually SMTP with STARTTLS.",
        110: "Port 110 is usually POP3.",
        143: "Port 143 is usually IMAP.",
        993: "Port 993 is usually IMAP over SSL/TLS.",
        995: "Port 995 is usually POP3 over SSL/TLS.",
    }
)
"""Ports that custom gives to one way of speaking only."""


def protocol_of(values: Values) -> str:
    """Return the protocol that these values speak: `SMTP`, `IMAP` or `POP3`."""
    return str(values.get("store_type") or StoreType.IMAP) if values.get("kind") == Kind.MAILBOX else SMTP
