"""The worker's link to the console where both live in one process: the table of jobs itself."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from cluster import dispatch
from cluster.asides import Asides
from cluster.engines.desk import Desk, Result
from cluster.models import Steng
from steng.wire import ProbeReport, Stage
from steng.worker import Suspension, Work, broken

_log = logging.getLogger(__name__)

PROGRESS_PAUSE = 0.1
"""Seconds between two writes of stages: a person cannot see more, and a quick probe needs none at all."""


class LocalLink:
    """Pull the arrows of the jobs that the worker of this process runs."""

    def __init__(
        self,
        desk: Desk,
        steng: Steng,
        clock: Callable[[], datetime],
        asides: Asides,
        patient: Callable[[UUID], bool],
    ) -> None:
        """Work at a desk; `patient` tells of a job whether it lets those of others go first."""
        self._desk = desk
        self._patient = patient
        self._asides = asides
        self._steng = steng
        self._clock = clock
        self._told: dict[UUID, tuple[Work, list[Stage]]] = {}
        self._unwritten: set[UUID] = set()
        self._something = asyncio.Event()

    async def claim(self, job: UUID) -> Work | None:
        """Claim a job that this engine has accepted."""
        got = await self._call(job, lambda: dispatch.claim(job, self._steng, self._clock()))
        if got is None:
            return None
        return Work(got.job, got.attempt, got.request, (got.run_deadline - self._clock()).total_seconds())

    async def mark_credentials(self, work: Work) -> bool | Suspension:
        """Return True only after the mark is on disk."""
        permit = await self._call(work.job, lambda: dispatch.mark_credentials(work.job, work.attempt, self._clock()))
        if permit.suspension is None:
            return permit.granted
        return Suspension(**permit.suspension)

    def progress(self, work: Work, stage: Stage) -> None:
        """Keep a stage until the next write; the report brings all of them once more."""
        self._told.setdefault(work.job, (work, []))[1].append(stage)
        self._unwritten.add(work.job)
        self._something.set()

    async def finish(self, work: Work, report: ProbeReport) -> None:
        """Store the report. One that cannot be stored is a fault of ours, and says so instead of getting lost.

        What is said aside goes another way and is there first, for who asks as soon as the test has ended.
        """
        self.forget(work.job)
        self._asides.put(work.job, report.aside, self._clock())
        report = dataclasses.replace(report, aside={})
        try:
            stored = await self._call(work.job, lambda: dispatch.finish(work.job, work.attempt, report, self._clock()))
        except (ValueError, TypeError, KeyError):
            _log.exception("the report of job %s cannot be stored", work.job)
            bare = broken(report.stages, (), report.duration_ms)
            stored = await self._call(work.job, lambda: dispatch.finish(work.job, work.attempt, bare, self._clock()))
        if not stored:
            self._asides.drop(work.job)

    async def overrun(self, work: Work) -> None:
        """End the job that took too long."""
        await self.write()
        self.forget(work.job)
        await self._call(work.job, lambda: dispatch.overrun(work.job, work.attempt, self._clock()))

    def forget(self, job: UUID) -> None:
        """Keep nothing more about a job."""
        self._told.pop(job, None)
        self._unwritten.discard(job)

    async def write_on(self) -> None:
        """Write stages as they come, until cancelled."""
        while True:
            await self._something.wait()
            await asyncio.sleep(PROGRESS_PAUSE)
            self._something.clear()
            await self.write()

    async def write(self) -> None:
        """Write the stages that are not written yet."""
        writes = [self._write(*self._told[job]) for job in self._unwritten]
        self._unwritten.clear()
        await asyncio.gather(*writes)

    async def _call(self, job: UUID, act: Callable[[], Result]) -> Result:
        return await self._desk.call(act, patient=self._patient(job))

    async def _write(self, work: Work, stages: list[Stage]) -> None:
        so_far = tuple(stages)
        await self._call(work.job, lambda: dispatch.progress(work.job, work.attempt, so_far))
