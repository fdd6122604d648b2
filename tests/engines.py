"""An engine that runs for the body of a test, probes that wait to be let on, and looks at what became of jobs."""

from __future__ import annotations

import asyncio
import contextlib
import functools

from django.db import connection
from django.utils import timezone

from cluster.engines.local import LocalEngine
from cluster.models import Job
from tests.jobs import enqueue, stage, success

PATIENCE = 20


async def db(act, *args, **kwargs):
    """Do something with the database beside the loop."""

    def work():
        try:
            return act(*args, **kwargs)
        finally:
            connection.close()

    return await asyncio.to_thread(work)


async def put(steng, **arguments):
    return await db(enqueue, steng, now=timezone.now(), **arguments)


async def read(job):
    return await db(Job.objects.get, pk=job.pk)


async def until(condition):
    """Wait until an awaited condition holds, and return what it gave."""
    async with asyncio.timeout(PATIENCE):
        while not (answer := await condition()):  # noqa: ASYNC110  the database rings no bell for a test
            await asyncio.sleep(0.005)
        return answer


async def state_is(job, *states):
    async def look():
        found = await read(job)
        return found if found.state in states else None

    return await until(look)


@contextlib.asynccontextmanager
async def engine(steng, probe):
    """Run an engine for the body, then stop it in good order."""
    running = LocalEngine(steng, probe, timezone.now)
    task = asyncio.create_task(running.run())
    try:
        yield running
    finally:
        running.stop()
        running.stop()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(task, return_exceptions=True)
    if not task.cancelled() and task.exception() is not None:
        raise task.exception()


class Gate:
    """A probe that stops where it is told to, until it is let on."""

    def __init__(self, *, login=True):
        self.login = login
        self.begun, self.sent, self.stopped = [], [], []
        self.go = asyncio.Event()

    async def __call__(self, request, on_stage=None, before_credentials=None):
        self.begun.append(request)
        try:
            on_stage(stage())
            if self.login:
                if not await before_credentials():
                    raise asyncio.CancelledError  # noqa: TRY301
                self.sent.append(request)
            await self.go.wait()
        except asyncio.CancelledError:
            self.stopped.append(request)
            raise
        return success()


async def answers(request, on_stage=None, before_credentials=None):
    return success()


def scenario(test):
    """Run an async test to its end; the database is reached from threads."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        return asyncio.run(test(*args, **kwargs))

    return run


async def true(value):
    """Return whether a value holds, for `until`."""
    return bool(value)
