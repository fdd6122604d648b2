"""What a server chose, read from the first bytes of its answer to a ClientHello (RFC 5246 7.4.1.3, RFC 8446 4.1.3).

Pure, and for who wants to know what a server would choose without shaking hands to the end: OpenSSL tells the
version only of a handshake that succeeded.
"""

from __future__ import annotations

from dataclasses import dataclass

from steng.offer import code_points

_HANDSHAKE, _SERVER_HELLO, _SUPPORTED_VERSIONS = 22, 2, 43
_VERSIONS = {0x0301: "TLSv1", 0x0302: "TLSv1_1", 0x0303: "TLSv1_2", 0x0304: "TLSv1_3"}


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
    name, chosen = code_points().get(suite), _VERSIONS.get(version)
    return Choice(chosen, name) if chosen and name else None


def _read(data: bytes) -> tuple[int, int]:
    if data[0] != _HANDSHAKE or data[5] != _SERVER_HELLO:
        raise IndexError
    version = _number(data, 9)
    place = 43 + 1 + data[43]  # record, handshake, version and random; then the session id with its length
    suite = _number(data, place)
    end = 9 + int.from_bytes(data[6:9], "big")
    place += 2 + 1 + 2  # suite, compression, length of the extensions
    while place < end:
        kind, length = _number(data, place), _number(data, place + 2)
        if kind == _SUPPORTED_VERSIONS:
            return _number(data, place + 4), suite
        place += 4 + length
    return version, suite


def _number(data: bytes, place: int) -> int:
    return data[place] << 8 | data[place + 1]
