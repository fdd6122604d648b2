"""How an arrow is pulled: one conditional UPDATE, and what every end has in common."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from cluster import accounts
from cluster.dispatch import last_tests
from cluster.models import Job
from cluster.states import ARROWS, Event
from steng.codes import find
from steng.wire import Stage, StageName, StageOutcome, to_json


def pull(event: Event, fence: Q, **values: Any) -> int:
    """Move the jobs behind the fence along one arrow and return how many there were.

    A job that is not in a source state of the arrow stays as it is: somebody else was faster.
    """
    arrow = ARROWS[event]
    return Job.objects.filter(fence, state__in=arrow.sources).update(state=arrow.target, **values)


def end(event: Event, job: Job, *, code: str, now: datetime, summary: str = "", advice: str = "") -> bool:
    """End a job without a verdict, with the sentence of its code; False where somebody else ended it first.

    The caller has read the job in the same transaction. A job that never ran gets the one stage `queue`;
    of one that ran, the stages stay that it had told.
    """
    values = ending(job, code, now, summary, advice)
    if not pull(event, Q(pk=job.pk, attempt=job.attempt), **values):
        return False
    accounts.unclear(job, code, now)
    last_tests.record(job.pk)
    return True


def ending(job: Job, code: str, now: datetime, summary: str = "", advice: str = "") -> dict[str, Any]:
    """Return the columns of an end without a verdict."""
    outcome = find(StageName.QUEUE, code)
    values: dict[str, Any] = {
        "finished": now,
        "sealed_request": "",
        "secret_digest": "",
        "lease_until": None,
        "code": code,
        "summary": summary or outcome.detail,
        "advice": advice or outcome.advice,
        "field": outcome.field or "",
    }
    if not job.stages:
        values["failed_stage"] = StageName.QUEUE.value
        values["stages"] = [to_json(_queue_stage(code, values["summary"], values["advice"], outcome.field))]
    if job.started is not None:
        values["duration_ms"] = (now - job.started).total_seconds() * 1_000
    return values


def _queue_stage(code: str, detail: str, advice: str, field: str | None) -> Stage:
    return Stage(StageName.QUEUE, StageOutcome.FAILED, code=code, detail=detail, advice=advice, field=field)
