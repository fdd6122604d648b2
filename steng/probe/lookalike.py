"""What speaks here instead of what was expected: a guess from the first bytes, for people to act on."""

from __future__ import annotations

import re

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
