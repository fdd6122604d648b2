"""Names that lead nowhere, and addresses where nobody is."""

import asyncio
import socket
from collections.abc import Iterator, Sequence

from steng.probe.resolve import Resolver
from steng.wire import Egress
from tests.lab.dialects import Moment
from tests.lab.faults.acts import TIMEOUT_MS
from tests.lab.faults.fault import Fault
from tests.lab.faults.scene import LeapingLoop

_NAMED = {"host": "mail.lab.test"}


def faults() -> Iterator[Fault]:
    """Yield them."""
    resolve, connect = Moment.RESOLVE, Moment.CONNECT
    for error, said, code in (
        (socket.EAI_NONAME, "does not exist", "name_not_found"),
        (socket.EAI_NODATA, "has no address", "no_address"),
        (socket.EAI_AGAIN, "cannot be looked up now", "resolver_failed"),
    ):
        yield Fault(name=f"has a name that {said}", at=resolve, code=code, resolver=_fails(error), request=_NAMED)
    yield Fault(
        name="has a name that the name server never answers for",
        at=resolve,
        code="timeout",
        resolver=_never,
        request=_NAMED,
    )
    for address, what in (("169.254.169.254", "a metadata service"), ("fe80::1", "a link-local address")):
        yield Fault(
            name=f"has a name that leads to {what}",
            at=resolve,
            code="address_refused",
            resolver=_answers(address),
            request=_NAMED,
        )
    yield Fault(
        name="is on loopback where that is not allowed",
        at=resolve,
        code="address_refused",
        request={"egress": Egress()},
    )
    yield Fault(name="does not listen", at=connect, code="refused", closed=True)
    yield Fault(
        name="listens on its second address only",
        at=connect,
        code="address_failed",
        warning=True,
        resolver=_answers("127.0.0.2", "127.0.0.1"),
        request=_NAMED,
    )


def _fails(number: int) -> Resolver:
    async def resolver(host: str) -> Sequence[str]:
        raise socket.gaierror(number, "as the system says it")

    return resolver


def _answers(*addresses: str) -> Resolver:
    async def resolver(host: str) -> Sequence[str]:
        return addresses

    return resolver


async def _never(host: str) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LeapingLoop)
    loop.leapt += TIMEOUT_MS / 1000 + 1
    await loop.create_future()
    return ()
