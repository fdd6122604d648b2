"""From a host to its addresses, without ever blocking the loop or the end of the program."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import queue
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from steng.probe.egress import Address, refusal
from steng.probe.failure import ProbeFailure
from steng.wire import Egress

Resolver = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the IP addresses of a host name, best first; raises socket.gaierror."""

MAX_ADDRESSES = 16
"""Addresses that are tried: more would only share the deadline among too many."""

MAX_THREADS = 32
"""Lookups at one time; getaddrinfo cannot be cancelled, so a dead name server holds each for its own timeout."""

_ABSENT = {socket.EAI_NONAME: "name_not_found", getattr(socket, "EAI_NODATA", None): "no_address"}


@dataclass(frozen=True, slots=True)
class Addresses:
    """What a name led to: the addresses that may be used, and those that may not with the reason."""

    usable: tuple[Address, ...]
    refused: tuple[tuple[str, str], ...] = ()


class SystemResolver:
    """Ask the operating system in a bounded set of daemon threads.

    Not an executor: Python waits for an executor's threads at its end, and a thread
    in getaddrinfo may take a minute to notice that its name server is dead.
    """

    def __init__(self, threads: int = MAX_THREADS) -> None:
        self._limit = threads
        self._questions: queue.SimpleQueue[tuple[str, asyncio.Future[list[str]]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._open = 0

    async def __call__(self, host: str) -> Sequence[str]:
        """Return the addresses of `host`; raises socket.gaierror."""
        answer: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._open += 1
            more = self._open > self._threads and self._threads < self._limit
            self._threads += more
        self._questions.put((host, answer))
        if more:
            threading.Thread(target=self._serve, name="steng-resolve", daemon=True).start()
        return await answer

    def _serve(self) -> None:
        while True:
            host, answer = self._questions.get()
            found: list[str] | OSError = []
            if not answer.cancelled():
                found = _look_up(host)
            with self._lock:
                self._open -= 1
            # A loop that was closed meanwhile has nobody left to tell.
            with contextlib.suppress(RuntimeError):
                answer.get_loop().call_soon_threadsafe(_settle, answer, found)


def host_of(text: str) -> str:
    """Return a host as it goes on the wire: no brackets, no final dot, A-labels (RFC 5890).

    Raises ProbeFailure `name_not_found` for what can be no name.
    """
    bare = text.strip().removeprefix("[").removesuffix("]").removesuffix(".").lower()
    literal = literal_of(bare)
    if literal is not None:
        return str(literal)
    try:
        name = bare.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not name:
        raise ProbeFailure("name_not_found", "The host cannot be a host name.")
    return name


def literal_of(host: str) -> Address | None:
    """Return the address where `host` is an IP literal, else None; a zone (RFC 4007) is left out.

    Only link-local addresses need one, and those are refused; elsewhere it would only disguise an address.
    """
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


async def resolve(host: str, egress: Egress, resolver: Resolver) -> Addresses:
    """Return the usable addresses of `host`, each once, in the resolver's order.

    Raises ProbeFailure: `name_not_found`, `no_address`, `resolver_failed`, `address_refused`.
    """
    literal = literal_of(host)
    found = [literal] if literal is not None else await _ask(host, resolver)
    usable: list[Address] = []
    refused: list[tuple[str, str]] = []
    for address in list(dict.fromkeys(found))[:MAX_ADDRESSES]:
        reason = refusal(address, egress)
        if reason is None:
            usable.append(address)
        else:
            refused.append((str(address), reason))
    if refused and not usable:
        address_text, reason = refused[0]
        raise ProbeFailure(
            "address_refused",
            f"The host leads to {address_text} ({reason}), an address that connections may not use from here.",
            evidence={"host": host, "refused": [list(pair) for pair in refused]},
        )
    return Addresses(tuple(usable), tuple(refused))


async def _ask(host: str, resolver: Resolver) -> list[Address]:
    try:
        answers = await resolver(host)
    except socket.gaierror as error:
        code = _ABSENT.get(error.errno, "resolver_failed")
        raise ProbeFailure(code, evidence={"host": host, "resolver_error": error.strerror or ""}) from None
    except UnicodeError:
        raise ProbeFailure("name_not_found", "The host cannot be a host name.", evidence={"host": host}) from None
    addresses = [address for address in map(literal_of, answers) if address is not None]
    if not addresses:
        raise ProbeFailure("no_address", evidence={"host": host})
    return addresses


def _look_up(host: str) -> list[str] | OSError:
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        return error
    except ValueError:
        # A NUL, or a label that IDNA does not know.
        return socket.gaierror(socket.EAI_NONAME, "not a host name")
    return [str(answer[4][0]) for answer in answers]


def _settle(answer: asyncio.Future[list[str]], found: list[str] | OSError) -> None:
    if answer.done():
        # The probe did not wait: its deadline passed or it was cancelled.
        return
    if isinstance(found, OSError):
        answer.set_exception(found)
    else:
        answer.set_result(found)


system_resolver = SystemResolver()
