"""From addresses to one connected socket: each is tried in order, within a fair share of the time that is left."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from steng.probe.egress import Address
from steng.probe.failure import ProbeFailure

_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_REACH = ("unreachable", "timeout", "reset", "refused")
"""Failures by how far the attempt came: of several addresses the one that came furthest is reported."""

_ELSEWHERE = {4: "192.0.2.1", 6: "2001:db8::1"}
"""Documentation addresses (RFC 5737, 3849): nothing is sent, only the routing table is asked."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One address that was tried; `code` is None for the one that answered."""

    address: str
    code: str | None
    duration_ms: float
    no_route: bool = False


@dataclass(slots=True)
class Dialled:
    """A connected socket, and what was tried on the way to it."""

    sock: socket.socket
    address: Address
    attempts: list[Attempt] = field(default_factory=list)


async def connect(addresses: Sequence[Address], port: int, deadline: float) -> Dialled:
    """Return a connected, non-blocking TCP socket to the first address that answers.

    `deadline` is in the loop's time; an address gets its share of what is left before it.
    Raises ProbeFailure `refused`, `unreachable`, `address_family_unreachable`, `reset`, `timeout`.
    """
    loop = asyncio.get_running_loop()
    attempts: list[Attempt] = []
    for place, address in enumerate(addresses):
        begin = loop.time()
        share = max(0.0, deadline - begin) / (len(addresses) - place)
        outcome = await _dial(address, port, share)
        duration = round((loop.time() - begin) * 1000, 3)
        if isinstance(outcome, socket.socket):
            attempts.append(Attempt(str(address), None, duration))
            return Dialled(outcome, address, attempts)
        attempts.append(
            Attempt(str(address), _code_of(outcome), duration, getattr(outcome, "errno", None) in _NO_ROUTE)
        )
    raise _failure_of(addresses, port, attempts)


def describe(attempts: Sequence[Attempt]) -> list[dict[str, object]]:
    """Return attempts as evidence."""
    return [
        {"address": attempt.address, "result": attempt.code or "connected", "duration_ms": attempt.duration_ms}
        for attempt in attempts
    ]


def source_towards(address: Address, port: int) -> str | None:
    """Return the address this machine would use towards `address`, None where it has no route; sends nothing."""
    try:
        with socket.socket(_family(address), socket.SOCK_DGRAM) as sock:
            sock.connect((str(address), port))
            return str(sock.getsockname()[0])
    except OSError:
        return None


async def _dial(address: Address, port: int, seconds: float) -> socket.socket | OSError:
    try:
        sock = socket.socket(_family(address), socket.SOCK_STREAM)
    except OSError as error:
        return error
    try:
        sock.setblocking(False)
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(sock, (str(address), port))
    except OSError as error:
        sock.close()
        return error
    except BaseException:
        # A cancelled probe leaves no socket behind.
        sock.close()
        raise
    return sock


def _family(address: Address) -> socket.AddressFamily:
    return socket.AF_INET if address.version == 4 else socket.AF_INET6


def _code_of(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if error.errno == errno.ECONNREFUSED:
        return "refused"
    return "reset" if error.errno == errno.ECONNRESET else "unreachable"


def _failure_of(addresses: Sequence[Address], port: int, attempts: Sequence[Attempt]) -> ProbeFailure:
    codes = [attempt.code or "unreachable" for attempt in attempts]
    code = max(codes, key=_REACH.index)
    address = addresses[codes.index(code)]
    source = source_towards(address, port)
    evidence = {"addresses": describe(attempts), "port": port, "source_address": source}
    versions = {address.version for address in addresses}
    if len(versions) == 1 and all(attempt.no_route for attempt in attempts):
        (version,) = versions
        if source_towards(ipaddress.ip_address(_ELSEWHERE[version]), port) is None:
            detail = f"The server has only IPv{version} addresses, and this STENG has no IPv{version}."
            return ProbeFailure("address_family_unreachable", detail, evidence=evidence)
    return ProbeFailure(code, _detail_of(code, address, port, source), evidence=evidence)


def _detail_of(code: str, address: Address, port: int, source: str | None) -> str:
    where = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
    if code == "refused":
        return f"Nothing listens on {where}: the connection was refused."
    if code == "timeout":
        return f"No answer from {where} to {source or 'this STENG'}: the packets are probably dropped on the way."
    return f"There is no route from {source or 'this STENG'} to {where}." if code == "unreachable" else ""
