"""Waiting for the end of jobs, for callers who would rather wait than ask again.

A waiting caller holds a thread of the web server. There are few of those, so few may wait at a time; the
others are told at once that it is not over yet.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Collection

from cluster.models import Job
from cluster.selectors import jobs
from cluster.states import LIVE

MAX_WAITING = 8
"""Web threads that may wait at a time: half of what `console.web` starts."""

_EAGER_SECONDS = 1.0
_EAGER_PAUSE = 0.02
_PATIENT_PAUSE = 0.1

_places = threading.BoundedSemaphore(MAX_WAITING)


def wait_for(jobs: Collection[uuid.UUID], seconds: float) -> bool:
    """Wait until all jobs are final and return True; False when the time is up or too many wait already."""
    return wait_until(lambda: not _some_live(jobs), seconds)


def wait_until(over: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is over and return True; False when the time is up or too many wait already."""
    if not _places.acquire(blocking=False):
        return False
    try:
        return _patiently(over, seconds)
    finally:
        _places.release()


def wait_until_final(job_id: uuid.UUID, seconds: float) -> Job | None:
    """Return the job once it is final, None when the time is up: for a command, which has a process of its own."""
    return jobs().filter(pk=job_id).first() if _patiently(lambda: not _some_live([job_id]), seconds) else None


def _some_live(keys: Collection[uuid.UUID]) -> bool:
    return Job.objects.filter(pk__in=keys, state__in=LIVE).exists()


def _patiently(over: Callable[[], bool], seconds: float) -> bool:
    start = time.monotonic()
    while not over():
        waited = time.monotonic() - start
        if waited >= seconds:
            return False
        # Most tests end within a second, and who waits for one feels every pause; later, nobody does.
        time.sleep(min(_EAGER_PAUSE if waited < _EAGER_SECONDS else _PATIENT_PAUSE, seconds - waited))
    return True
