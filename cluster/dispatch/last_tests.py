"""The last test of each connection, and the items of batches, kept in step with the ends of their jobs."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Q

from cluster.batches.settling import settle
from cluster.choices import JobState, Verdict
from cluster.models import Job, LastTest


def follow(connection_id: uuid.UUID) -> LastTest:
    """Return the row in which a connection's last test is kept, made at first use."""
    row = LastTest.objects.filter(pk=connection_id).first()
    if row is None:
        row = LastTest(id=connection_id)
        row.full_clean()
        row.save(force_insert=True)
    return row


def unfollow(connection_id: uuid.UUID) -> None:
    """Remove the row of a connection that is gone; its jobs stay in the history."""
    LastTest.objects.filter(pk=connection_id).delete()


def record(job_id: uuid.UUID) -> None:
    """Write the end of a job beside its connection, unless a later test has ended already, and in its batch.

    A draft has no connection; a cancelled test, one with overrides or one of less than full depth says nothing
    about the connection as it is saved.
    """
    job = Job.objects.only(*_READ).get(pk=job_id)
    settle(job)
    if job.connection_id is None or not job.stands or job.state == JobState.CANCELLED:
        return
    values: dict[str, Any] = {
        "job": job,
        "job_created": job.created,
        "rank": LastTest.rank_of(job.verdict),
        "verdict": job.verdict or "",
        **{name: getattr(job, name) for name in _COPIED},
    }
    if job.verdict in (Verdict.SUCCESS, Verdict.WARNING):
        values |= {
            "success_version": job.connection_version,
            "success_trust_version": job.trust_version,
        }
    newest = Q(job_created__isnull=True) | Q(job_created__lte=job.created)
    LastTest.objects.filter(newest, pk=job.connection_id).update(**values)


_COPIED = ("state", "failed_stage", "code", "finished", "duration_ms", "configuration", "trust_version")
_READ = (*_COPIED, "summary", "verdict", "connection_id", "connection_version", "created", "stands")
