"""The worker of a STENG: it claims what it is told of, runs it under its deadline, and reports.

It knows no queue and no database: a `Link` does the talking, so the same worker serves inside the
console and far away. One task per job; a job that is dropped leaves no task and no connection behind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from steng.codes import find
from steng.probe.failure import ProbeFailure
from steng.wire import (
    ProbeReport,
    ProbeRequest,
    Stage,
    StageName,
    StageOutcome,
    Verdict,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at a job, claimed by this worker; `seconds` is what is left until its deadline."""

    job: UUID
    attempt: int
    request: ProbeRequest
    seconds: float


@dataclass(frozen=True, slots=True)
class Suspension:
    """Why these credentials must not leave: a server refused them before. The words are for the report."""

    detail: str
    advice: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


class Link(Protocol):
    """How a worker speaks with the console. Every method may take long; none may lose what it was given."""

    async def claim(self, job: UUID) -> Work | None:
        """Return the work, or None where the job is somebody else's or over."""

    async def mark_credentials(self, work: Work) -> bool | Suspension:
        """Note durably that credentials are about to leave. False: they must not, and nobody waits for a report.

        The console lets only one job at a time sign in to an account, over all STENGs; a worker need not see to that.
        """

    def progress(self, work: Work, stage: Stage) -> None:
        """Pass on a stage that has ended; it may be sent later, together with others."""

    async def finish(self, work: Work, report: ProbeReport) -> None:
        """Deliver the report."""

    async def overrun(self, work: Work) -> None:
        """Say that the deadline of the whole job has passed."""


class Probe(Protocol):
    """What runs a request; see `steng.probe.probe`."""

    def __call__(
        self,
        request: ProbeRequest,
        on_stage: Callable[[Stage], None] | None = None,
        before_credentials: Callable[[], Awaitable[bool]] | None = None,
    ) -> Awaitable[ProbeReport]:
        """Run the request and return the report."""


class Worker:
    """Run jobs side by side in one event loop; `ended` is called after each, whatever came of it."""

    def __init__(self, link: Link, probe: Probe, ended: Callable[[UUID], None]) -> None:
        self._link = link
        self._probe = probe
        self._ended = ended
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._attempts: dict[UUID, int] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def attempts(self) -> dict[UUID, int]:
        """Return the jobs that are claimed and not over, with their attempt."""
        return dict(self._attempts)

    def take(self, job: UUID) -> None:
        """Start on a job of which the console said that it waits; a second call for the same job does nothing."""
        if job not in self._tasks:
            task = asyncio.create_task(self._serve(job), name=f"job {job}")
            self._tasks[job] = task
            task.add_done_callback(lambda done: self._forget(job, done))

    def drop(self, job: UUID) -> None:
        """Stop a job at once: its connection is closed and nothing is reported."""
        task = self._tasks.get(job)
        if task is not None:
            task.cancel()

    async def drain(self, seconds: float) -> None:
        """Let running jobs end for a while, then drop the rest; the console settles those."""
        if self._tasks:
            await asyncio.wait(set(self._tasks.values()), timeout=seconds)
        left = set(self._tasks.values())
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

    def _forget(self, job: UUID, task: asyncio.Task[None]) -> None:
        del self._tasks[job]
        self._attempts.pop(job, None)
        if not task.cancelled() and task.exception() is not None:
            # The link gave up on this job. Its lease will end, and the console settles it.
            _log.error("job %s was given up", job, exc_info=task.exception())
        self._ended(job)

    async def _serve(self, job: UUID) -> None:
        work = await self._link.claim(job)
        if work is None:
            return
        self._attempts[job] = work.attempt
        try:
            async with asyncio.timeout(work.seconds) as deadline:
                report = await self._run(work)
        except TimeoutError:
            if not deadline.expired():
                raise
            await self._link.overrun(work)
        else:
            await self._link.finish(work, report)

    async def _run(self, work: Work) -> ProbeReport:
        stages: list[Stage] = []

        def on_stage(stage: Stage) -> None:
            stages.append(stage)
            self._link.progress(work, stage)

        async def before_credentials() -> bool:
            answer = await self._link.mark_credentials(work)
            if isinstance(answer, Suspension):
                raise ProbeFailure("auth_suspended", answer.detail, advice=answer.advice, evidence=answer.evidence)
            return answer

        try:
            return await self._probe(work.request, on_stage=on_stage, before_credentials=before_credentials)
        except Exception:  # noqa: BLE001  whatever breaks in a probe is a finding about the probe, never the end of the worker
            _log.exception("the probe of job %s broke", work.job)
            return broken(stages, stages, sum(stage.duration_ms or 0 for stage in stages))


def broken(reached: Sequence[Stage], kept: Sequence[Stage], duration_ms: float) -> ProbeReport:
    """Return the report of a probe that is itself at fault in the last stage that it reached; `kept` stay in it."""
    name = reached[-1].name if reached else StageName.RESOLVE
    outcome = find(name, "bug_in_probe")
    failed = Stage(name, StageOutcome.FAILED, code=outcome.code, detail=outcome.detail, advice=outcome.advice)
    return ProbeReport(Verdict.FAILURE, (*kept, failed), duration_ms)
