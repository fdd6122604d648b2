"""Single values of trust, as every door hands them over: endpoints, hosts, moments, kinds."""

from __future__ import annotations

import re

from core.errors import invalid
from core.net import canonical_host, split_endpoint
from steng.x509 import parse_fingerprint
from untrusted_cache.choices import Kind

_PREFIX = re.compile(r"\s*(?:sha-?256)?[\s=:]*(?:fingerprint)?[\s=:]*", re.IGNORECASE)


def read_kind(value: object) -> Kind:
    """Return `anchor` or `pin`; raise `required`, `invalid_type` or `invalid_choice`."""
    if value is None or value == "":
        raise invalid("required", "Say how to trust it: as anchor or as pin.")
    if not isinstance(value, str):
        raise invalid("invalid_type", "Expected a text.")
    if value not in Kind.values:
        raise invalid("invalid_choice", "Choose one of anchor, pin.", allowed=list(Kind.values))
    return Kind(value)


def read_endpoint(value: object) -> tuple[str, int] | None:
    """Return canonical host and port of `host:port`, None for an absent one; raise `invalid_type` or `host_invalid`."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise invalid("invalid_type", "Expected a text.")
    try:
        return split_endpoint(value)
    except ValueError:
        raise invalid("host_invalid", "Write the endpoint as host:port, an IPv6 address in brackets.") from None


def read_host(value: str) -> str:
    """Return the canonical form of a host of a scope; raise `host_invalid`."""
    try:
        return canonical_host(value)
    except ValueError:
        raise invalid("host_invalid", f"“{value[:80]}” is not a host name or IP address.", value=value[:80]) from None


def read_fingerprint(text: str) -> str | None:
    """Return a SHA-256 fingerprint in its stored form, None if the text is none.

    What tools print around it (`sha256 Fingerprint=`), blanks, colons and case do not count.
    """
    return parse_fingerprint(text) or parse_fingerprint(_PREFIX.sub("", text, count=1))
