"""Single values of trust, as every door hands them over: endpoints, hosts, moments, kinds."""

from __future__ import annotations

import datetime as dt
import re

from core.errors import invalid
from core.net import canonical_host, split_endpoint
from steng.x509 import parse_fingerprint
from untrusted_cache.choices import Kind

_PREFIX = re.compile(r"\s*(?:sha-?256)?[\s=:]*(?:fingerprint)?[\s=:]*", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


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


def read_moment(value: object, *, end_of_day: bool = False) -> dt.datetime | None:
    """Return the UTC time of RFC 3339 text, or of a date alone its start or its last second; raise `invalid_type`.

    A person who writes "expires 2027-03-31" means that the whole day still counts.
    """
    if value is None or value == "":
        return None
    moment = value if isinstance(value, dt.datetime) else _parse(value, end_of_day=end_of_day)
    if moment is None or moment.tzinfo is None:
        raise invalid("invalid_type", "Expected a date, or a time with its zone as in 2027-03-31T12:00:00Z.")
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError:
        raise invalid("out_of_range", "This time is beyond the calendar.") from None


def _parse(value: object, *, end_of_day: bool) -> dt.datetime | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        if _DATE.match(value):
            clock = dt.time(23, 59, 59) if end_of_day else dt.time()
            return dt.datetime.combine(dt.date.fromisoformat(value), clock, dt.UTC)
        return dt.datetime.fromisoformat(value)
    except ValueError:
        return None
