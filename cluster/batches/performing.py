"""How the dispatcher performs batches: a few items a turn, each marked in the transaction of its effect.

A turn is short, because everything else that the dispatcher writes waits for it. It is killed whole or kept
whole: an item whose effect is in the database is marked, and no other. Several batches take turns.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import InterfaceError, OperationalError, transaction

from cluster import dispatch, ports
from cluster.batches import selectors, services
from cluster.batches.choices import Action, ItemState, Rank
from cluster.batches.models import Batch, BatchItem
from cluster.batches.settling import CANCELLED, columns, of_job
from core import audit
from core.errors import Refused

_log = logging.getLogger(__name__)

ITEMS = 20
"""Items of one turn at most."""

SECONDS = 0.015
"""After so much work (of the processor, so that a crowded machine does not make it slower still) a turn begins no other
item: whoever else wants to write has waited long enough."""

ON_THE_WAY = 2_000
"""Tests of one batch that may be queued or running: each carries what it trusts, sealed, and that may be much."""

FEWEST = 3
"""Items that every turn does, however long they take: what a turn has to read before is not read for less."""

_BATCHES = 20
_GONE = "There is nothing with this id, or not any more."
_BROKEN = "Something went wrong in the console; its log says what."


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn saw: whether any batch is not over, and whether another turn at once would do something."""

    live: bool
    more: bool


class Performer:
    """Perform batches turn by turn; it remembers nothing but whose turn comes next, and how much fits in one."""

    def __init__(self) -> None:
        self._turns = itertools.count()
        self._items = ITEMS

    def turn(self, now: datetime) -> Turn:
        """Do a few items, for every live batch its share, and note which batches are over by that."""
        found = selectors.live(_BATCHES)
        if not found:
            return Turn(live=False, more=False)
        first = next(self._turns) % len(found)
        deadline = time.thread_time() + SECONDS
        share = max(1, self._items // len(found))
        more = False
        for batch in (*found[first:], *found[:first]):
            more |= _serve(batch, share, deadline, now)
            services.finish(batch, now)
        # What is read for items that there is no time for is read for nothing.
        late = time.thread_time() >= deadline
        self._items = max(FEWEST, self._items // 2) if late else min(ITEMS, self._items * 2)
        return Turn(live=True, more=more)


def _serve(batch: Batch, share: int, deadline: float, now: datetime) -> bool:
    """Do up to `share` items of a batch; tell whether there is more that need not wait."""
    if batch.cancelled_at is not None:
        return _stop(batch, share, deadline, now)
    room = share
    if batch.action == Action.TEST:
        room = min(share, ON_THE_WAY - selectors.running_count(batch))
    if room <= 0:
        return False
    items = selectors.waiting(batch, room + 1)
    act = ports.performer_of(batch.kind)(batch, items[:room])
    for item in _in_time(items[:room], deadline):
        _perform(act, batch, item, now)
    return len(items) > room or any(item.state == ItemState.WAITING for item in items)


def _in_time(items: list[BatchItem], deadline: float) -> Iterator[BatchItem]:
    for place, item in enumerate(items):
        if place >= FEWEST and time.thread_time() >= deadline:
            return
        yield item


def _stop(batch: Batch, share: int, deadline: float, now: datetime) -> bool:
    """Cancel tests of a cancelled batch; one that a person has asked for too goes on, without the batch."""
    items = selectors.running(batch, share + 1)
    with audit.acting(batch.canceller or batch.requester):
        for item in _in_time(items[:share], deadline):
            if item.job is not None and item.job.batch_id == batch.pk:
                dispatch.cancel(item.job.pk, now)  # which settles the item
            else:
                _end(item, columns(ItemState.CANCELLED, now, code="cancelled", detail=CANCELLED))
    return bool(items)


def _perform(act: Callable[[UUID], ports.Outcome], batch: Batch, item: BatchItem, now: datetime) -> None:
    try:
        with transaction.atomic(), audit.acting(batch.requester):
            outcome = act(item.thing_id)
    except (OperationalError, InterfaceError):
        raise  # the database is in trouble, not the item: the whole turn is tried again
    except Exception as error:  # noqa: BLE001  it is the result of this item; the others go on
        values = columns(ItemState.FAILED, now, **_told(error, item))
    else:
        values = _result(outcome, now)
    _end(item, values)


def _result(outcome: ports.Outcome, now: datetime) -> dict[str, Any]:
    if outcome.skipped:
        return columns(ItemState.SKIPPED, now, code=outcome.code or "not_found", detail=outcome.detail or _GONE)
    if outcome.job is None:
        return columns(ItemState.DONE, now, code=outcome.code, detail=outcome.detail)
    if outcome.job.is_final:
        return {**of_job(outcome.job), "job": outcome.job}
    return {"state": ItemState.RUNNING, "rank": Rank.RUNNING, "job": outcome.job}


def _end(item: BatchItem, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(item, name, value)
    item.save(update_fields=list(values))


def _told(error: Exception, item: BatchItem) -> dict[str, str]:
    """Return code and sentence of what an item failed with."""
    if isinstance(error, Refused):
        return {"code": error.code, "detail": error.detail}
    if isinstance(error, PermissionDenied):
        return {"code": "permission_denied", "detail": str(error) or "The user may not do this."}
    if isinstance(error, ValidationError):
        return _first_problem(error)
    _log.error("item %s of batch %s broke", item.place, item.batch_id, exc_info=error)
    return {"code": "internal_error", "detail": _BROKEN}


def _first_problem(error: ValidationError) -> dict[str, str]:
    by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    name, problems = next(iter(by_field.items()))
    text = " ".join(problems[0].messages)
    return {"code": problems[0].code or "validation_failed", "detail": f"{name}: {text}" if name else text}
