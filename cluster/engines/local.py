"""The embedded engine: one STENG inside the dispatcher's process, and no broker.

The table of jobs is the queue. A ring of the bell, or the second that has passed, starts a round: what was
cancelled is dropped, what waits and has room is accepted and handed to the worker. Room is counted in slots
of the STENG, in connections per target host and port (more than `POSTERN_PER_TARGET` look like an attack, and many
servers count), and in accounts: one that somebody signs in to, here or on another STENG, has no room for a second.
What waits for its account waits in the queue and takes no room from others. Of slots and connections some are kept
for people.

Batches are performed beside the rounds, a few items at a time with a pause after each turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import ssl
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.conf import settings

from cluster import accounts, asides, dispatch, selectors, services
from cluster.batches import services as batches
from cluster.batches.performing import Performer
from cluster.choices import Lane
from cluster.dispatch.retention import PAUSE
from cluster.dispatch.running import still_running
from cluster.engines.desk import Desk
from cluster.engines.link import LocalLink
from cluster.models import Steng
from cluster.rules import HEARTBEAT
from cluster.wake import listen
from steng import __version__
from steng.offer import abilities
from steng.worker import Probe, Worker

_log = logging.getLogger(__name__)

RESERVED = 5
"""One place in this many is never given to bulk tests, so that a click does not wait behind them."""

ROUND = 1.0
"""Seconds after which a round is made although no bell rang."""

BREATH = 0.01
"""Seconds between two turns of batches."""

SOON = 0.03
"""Seconds until the round that bulk tests ask for, by their coming or by their end: those of that time share it."""

BULK_ROUND = 20
"""Bulk tests that one round accepts: a round with a click in it is not to be a long one."""

GRACE = 5.0
"""Seconds that running tests get when the process is asked to end."""


class SupersededError(Exception):
    """Another process has taken over the STENG; this one must stop touching its jobs."""


@dataclass(frozen=True, slots=True)
class Held:
    """A job that this engine has accepted and that is not over."""

    job: UUID
    lane: str
    target: str
    account: str = ""


class LocalEngine:
    """Carry jobs to the STENG of this process. It belongs to one event loop."""

    def __init__(self, steng: Steng, probe: Probe, clock: Callable[[], datetime]) -> None:
        self._steng = steng
        self._clock = clock
        self._incarnation = secrets.token_hex(16)
        self._desk = Desk()
        self._asides = asides.Asides()
        self._link = LocalLink(self._desk, steng, clock, self._asides, self._is_patient)
        self._worker = Worker(self._link, probe, self._ended)
        self._held: dict[UUID, Held] = {}
        self._performer = Performer()
        self._ring = asyncio.Event()
        self._batch_ring = asyncio.Event()
        self._stopping = asyncio.Event()
        self._renewed = clock()
        self._forgot: datetime | None = None
        self._batch_live = False
        self._soon: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        """Take no more work and end; a second call drops at once what runs."""
        if self._stopping.is_set():
            for job in self._held:
                self._worker.drop(job)
        self._stopping.set()
        self._ring.set()

    async def run(self) -> None:
        """Carry jobs until `stop`; raise SupersededError where a younger process has taken over."""
        self._desk.open()
        try:
            await self._desk.call(self._begin)
            async with asides.served(self._asides, self._clock):
                with self._listening():
                    await self._carry()
            await self._end()
        finally:
            await self._desk.close()

    async def _carry(self) -> None:
        stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
        chores = {
            asyncio.create_task(self._rounds(), name="rounds"),
            asyncio.create_task(self._beats(), name="beats"),
            asyncio.create_task(self._perform(), name="batches"),
            asyncio.create_task(self._link.write_on(), name="progress"),
        }
        try:
            done, _ = await asyncio.wait({stopping, *chores}, return_when=asyncio.FIRST_COMPLETED)
            for chore in done - {stopping}:
                chore.result()  # a chore ends only by breaking; the supervisor starts us anew
            await self._worker.drain(GRACE)
        finally:
            for task in (stopping, *chores):
                task.cancel()
            await asyncio.gather(stopping, *chores, return_exceptions=True)

    def _begin(self) -> None:
        now = self._clock()
        services.start_life(
            self._steng,
            incarnation=self._incarnation,
            version=__version__,
            capabilities=capabilities(),
            now=now,
        )
        settled = dispatch.abandon(self._steng, now)
        if settled.total():
            _log.warning("settled what an earlier process left: %s", dict(settled))

    async def _end(self) -> None:
        self._desk.hurry()
        await self._link.write()
        await self._desk.call(lambda: dispatch.abandon(self._steng, self._clock()))
        await self._desk.call(lambda: services.end_life(self._steng, incarnation=self._incarnation))

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        pipe = listen()

        def heard() -> None:
            with contextlib.suppress(BlockingIOError):
                os.read(pipe, 65_536)
            self._ring.set()
            self._batch_ring.set()

        loop.add_reader(pipe, heard)
        try:
            yield
        finally:
            loop.remove_reader(pipe)
            os.close(pipe)

    async def _rounds(self) -> None:
        while True:
            self._ring.clear()
            attempts = self._worker.attempts
            held = tuple(self._held.values())
            alive, accepted = await self._desk.call(partial(self._round, attempts, held))
            for job in attempts.keys() - alive:
                self._drop(job)
            for taken in accepted:
                self._held[taken.job] = taken
                self._worker.take(taken.job)
            if _bulk(accepted) >= BULK_ROUND:
                self._ring.set()  # there may be more
            await _within_a_round(self._ring)

    def _round(self, attempts: dict[UUID, int], held: tuple[Held, ...]) -> tuple[set[UUID], list[Held]]:
        alive = still_running(self._steng, attempts) if attempts else set()
        return alive, [] if self._stopping.is_set() else self._accept(held)

    def _accept(self, held: tuple[Held, ...]) -> list[Held]:
        steng = Steng.objects.get(pk=self._steng.pk)
        if not steng.enabled or steng.drain:
            return []
        room = Room(steng.slots, held, settings.POSTERN_PER_TARGET)
        accepted: list[Held] = []
        for lane in (Lane.INTERACTIVE, Lane.BULK):  # people first
            accepted += self._accept_from(lane, steng, room)
        return accepted

    def _accept_from(self, lane: Lane, steng: Steng, room: Room) -> list[Held]:
        accepted: list[Held] = []
        most = BULK_ROUND if lane == Lane.BULK else room.free(lane)
        while limit := min(room.free(lane), most - len(accepted)):
            found = selectors.waiting_for(steng, lane=lane, full_targets=room.full_targets(lane), limit=limit)
            before = len(accepted)
            for job in (Held(*row) for row in found):
                if room.fits(job) and dispatch.accept(job.job, self._clock()):
                    room.add(job)
                    accepted.append(job)
            if len(found) < limit or len(accepted) == before:
                break  # all that wait were looked at, or they are others' by now
        return accepted

    async def _perform(self) -> None:
        """Perform batches; while none is live, look for one at each ring and each second."""
        while not self._stopping.is_set():
            self._batch_ring.clear()
            turn = await self._desk.call(lambda: self._performer.turn(self._clock()), patient=True)
            self._batch_live = turn.live
            if turn.live:
                self._ring_soon()  # for the tests that it has asked for, or cancelled
            await asyncio.sleep(BREATH if turn.live else 0)
            if not turn.more:
                await _within_a_round(self._batch_ring)
        await asyncio.Event().wait()  # a chore ends only by breaking

    async def _beats(self) -> None:
        while True:
            attempts = self._worker.attempts
            alive = await self._desk.call(partial(self._beat, attempts))
            for job in attempts.keys() - alive:
                self._drop(job)
            self._asides.purge(self._clock())
            await asyncio.sleep(ROUND)

    def _beat(self, attempts: dict[UUID, int]) -> set[UUID]:
        """Renew before reaping: a pause of this process must not look like the death of what it runs."""
        now = self._clock()
        alive = set(attempts)
        if now - self._renewed >= HEARTBEAT:
            wish = Steng.objects.only("drain").get(pk=self._steng.pk)
            draining = wish.drain or self._stopping.is_set()
            if not services.sign_of_life(
                self._steng, incarnation=self._incarnation, running=len(attempts), now=now, draining=draining
            ):
                raise SupersededError
            alive = dispatch.renew(self._steng, attempts, now)
            self._renewed = now
            services.notice_silence(now)
        dispatch.reap(now)
        if self._forgot is None or now - self._forgot >= PAUSE:
            dispatch.forget(now)
            accounts.forget(now)
            batches.forget(now)
            self._forgot = now
        return alive

    def _drop(self, job: UUID) -> None:
        self._worker.drop(job)
        self._link.forget(job)

    def _ended(self, job: UUID) -> None:
        held = self._held.pop(job, None)
        if held is None or self._stopping.is_set():
            return
        if held.lane == Lane.BULK:
            self._ring_soon()  # there is room again, for which nobody waits but others of the kind
        else:
            self._ring.set()
        if self._batch_live:
            self._batch_ring.set()  # it may have been the last of a batch

    def _ring_soon(self) -> None:
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(SOON, self._ring_now)

    def _ring_now(self) -> None:
        self._soon = None
        self._ring.set()

    def _is_patient(self, job: UUID) -> bool:
        held = self._held.get(job)
        return held is not None and held.lane == Lane.BULK


class Room:
    """What a STENG can take beside the jobs it holds.

    Of all slots, and of the connections to one target, one in `RESERVED` is kept for people.
    """

    def __init__(self, slots: int, held: Iterable[Held], per_target: int) -> None:
        self._slots = {Lane.INTERACTIVE: slots, Lane.BULK: _without_reserve(slots)}
        self._per_target = {Lane.INTERACTIVE: per_target, Lane.BULK: _without_reserve(per_target)}
        self._lanes: Counter[str] = Counter()
        self._targets: Counter[str] = Counter()
        self._bulk_targets: Counter[str] = Counter()
        self._accounts: set[str] = set()
        for job in held:
            self.add(job)

    def free(self, lane: Lane) -> int:
        """Return how many more jobs of a lane there is a slot for."""
        left = self._slots[Lane.INTERACTIVE] - self._lanes.total()
        if lane == Lane.BULK:
            left = min(left, self._slots[lane] - self._lanes[lane])
        return max(0, left)

    def full_targets(self, lane: Lane) -> list[str]:
        """Return the targets that have all the connections they get from a lane."""
        return [target for target in self._targets if self._is_full(target, lane)]

    def fits(self, job: Held) -> bool:
        """Tell whether this job may come now."""
        lane = Lane(job.lane)
        free = not job.account or job.account not in self._accounts
        return free and self.free(lane) > 0 and not self._is_full(job.target, lane)

    def add(self, job: Held) -> None:
        """Count a job that has come."""
        self._lanes[job.lane] += 1
        self._targets[job.target] += 1
        self._accounts.add(job.account)
        if job.lane == Lane.BULK:
            self._bulk_targets[job.target] += 1

    def _is_full(self, target: str, lane: Lane) -> bool:
        if self._targets[target] >= self._per_target[Lane.INTERACTIVE]:
            return True
        return lane == Lane.BULK and self._bulk_targets[target] >= self._per_target[lane]


def _without_reserve(places: int) -> int:
    """Return how many of these places bulk tests get: never all of them, except of a single one."""
    return max(1, places - max(1, places // RESERVED))


def _bulk(jobs: Iterable[Held]) -> int:
    return sum(job.lane == Lane.BULK for job in jobs)


async def _within_a_round(ring: asyncio.Event) -> None:
    """Wait for a ring, at most for a round."""
    # Not `wait_for`: before Python 3.12 it swallows a cancellation that comes together with a ring.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ROUND):
            await ring.wait()


def capabilities() -> dict[str, object]:
    """Return what this agent can offer in a handshake, for the page of STENGs and for who plans a test."""
    return {"openssl": ssl.OPENSSL_VERSION, **abilities().told()}
