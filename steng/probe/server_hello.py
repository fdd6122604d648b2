"""What a server chose, read from the first bytes of its answer to a ClientHello (RFC 5246 7.4.1.3, RFC 8446 4.1.3).

Pure, and for who wants to know what a server would choose without shaking hands to the end: OpenSSL tells the
version only of a handshake that succeeded.
"""

from __future__ import annotations

from dataclasses import dataclass

from steng.offer import code_points
from steng.suites import SUITES

_HANDSHAKE, _SERVER_HELLO = 22, 2
_VERSIONS = {0x0301: "TLSv1", 0x0302: "TLSv1_1", 0x0303: "TLSv1_2"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A version and a suite in the words of definitions."""

    version: str
    suite: str


def choice_of(data: bytes) -> Choice | None:
    """Return what a ServerHello chose; None where these bytes are none, or end before the choice."""
    try:
        version, suite = _read(data)
    except IndexError:
        return None
    name, older = code_points().get(suite), _VERSIONS.get(version)
    if name is None or older is None:
        return None
    # TLS 1.3 calls itself 1.2 here and tells the truth in an extension; its suites belong to no other version.
    return Choice("TLSv1_3" if SUITES[name].tls13 else older, name)


def _read(data: bytes) -> tuple[int, int]:
    if data[0] != _HANDSHAKE or data[5] != _SERVER_HELLO:
        raise IndexError
    # Record 5 bytes, message 4, version 2, random 32; then the session with its length before the suite.
    return _number(data, 9), _number(data, 43 + 1 + data[43])


def _number(data: bytes, place: int) -> int:
    return data[place] << 8 | data[place + 1]
