"""The only writers of batches and their items: how one starts, how a person stops it, and when it is forgotten.

What becomes of the items is written by `performing` and `settling`, which belong to this module as arms do.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from cluster.batches import selectors
from cluster.batches.choices import OPEN, Action, ItemState
from cluster.batches.models import Batch, BatchItem
from cluster.batches.settling import CANCELLED, columns
from cluster.wake import wake
from core import audit
from core.models import User

FORGOTTEN = 1_000
"""Items removed at a time, so that nobody waits long for the database."""

_ROWS = 500
"""Items of one statement: more save nothing, fewer cost time under the write lock."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What an item is done to; an empty name where there is no such thing."""

    id: uuid.UUID
    name: str = ""
    kind: str = ""


def start(
    *,
    kind: str,
    action: Action,
    things: Sequence[Thing],
    user: User,
    now: datetime,
    options: Mapping[str, Any] | None = None,
    reason: str = "",
) -> Batch:
    """Store a batch with an item for each thing, wake the dispatcher after the commit, and return the batch.

    The order of the things is that of the work. One that is named twice is one item.
    """
    items = list({thing.id: thing for thing in things}.values())
    batch = Batch(
        kind=kind,
        action=action,
        options=dict(options or {}),
        reason=reason,
        total=len(items),
        requested_by=user,
        requested_as=_stored(audit.current()),
        created=now,
    )
    batch.full_clean()
    # Made before the transaction begins: under the write lock nothing is done but writing. Ten thousand rows are
    # checked by the constraints of their table alone.
    rows = [
        BatchItem(batch=batch, place=place, thing_id=thing.id, thing_kind=thing.kind, name=thing.name)
        for place, thing in enumerate(items)
    ]
    with transaction.atomic():
        batch.save(force_insert=True)
        BatchItem.objects.bulk_create(rows, batch_size=_ROWS)
        if not rows:
            finish(batch, now)
        audit.record(
            "batch.started",
            _reference(batch),
            after={"kind": kind, "action": action, "total": len(items), "options": batch.options},
            reason=reason,
            now=now,
        )
        transaction.on_commit(wake, robust=True)
    return batch


def cancel(batch_id: uuid.UUID, now: datetime) -> Batch:
    """Stop a batch: what waits is cancelled at once, tests under way by the dispatcher; return it as it is then.

    One that is over, or being cancelled, stays as it is. What is done is not undone. Raises Batch.DoesNotExist.
    """
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        if batch.is_final or batch.cancelled_at is not None:
            return batch
        ending = columns(ItemState.CANCELLED, now, code="cancelled", detail=CANCELLED)
        BatchItem.objects.filter(batch=batch, state=ItemState.WAITING).update(**ending)
        batch.cancelled_at, batch.cancelled_as = now, _stored(audit.current())
        batch.save(update_fields=["cancelled_at", "cancelled_as"])
        audit.record("batch.cancelled", _reference(batch), now=now)
        finish(batch, now)
        transaction.on_commit(wake, robust=True)
    return batch


def finish(batch: Batch, now: datetime) -> bool:
    """Note that nothing of a batch is left to do, with its counts; False while something is."""
    if BatchItem.objects.filter(batch=batch, state__in=OPEN).exists():
        return False
    counts = selectors.count(batch)
    if not Batch.objects.filter(pk=batch.pk, finished__isnull=True).update(finished=now, counts=counts):
        return False  # somebody else noted it
    batch.finished, batch.counts = now, counts
    return True


def forget(now: datetime) -> int:
    """Remove items of the oldest batch that is over and kept for too long; return how many.

    The limits are those of the jobs: `POSTERN_JOB_RETENTION`, and `POSTERN_JOB_LIMIT` for the number of items. One
    portion a call; a batch goes with its last item.
    """
    oldest = Batch.objects.filter(finished__isnull=False).order_by("created", "pk").first()
    if oldest is None:
        return 0
    too_old = oldest.created < now - settings.POSTERN_JOB_RETENTION
    if not too_old and not selectors.more_items_than(settings.POSTERN_JOB_LIMIT):
        return 0
    with transaction.atomic():
        portion = list(BatchItem.objects.filter(batch=oldest).values_list("pk", flat=True)[:FORGOTTEN])
        BatchItem.objects.filter(pk__in=portion).delete()
        if len(portion) < FORGOTTEN:
            oldest.delete()
    return len(portion)


def _reference(batch: Batch) -> audit.Thing:
    return audit.Thing("batch", str(batch.pk), str(batch))


def _stored(actor: audit.Actor) -> dict[str, Any]:
    return {**dataclasses.asdict(actor), "door": actor.door.value}
