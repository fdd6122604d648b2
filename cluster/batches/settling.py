"""How an item of a batch ends: by what performing it gave, or by the end of its test.

The end of a job and that of its item are one transaction (`dispatch` calls `settle`), so that whatever is killed,
no item waits for a job that is over.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from cluster.batches.choices import ItemState, Rank
from cluster.batches.models import BatchItem
from cluster.choices import JobState, Verdict

CANCELLED = "The batch was cancelled before this was done."

_RANKS = {Verdict.FAILURE: Rank.FAILED, Verdict.WARNING: Rank.WARNING, Verdict.SUCCESS: Rank.DONE}
_ENDS = {
    ItemState.DONE: Rank.DONE,
    ItemState.FAILED: Rank.FAILED,
    ItemState.CANCELLED: Rank.CANCELLED,
    ItemState.SKIPPED: Rank.SKIPPED,
}


class EndedJob(Protocol):
    """What of a job its item keeps."""

    pk: UUID
    state: str
    verdict: str | None
    code: str
    summary: str
    finished: datetime | None


def settle(job: EndedJob) -> int:
    """End the items that wait for a job that is over; return how many (a job may serve several batches)."""
    return BatchItem.objects.filter(job=job.pk, state=ItemState.RUNNING).update(**of_job(job))


def of_job(job: EndedJob) -> dict[str, Any]:
    """Return the columns of an item whose test is over: a verdict, or why there is none."""
    if job.state == JobState.FINISHED:
        verdict = Verdict(job.verdict or "")
        values = columns(ItemState.DONE, job.finished, code=job.code, detail=job.summary)
        return {**values, "verdict": verdict.value, "rank": _RANKS[verdict]}
    state = ItemState.CANCELLED if job.state == JobState.CANCELLED else ItemState.FAILED
    return columns(state, job.finished, code=job.code, detail=job.summary)


def columns(state: ItemState, now: datetime | None, *, code: str = "", detail: str = "") -> dict[str, Any]:
    """Return the columns of an item that has ended."""
    return {"state": state, "rank": _ENDS[state], "code": code, "detail": detail, "ended": now}
