"""One client process of a benchmark: `python -m bench.clients` reads a `Task` as JSON and writes a `Spent`.

A process of its own for each measurement: what one client changes in asyncio or leaves in memory is not
another's gain or burden, and user + sys of the process is what the probes took.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import itertools
import json
import resource
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass

import aiosmtplib

from bench import raw
from bench.mailserver import Target
from bench.processes import answer
from steng.probe import probe
from steng.secret import Secret
from steng.wire import (
    Authentication,
    Egress,
    Login,
    Mechanism,
    ProbeRequest,
    Protocol,
    Security,
    StageName,
    StageOutcome,
    TlsPolicy,
    TrustedCertificate,
    TrustSet,
)

WARM_UP = 10
"""Probes before the clock starts: imports, contexts and caches are paid once in the life of a process."""

_PATIENCE = 300.0

Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Task:
    """What one process does: `count` probes of `client`, `in_flight` at a time, one target after the other."""

    client: str
    count: int
    in_flight: int
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Spent:
    """What it took: seconds of CPU and of the wall for all probes, and the peak of memory in MB."""

    user: float
    system: float
    wall: float
    peak: float

    @property
    def cpu(self) -> float:
        """Return the seconds of CPU."""
        return self.user + self.system


def measure(task: Task) -> Spent:
    """Run a task in a fresh process."""
    return Spent(**json.loads(answer(["-m", "bench.clients"], json.dumps(asdict(task)), seconds=_PATIENCE)))


def ours(target: Target) -> Act:
    """Return the probe of the product, as a STENG runs it."""
    der = ssl.PEM_cert_to_DER_cert(target.root)
    request = ProbeRequest(
        protocol=Protocol.SMTP,
        host=target.host,
        port=target.port,
        security=Security.STARTTLS,
        authentication=Authentication.BASIC,
        login=Login(Mechanism.AUTO, target.username, Secret(target.password)),
        tls=TlsPolicy(match_server_hostname=True),
        trust=TrustSet(version=1, anchors=(TrustedCertificate("1", "root", der),)),
        egress=Egress(allow_loopback=True),
    )

    async def act() -> None:
        report = await probe(request)
        ended = {stage.name: stage.outcome for stage in report.stages}
        if ended[StageName.AUTH] is not StageOutcome.OK or len(report.chain) != 2:
            raise ValueError(report)

    return act


def bare(target: Target) -> Act:
    """Return the bare asyncio client."""
    context = _context(target.root)

    async def act() -> None:
        chain = await raw.sign_in(target, context)
        if len(chain) != 2:
            raise ValueError(base64.b64encode(b"".join(chain)))

    return act


def library(target: Target) -> Act:
    """Return aiosmtplib as its manual shows it, with one context for all."""
    context = _context(target.root)

    async def act() -> None:
        async with aiosmtplib.SMTP(
            hostname=target.host,
            port=target.port,
            username=target.username,
            password=target.password,
            start_tls=True,
            tls_context=context,
            # Without it the library asks the resolver for our own name, which is not what is compared.
            local_hostname="localhost",
        ):
            pass

    return act


@functools.cache
def _context(root: str) -> ssl.SSLContext:
    return raw.context_for(root)


CLIENTS: dict[str, Callable[[Target], Act]] = {"ours": ours, "raw": bare, "aiosmtplib": library}


async def run(task: Task) -> Spent:
    """Run the probes of a task and return what they took; raise what the first that failed raises."""
    acts = [CLIENTS[task.client](target) for target in task.targets]
    for act in itertools.islice(itertools.cycle(acts), WARM_UP):
        await act()
    turns = itertools.islice(itertools.cycle(acts), task.count)
    before, begin = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(min(task.in_flight, task.count)):
            group.create_task(_take_turns(turns))
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF)
    return Spent(
        user=after.ru_utime - before.ru_utime,
        system=after.ru_stime - before.ru_stime,
        wall=wall,
        peak=after.ru_maxrss / 1024,
    )


async def _take_turns(turns: Iterator[Act]) -> None:
    for act in turns:
        await act()


def main() -> None:
    """Run the task on standard input."""
    told = json.load(sys.stdin)
    targets = tuple(Target(**target) for target in told.pop("targets"))
    print(json.dumps(asdict(asyncio.run(run(Task(**told, targets=targets))))))


if __name__ == "__main__":
    main()
