"""What this app asks of apps it does not know: they register an answer when they are loaded."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

from cluster.models import Job

Staleness = Callable[[Sequence[Job]], set[uuid.UUID]]

_staleness: list[Staleness] = []


def register_staleness(provider: Staleness) -> None:
    """Let `provider` say which of some jobs tested what has changed since; twice is once."""
    if provider not in _staleness:
        _staleness.append(provider)


def stale_among(jobs: Sequence[Job]) -> set[uuid.UUID]:
    """Return the ids of the jobs whose configuration, secret, keys or trust changed after they were made."""
    return {pk for provider in _staleness for pk in provider(jobs)}


def stale_of(job: Job) -> bool:
    """Tell whether what a job tested has changed since."""
    return job.pk in stale_among([job])
