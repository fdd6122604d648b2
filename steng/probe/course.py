"""The course of a probe: which stages apply, how each ended, and what was skipped.

This is the one place where exceptions become findings. A stage that ends badly raises
`Ended`, which nobody but the runner catches; a cancelled probe passes through untouched.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from steng.codes import find
from steng.probe.failure import ProbeFailure, not_supported, reading_of
from steng.probe.fence import fenced
from steng.probe.transcript import Transcript
from steng.wire import (
    Disposition,
    ProbeRequest,
    Protocol,
    Pull,
    Purpose,
    Stage,
    StageName,
    StageOutcome,
    Verdict,
)

log = logging.getLogger("steng.probe")

_ON_THE_WAY = frozenset({"timeout", "closed", "reset", "access_denied", "service_unavailable", "rate_limited"})
"""Failures that a firewall or a list of allowed callers may cause: there the address of this STENG is telling."""


class Ended(Exception):
    """A stage failed and was recorded; the rest is skipped."""


class Running:
    """A stage while it runs."""

    def __init__(self, name: StageName) -> None:
        self.name = name
        self.evidence: dict[str, Any] = {}
        self.code: str | None = None
        self.detail = ""

    def warn(self, code: str, detail: str = "") -> None:
        """End this stage as a warning; the first warning is the one that is shown, others are told in `also`."""
        if self.code is None:
            self.code, self.detail = code, detail
        else:
            self.evidence.setdefault("also", []).append(code)


class Course:
    """Record the stages of one probe in the order of its plan."""

    def __init__(
        self,
        plan: Sequence[StageName],
        deadline: float,
        transcript: Transcript,
        on_stage: Callable[[Stage], None] | None,
    ) -> None:
        self.deadline = deadline
        self.source: str | None = None
        self._plan = list(plan)
        self._transcript = transcript
        self._on_stage = on_stage
        self._stages: list[Stage] = []

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Return the stages that ended, and those that never began as skipped."""
        missing = self._plan[len(self._stages) :]
        return (*self._stages, *(Stage(name, StageOutcome.SKIPPED) for name in missing))

    @property
    def verdict(self) -> Verdict:
        """Return the verdict over all stages so far."""
        outcomes = {stage.outcome for stage in self._stages}
        if StageOutcome.FAILED in outcomes:
            return Verdict.FAILURE
        return Verdict.WARNING if StageOutcome.WARNING in outcomes else Verdict.SUCCESS

    @property
    def failed(self) -> bool:
        """Tell whether a stage failed."""
        return self.verdict is Verdict.FAILURE

    @asynccontextmanager
    async def stage(self, name: StageName) -> AsyncIterator[Running]:
        """Run one stage within the deadline; raises Ended where it failed, and CancelledError."""
        running = Running(name)
        self._transcript.stage = name
        loop = asyncio.get_running_loop()
        begin = loop.time()
        failure: ProbeFailure | None = None
        try:
            async with asyncio.timeout_at(self.deadline):
                yield running
        except Exception as error:  # noqa: BLE001 (a probe never raises, it reports)
            failure = reading_of(error) or bug(error)
        duration = round((loop.time() - begin) * 1000, 3)
        if failure is None:
            self._end(_ended(running, duration))
            return
        self._fail(running, failure, duration)
        raise Ended from None

    def break_off(self, error: Exception) -> None:
        """Record a fault of our own that happened between two stages."""
        if not self.failed:
            running = Running(self._plan[min(len(self._stages), len(self._plan) - 1)])
            self._fail(running, bug(error), 0.0)

    def _fail(self, running: Running, failure: ProbeFailure, duration: float) -> None:
        if failure.code in _ON_THE_WAY and self.source is not None:
            running.evidence.setdefault("source_address", self.source)
        earlier = [place for place, stage in enumerate(self._stages) if stage.name is failure.stage]
        if failure.stage is None or not earlier:
            self._end(_failed(running.name, running.evidence | failure.evidence, failure, duration))
            return
        # What shows only now belongs to a stage that seemed to have ended well: it is told again, as failed.
        place = earlier[-1]
        before = self._stages[place]
        del self._stages[place:]
        self._end(_failed(before.name, {**before.evidence, **failure.evidence}, failure, before.duration_ms))

    def _end(self, stage: Stage) -> None:
        stage = fenced(stage)
        self._stages.append(stage)
        if self._on_stage is None:
            return
        try:
            self._on_stage(stage)
        except Exception:  # the report holds every stage: who could not take one yet loses nothing
            log.exception("the listener of a probe failed at stage %s", stage.name)


def refuse_impossible(request: ProbeRequest) -> None:
    """Raise ProbeFailure for what a protocol cannot do at all: a value is refused, never ignored."""
    mailbox = request.mailbox
    if request.protocol is Protocol.SMTP and (request.purpose is Purpose.FOLDERS or mailbox is not None):
        raise not_supported("store_type", [request.protocol.value])
    if request.protocol is not Protocol.POP3 or mailbox is None:
        return
    if mailbox.folder.upper() != "INBOX":
        raise not_supported("folder", [mailbox.folder])
    if mailbox.disposition is Disposition.SEEN:
        raise not_supported("disposition", [mailbox.disposition.value])
    if mailbox.pull in {Pull.GET_FIRST_UNREAD_MESSAGE, Pull.GET_LAST_UNREAD_MESSAGE}:
        raise not_supported("pull_disposition", [mailbox.pull.value])


def bug(error: BaseException) -> ProbeFailure:
    """Return the failure for a fault of our own: its kind and place, never its text, which may hold a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.name}:{frame.lineno}" for frame in frames[-3:]]
    return ProbeFailure("bug_in_probe", evidence={"error": type(error).__name__, "at": places})


def _ended(running: Running, duration: float) -> Stage:
    if running.code is None:
        return Stage(running.name, StageOutcome.OK, duration, evidence=running.evidence)
    said = find(running.name, running.code)
    return Stage(
        running.name,
        StageOutcome.WARNING,
        duration,
        running.code,
        running.detail or said.detail,
        said.advice,
        said.field,
        running.evidence,
    )


def _failed(name: StageName, evidence: dict[str, Any], failure: ProbeFailure, duration: float | None) -> Stage:
    said = find(name, failure.code)
    return Stage(
        name,
        StageOutcome.FAILED,
        duration,
        failure.code,
        failure.detail or said.detail,
        failure.advice or said.advice,
        failure.field or said.field,
        evidence,
    )
