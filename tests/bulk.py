"""Connections by the dozen, and batches over them that are performed without an engine."""

from __future__ import annotations

import datetime as dt

from cluster.batches import services
from cluster.batches.choices import Action
from cluster.batches.models import BatchItem
from cluster.batches.performing import Performer
from connections import bulk
from connections.models import SmtpConnection
from connections.services import save
from tests.definitions import GOOD

NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)


def some(count, user=None, **changes):
    """Return so many saved connections, by name, each with an account of its own."""
    own = [{"name": f"c{number:04}", "username": f"u{number:04}"} for number in range(count)]
    return [save(SmtpConnection, None, {**GOOD, **names, **changes}, user=user).connection for names in own]


def start(action, rows, user, **more):
    """Start a batch over rows."""
    return bulk.request(Action(action), bulk.by_ids([row.pk for row in rows]), user=user, **more)


def perform(now=NOW, *, turns=1_000):
    """Perform turn by turn while there is something to do at once; return how many turns that took."""
    performer = Performer()
    for number in range(1, turns + 1):
        if not performer.turn(now).more:
            return number
    return turns


def results(batch):
    """Return {name: (state, code)} of the items."""
    return {item.name: (item.state, item.code) for item in BatchItem.objects.filter(batch=batch)}


def current(batch):
    """Return the batch as it is stored."""
    return services.Batch.objects.get(pk=batch.pk)
