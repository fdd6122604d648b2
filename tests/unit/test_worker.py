"""The worker, with a link and a probe made for each test."""

import asyncio
import uuid
from contextlib import asynccontextmanager

from steng.probe.failure import ProbeFailure
from steng.wire import ProbeReport, Stage, StageName, StageOutcome, Verdict
from steng.worker import Suspension, Work, Worker
from tests.jobs import request_for

GOOD = ProbeReport(Verdict.SUCCESS, (Stage(StageName.RESOLVE, StageOutcome.OK, 1.0),), 1.0)


class Link:
    """Grant what it is told to grant and write down what it is told."""

    def __init__(self, *, seconds=10.0, grant=True, mark=True):
        self.seconds, self.grant, self.mark = seconds, grant, mark
        self.told = []

    async def claim(self, job):
        return Work(job, 1, request_for(), self.seconds) if self.grant else None

    async def mark_credentials(self, work):
        self.told.append("mark")
        return self.mark

    def progress(self, work, stage):
        self.told.append(stage.name.value)

    async def finish(self, work, report):
        self.told.append(report)

    async def overrun(self, work):
        self.told.append("overrun")


@asynccontextmanager
async def at_work(link, probe, jobs=1):
    """Give a worker its jobs and wait until they are over."""
    over, left = asyncio.Event(), [jobs]

    def ended(_job):
        left[0] -= 1
        if not left[0]:
            over.set()

    worker = Worker(link, probe, ended)
    for _ in range(jobs):
        worker.take(uuid.uuid4())
    yield worker
    async with asyncio.timeout(20):
        await over.wait()


def serve(link, probe, jobs=1):
    async def scenario():
        async with at_work(link, probe, jobs) as worker:
            pass
        return worker

    return asyncio.run(scenario())


async def answers(request, on_stage=None, before_credentials=None):
    return GOOD


def test_a_report_is_delivered():
    link = Link()
    assert len(serve(link, answers)) == 0
    assert link.told == [GOOD]


def test_a_job_of_somebody_else_is_not_run():
    link = Link(grant=False)
    serve(link, answers)
    assert link.told == []


def test_the_same_job_is_taken_once():
    link = Link()

    async def scenario():
        async with at_work(link, answers) as worker:
            worker.take(next(iter(worker._tasks)))

    asyncio.run(scenario())
    assert link.told == [GOOD]


def test_a_probe_that_breaks_is_a_finding_about_the_probe():
    async def breaks(request, on_stage=None, before_credentials=None):
        on_stage(Stage(StageName.CONNECT, StageOutcome.OK, 2.0))
        raise RuntimeError("boom")

    link = Link()
    serve(link, breaks)
    report = link.told[-1]
    assert (report.verdict, report.telling_stage.name, report.telling_stage.code) == (
        Verdict.FAILURE,
        StageName.CONNECT,
        "bug_in_probe",
    )


def test_a_probe_that_outlives_the_job_is_stopped():
    stopped = []

    async def waits(request, on_stage=None, before_credentials=None):
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(True)

    link = Link(seconds=0.0)
    serve(link, waits)
    assert (link.told, stopped) == (["overrun"], [True])


def test_a_probe_that_may_not_send_reports_nothing():
    async def asks(request, on_stage=None, before_credentials=None):
        if not await before_credentials():
            raise asyncio.CancelledError
        return GOOD

    link = Link(mark=False)
    serve(link, asks)
    assert link.told == ["mark"]


def test_a_dropped_job_ends_its_probe_and_reports_nothing():
    link = Link()

    async def scenario():
        begun = asyncio.Event()

        async def waits(request, on_stage=None, before_credentials=None):
            begun.set()
            await asyncio.Event().wait()

        async with at_work(link, waits) as worker:
            await begun.wait()
            worker.drop(next(iter(worker.attempts)))

    asyncio.run(scenario())
    assert link.told == []


def test_a_suspended_login_is_a_finding_with_the_words_of_the_console():
    sent = []

    async def asks(request, on_stage=None, before_credentials=None):
        try:
            sent.append(await before_credentials())
        except ProbeFailure as failure:
            sent.append((failure.code, failure.detail, failure.advice, failure.evidence))
        return GOOD

    serve(Link(mark=Suspension("Refused before.", "Type it again.", {"since": "yesterday"})), asks)
    assert sent == [("auth_suspended", "Refused before.", "Type it again.", {"since": "yesterday"})]


def test_drain_lets_a_running_job_end():
    link = Link()

    async def scenario():
        begun, go = asyncio.Event(), asyncio.Event()

        async def waits(request, on_stage=None, before_credentials=None):
            begun.set()
            await go.wait()
            return GOOD

        async with at_work(link, waits) as worker:
            await begun.wait()
            draining = asyncio.create_task(worker.drain(20))
            go.set()
            await draining

    asyncio.run(scenario())
    assert link.told == [GOOD]


def test_drain_drops_what_does_not_end():
    link = Link()

    async def scenario():
        begun = asyncio.Event()

        async def waits(request, on_stage=None, before_credentials=None):
            begun.set()
            await asyncio.Event().wait()

        async with at_work(link, waits) as worker:
            await begun.wait()
            await worker.drain(0)

    asyncio.run(scenario())
    assert link.told == []
