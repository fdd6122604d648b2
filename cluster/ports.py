"""What this app asks of apps it does not know: they register an answer when they are loaded."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cluster.models import Batch, BatchItem, Job


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one item of a batch: a code where there is something to say, the job where a test was asked for.

    `skipped`: there was nothing (any more) that it could be done to.
    """

    code: str = ""
    detail: str = ""
    job: Job | None = None
    skipped: bool = False


Staleness = Callable[[Sequence[Job]], set[uuid.UUID]]
Performer = Callable[[Batch, Sequence[BatchItem]], Callable[[uuid.UUID], Outcome]]

_staleness: list[Staleness] = []
_performers: dict[str, Performer] = {}


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


def register_performer(kind: str, performer: Performer) -> None:
    """Let `performer` do what a batch asks for to things of `kind`, for the user who asked; twice is once.

    It is told what is about to be done, may read all of that at once, and returns what does it to one thing. That
    runs in a transaction of its own: what it raises (PermissionDenied, ValidationError, Refused) is the result of
    the item, and nothing of it is kept.
    """
    _performers[kind] = performer


def performer_of(kind: str) -> Performer:
    """Return who performs the items of batches of a kind; raise LookupError where nobody does."""
    return _performers[kind]
