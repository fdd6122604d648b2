"""The rules of single values of a definition."""

from __future__ import annotations

import re
from typing import Any

from core.errors import invalid
from core.net import canonical_host, split_endpoint

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^/@]*@)?(?P<host>\[[^\]]*\]|[^:/?#\s]+)(?::(?P<port>[0-9]+))?(?:[/?#].*)?\Z",
    re.IGNORECASE,
)
_SECURITY_OF_SCHEME = {"smtps": "SSL_TLS", "smtp": "STARTTLS", "submission": "STARTTLS", "submissions": "SSL_TLS"}
_ATOMS = re.compile(r"[^\s@<>()\[\],;:\\\".]+(?:\.[^\s@<>()\[\],;:\\\".]+)*\Z")
"""Dot-separated atoms. The dot stands outside the class, so that there is one way to match and no back-tracking."""

_HELO_LITERAL = re.compile(r"\[[0-9A-Fa-f:.IPv]+\]\Z")


def validate_host(text: str) -> None:
    """Accept a host name (IDNA too) or an IP address, with brackets around IPv6 or without.

    A pasted URL or `host:port` gets its own code and a `suggestion` that splits it.
    """
    url = _URL.match(text)
    if url is not None:
        raise invalid(
            "host_has_scheme",
            "Enter the host name alone, without a scheme such as smtp://.",
            suggestion=_suggestion(url["host"], url["port"], url["scheme"].lower()),
        )
    try:
        canonical_host(text)
    except ValueError:
        _refuse_port(text)
        raise invalid("host_invalid", "This is neither a host name nor an IP address.") from None


def _refuse_port(text: str) -> None:
    try:
        _, port = split_endpoint(text)
    except ValueError:
        return
    host = text.strip().rpartition(":")[0]
    raise invalid(
        "host_has_port",
        "Enter the port in its own field.",
        suggestion=_suggestion(host, str(port), ""),
    )


def _suggestion(host: str, port: str | None, scheme: str) -> dict[str, Any]:
    suggestion: dict[str, Any] = {"host": host}
    if port is not None and 1 <= int(port) <= 65_535:
        suggestion["port"] = int(port)
    if scheme in _SECURITY_OF_SCHEME:
        suggestion["connection_security"] = _SECURITY_OF_SCHEME[scheme]
    return suggestion


def validate_mailbox_address(text: str) -> None:
    """Accept an envelope address (RFC 5321, section 4.1.2, without quoted local parts)."""
    local, at, domain = text.partition("@")
    if not at or len(local.encode()) > 64 or _ATOMS.match(local) is None:
        raise invalid("invalid_address", "Enter one e-mail address, such as orders@example.org.")
    try:
        canonical_host(domain)
    except ValueError:
        raise invalid("invalid_address", "The part after @ is not a domain.") from None


def validate_helo_name(text: str) -> None:
    """Accept what may follow EHLO: a domain or an address literal (RFC 5321, section 4.1.1.1)."""
    if _HELO_LITERAL.match(text):
        return
    try:
        canonical_host(text)
    except ValueError:
        raise invalid("host_invalid", "Enter a domain name, or an IP address in brackets.") from None
