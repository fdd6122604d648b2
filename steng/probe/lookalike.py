"""What speaks here instead of what was expected: a guess from the first bytes, for people to act on."""

from __future__ import annotations

import re

from steng.probe.failure import ProbeFailure
from steng.wire import Protocol

_SIGNS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"[\x14-\x17]\x03[\x00-\x04]"), "TLS"),
    (re.compile(rb"HTTP/\d|<!doctype|<html", re.IGNORECASE), "HTTP"),
    (re.compile(rb"SSH-\d"), "SSH"),
    (re.compile(rb"\* (OK|BYE|PREAUTH)\b", re.IGNORECASE), "IMAP"),
    (re.compile(rb"(\+OK|-ERR)\b", re.IGNORECASE), "POP3"),
    (re.compile(rb"RFB \d"), "VNC"),
    (re.compile(rb"[2345]\d\d[ -]"), "SMTP"),
)


def looks_like(data: bytes) -> str | None:
    """Return the name of the protocol that `data` begins with, None where it is none of the known ones."""
    for sign, name in _SIGNS:
        if sign.match(data):
            return name
    return None


def not_spoken(expected: Protocol, data: bytes) -> ProbeFailure:
    """Return the failure for bytes that are no answer of the expected protocol."""
    name = looks_like(data)
    if name is None or name == expected:
        return ProbeFailure("protocol_error")
    evidence: dict[str, object] = {"looks_like": name}
    if name == "TLS":
        evidence["suggestion"] = {"connection_security": "SSL_TLS"}
    detail = f"{name} answers on this port, not {expected.value} in clear text."
    return ProbeFailure("wrong_protocol", detail, evidence=evidence)
