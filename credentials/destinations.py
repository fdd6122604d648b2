"""Where a secret may be sent: patterns of host and port.

`mail.example.org:587` is one host and port; `*.example.org:587` every host below example.org, however deep, and not
example.org itself; `:*` any port. An IPv6 address stands in brackets. Hosts are compared in canonical form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.errors import invalid
from core.fields import NameListField, check_characters, check_length
from core.net import canonical_host
from core.text import normalise

MAX_PATTERN = 300
"""A host name of 253, two brackets or `*.`, a colon and five digits, with room to spare for an IDNA spelling."""

_ANY = "*"
_PATTERN = re.compile(r"(?P<wild>\*\.)?(?P<host>\[[^\]]*\]|[^:\[\]*]+):(?P<port>\*|[0-9]{1,5})\Z")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern taken apart; `below` tells whether it means the hosts below `host`, `port` None is any."""

    host: str
    below: bool
    port: int | None

    def permits(self, host: str, port: int) -> bool:
        """Tell whether the pattern speaks of this canonical host and port."""
        return self._covers_host(host) and self.port in {None, port}

    def covers(self, other: Pattern) -> bool:
        """Tell whether everything that the other pattern permits is permitted by this one."""
        if self.port not in {None, other.port}:
            return False
        if other.below:
            return self.below and (other.host == self.host or other.host.endswith(f".{self.host}"))
        return self._covers_host(other.host)

    def _covers_host(self, host: str) -> bool:
        return host.endswith(f".{self.host}") if self.below else host == self.host


def parse(text: str) -> Pattern:
    """Return the pattern that a text spells; raise ValueError with a sentence."""
    match = _PATTERN.match(text)
    if match is None:
        raise ValueError("Write it as host:port, *.example.org:port or [IPv6]:port; the port may be *.")
    host, port = match["host"], match["port"]
    if port != _ANY and not 1 <= int(port) <= 65_535:
        raise ValueError("The port must be between 1 and 65,535, or *.")
    try:
        canonical = canonical_host(host)
    except ValueError:
        raise ValueError(f"“{host[:80]}” is neither a host name nor an IP address.") from None
    if match["wild"] and (host.startswith("[") or _is_address(canonical)):
        raise ValueError("Only host names have hosts below them.")
    return Pattern(canonical, bool(match["wild"]), None if port == _ANY else int(port))


def _is_address(canonical: str) -> bool:
    # The last label of a host name is never a number (see `canonical_host`).
    return canonical.rpartition(".")[2].isdigit()


def permitted(patterns: Sequence[str], host: str, port: int) -> bool:
    """Tell whether a list of stored patterns permits this canonical host and port; an empty list permits any."""
    return not patterns or any(parse(text).permits(host, port) for text in patterns)


def widened(before: Sequence[str], after: Sequence[str]) -> bool:
    """Tell whether the second list permits anything that the first did not."""
    if not before:
        return False
    if not after:
        return True
    old = [parse(text) for text in before]
    return not all(any(pattern.covers(new) for pattern in old) for new in _readable(after))


def _readable(patterns: Iterable[str]) -> Iterable[Pattern]:
    for text in patterns:
        try:
            yield parse(text)
        except ValueError:
            continue  # an error of its own, and never stored


class DestinationListField(NameListField):
    """A list of patterns without doubles, kept as typed."""

    def _key(self, item: str) -> str:
        try:
            pattern = parse(normalise(item))
        except ValueError:
            return item
        return f"{'*.' if pattern.below else ''}{pattern.host}:{pattern.port or _ANY}"

    def _check_item(self, item: str) -> None:
        check_length(item, MAX_PATTERN)
        check_characters(item)
        try:
            parse(item)
        except ValueError as error:
            raise invalid("destination_invalid", f"“{item[:80]}”: {error}", value=item[:80]) from None
