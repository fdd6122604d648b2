"""Which verdicts no longer speak of what is saved and trusted today."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.urls import reverse

from cluster.models import Job
from cluster.ports import register_staleness
from connections.selectors import connection_list, standing
from untrusted_cache.outdated import register_outdated


def register() -> None:
    """Answer for the jobs of saved connections; a draft's verdict is about nothing that could change."""
    register_staleness(stale_jobs)
    register_outdated(stale_connections)


def stale_jobs(jobs: Sequence[Job]) -> set[uuid.UUID]:
    """Return the ids of the jobs whose connection, its secret or its trust changed after they were made."""
    tested = [job for job in jobs if job.connection_id is not None]
    if not tested:
        return set()
    now = standing({job.connection_id for job in tested if job.connection_id is not None})
    return {job.pk for job in tested if _is_stale(job, now.get(job.connection_id))}  # type: ignore[arg-type]


def stale_connections() -> tuple[int, str]:
    """Return how many connections have a verdict that is out of date, and the address of their list."""
    return connection_list({"stale": "true"}).rows().count(), f"{reverse('connections:list')}?stale=true"


def _is_stale(job: Job, now: tuple[str, int] | None) -> bool:
    # A connection that is gone has no configuration that the verdict could be about.
    return now is None or now[0] != job.configuration or now[1] > job.trust_version
