"""Where a stored secret goes, and which changes would lead it elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from connections.choices import BasicMechanism, MailboxMechanism, Security, SslProtocol
from connections.rules.tls import chosen_protocols, chosen_suites
from core.rules import Values
from steng.offer import SAFE
from steng.suites import SUITES


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a stored secret goes: it follows no change of `fields`, and no loosening of what protects it."""

    fields: tuple[str, ...]
    security: str
    reveals: Callable[[Values], bool]


_SENDS_IT = frozenset({BasicMechanism.PLAIN.value, BasicMechanism.LOGIN.value, MailboxMechanism.USER_PASS.value})
"""The mechanisms by which the password itself goes over the wire."""


def _basic_reveals(values: Values) -> bool:
    return values.get("basic_mechanism") in _SENDS_IT


def _pop_reveals(values: Values) -> bool:
    return not values.get("pop_use_apop")


DESTINATIONS: dict[str, Destination] = {
    "password": Destination(("host_canonical", "port", "username"), "connection_security", _basic_reveals),
    "pop_password": Destination(("pop_host", "pop_port", "pop_username"), "pop_security", _pop_reveals),
}


def readable(values: Values) -> bool:
    """Tell whether the sign-in of these values would send the secret itself over a connection that anybody can read."""
    return values.get("connection_security") == Security.NONE and _basic_reveals(values)


def redirected(secret: str, old: Values, new: Values) -> list[str]:
    """Return the fields by which a stored secret would reach another destination, or a less protected one."""
    where = DESTINATIONS[secret]
    moved = [name for name in where.fields if old.get(name) != new.get(name)]
    return moved + list(_loosened(where, old, new))


def unprotected(secret: str, values: Values) -> list[str]:
    """Return the fields by which a secret is less protected than with TLS, a matched name and what `ALL` allows."""
    where = DESTINATIONS[secret]
    return list(_loosened(where, {where.security: Security.SSL_TLS, "match_server_hostname": True}, values))


def _loosened(where: Destination, old: Values, new: Values) -> Iterable[str]:
    clear = new.get(where.security) == Security.NONE
    if clear and old.get(where.security) != Security.NONE:
        yield where.security
    if clear and where.reveals(new) and not where.reveals(old):
        # From a challenge-response mechanism to one that sends the secret itself, readable on the way.
        yield "basic_mechanism" if where.security == "connection_security" else "pop_use_apop"
    if not clear and old.get("match_server_hostname") and not new.get("match_server_hostname"):
        yield "match_server_hostname"
    if not clear and _oldest(new) > _oldest(old):
        yield "ssl_protocols"
    if not clear and _weaker_suites(old, new):
        yield "cipher_suites"


def _oldest(values: Values) -> int:
    """Return the place of the oldest version that is allowed; the larger, the older."""
    chosen = chosen_protocols(values)
    order = list(SslProtocol.values)
    return max((order.index(name) for name in chosen or SAFE if name in order), default=0)


def _weaker_suites(old: Values, new: Values) -> bool:
    """Tell whether a suite is allowed now that was not, and that ALL would not allow either or that was excluded."""
    before, after = chosen_suites(old), chosen_suites(new)
    if before is not None:
        return after is None or not set(after) <= set(before)
    return any(SUITES[name].group == "weak" for name in after or () if name in SUITES)
