"""The multi-row reads of batches."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django.db.models import Count, QuerySet

from cluster.batches.choices import ItemState, Rank
from cluster.batches.models import Batch, BatchItem
from cluster.choices import Verdict


def batches() -> QuerySet[Batch]:
    """Return the history of batches, latest first."""
    return Batch.objects.select_related("requested_by")


def batch_by_id(batch_id: uuid.UUID) -> Batch | None:
    """Return one batch."""
    return batches().filter(pk=batch_id).first()


def live(limit: int) -> list[Batch]:
    """Return the batches that are not over, oldest first."""
    return list(batches().filter(finished__isnull=True).order_by("created")[:limit])


def items(batch: Batch, *, outcome: str = "", rank: Rank | None = None) -> QuerySet[BatchItem]:
    """Return the items of a batch, what needs attention first; `outcome` is a state, `rank` what people count."""
    found = BatchItem.objects.filter(batch=batch).order_by("rank", "place")
    if outcome:
        found = found.filter(state=outcome)
    return found if rank is None else found.filter(rank=rank)


def waiting(batch: Batch, limit: int) -> list[BatchItem]:
    """Return what is to be done next, locked where the database knows locks: a cancel has to wait or is seen."""
    found = BatchItem.objects.select_for_update().filter(batch=batch, state=ItemState.WAITING, verdict="")
    return list(found.order_by("place")[:limit])


def running(batch: Batch, limit: int) -> list[BatchItem]:
    """Return items whose test is on the way, the latest first: those still wait, and are not to begin any more."""
    found = BatchItem.objects.filter(batch=batch, state=ItemState.RUNNING, verdict="")
    return list(found.select_related("job").defer(*_HEAVY).order_by("-place")[:limit])


_HEAVY = ("job__sealed_request", "job__definition", "job__stages", "job__transcript")


def running_count(batch: Batch) -> int:
    """Return how many tests of a batch are on the way."""
    return BatchItem.objects.filter(batch=batch, state=ItemState.RUNNING).count()


def more_items_than(limit: int) -> bool:
    """Tell whether there are more items than this."""
    return BatchItem.objects.order_by("pk").values_list("pk", flat=True)[limit : limit + 1].exists()


def counts_of(batch: Batch) -> Mapping[str, int]:
    """Return how many items are in each state, and how many tests have each verdict."""
    return batch.counts if batch.is_final else count(batch)


def counts_of_many(shown: Sequence[Batch]) -> dict[uuid.UUID, Mapping[str, int]]:
    """Return the counts of several batches; those that are over cost nothing."""
    return {batch.pk: counts_of(batch) for batch in shown}


def count(batch: Batch) -> dict[str, int]:
    """Count the items of a batch: by state, and the done ones by verdict too."""
    counts = dict.fromkeys((*ItemState.values, *Verdict.values), 0)
    by_state = BatchItem.objects.filter(batch=batch).order_by().values_list("state", "verdict")
    for state, verdict, number in by_state.annotate(number=Count("pk")):
        counts[state] += number
        if verdict:
            counts[verdict] += number
    return counts


def by_rank(counts: Mapping[str, int]) -> dict[Rank, int]:
    """Return the counts as people read them: a test that found a failure has failed, one without a verdict too."""
    return {
        Rank.FAILED: counts[ItemState.FAILED] + counts[Verdict.FAILURE],
        Rank.SKIPPED: counts[ItemState.SKIPPED],
        Rank.CANCELLED: counts[ItemState.CANCELLED],
        Rank.WARNING: counts[Verdict.WARNING],
        Rank.RUNNING: counts[ItemState.RUNNING],
        Rank.WAITING: counts[ItemState.WAITING],
        Rank.DONE: counts[ItemState.DONE] - counts[Verdict.FAILURE] - counts[Verdict.WARNING],
    }
