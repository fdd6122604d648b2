"""Names of mailboxes as IMAP writes them: modified UTF-7 (RFC 3501 section 5.1.3). Pure functions."""

from __future__ import annotations

import base64
import binascii
import re

_RUN = re.compile(r"[\x20-\x7e]+|[^\x20-\x7e]+")
_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")


def encode(name: str) -> str:
    """Return `name` in modified UTF-7; whatever stands in it, the result is printable ASCII."""
    return "".join(
        run.replace("&", "&-") if run.isascii() and run.isprintable() else _shifted(run) for run in _runs(name)
    )


def decode(text: str) -> str:
    """Return the name that `text` stands for; raise ValueError where it is not modified UTF-7."""
    if not text.isascii():
        raise ValueError("not ASCII")
    # Every other part stood in a shift; each character is looked at once.
    parts = _SHIFTED.split(text)
    if any("&" in part for part in parts[::2]):
        raise ValueError("an unfinished shift")
    parts[1::2] = [_unshifted(part) if part else "&" for part in parts[1::2]]
    return "".join(parts)


def _runs(name: str) -> list[str]:
    return _RUN.findall(name)


def _shifted(run: str) -> str:
    encoded = base64.b64encode(run.encode("utf-16-be", "surrogatepass")).decode("ascii")
    return f"&{encoded.rstrip('=').replace('/', ',')}-"


def _unshifted(text: str) -> str:
    padded = text.replace(",", "/") + "=" * (-len(text) % 4)
    # binascii.Error and UnicodeDecodeError are both ValueErrors.
    return binascii.a2b_base64(padded, strict_mode=True).decode("utf-16-be")
