"""Pure rules about STENGs and deadlines. Time is passed in, never read here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from cluster.choices import StengState

LEASE = timedelta(seconds=15)
"""How long a claim holds without a sign of life; three heartbeats may go missing before it ends."""

HEARTBEAT = timedelta(seconds=5)
"""How often a STENG renews its leases and says that it is alive."""

DEAD_AFTER = timedelta(seconds=20)
"""Silence after which a STENG counts as offline: more than a lease, so its jobs are settled first."""

CLAIM_WAIT = timedelta(seconds=60)
"""How long a job waits for a STENG before it fails."""

TURN_WAIT = timedelta(minutes=10)
"""How long a job may wait for others of its account before its claim deadline counts like anybody's."""

HAND_OVER_WAIT = timedelta(seconds=5)
"""How long a STENG that was told of a job may take to claim it."""

RUN_MARGIN = timedelta(seconds=30)
"""What the whole job gets on top of the definition's timeout, after its claim."""

MAX_ATTEMPTS = 3
"""A job whose STENG dies under it this often is not tried again: it may be what kills the STENG."""


class StengFacts(Protocol):
    """The wish and the facts about a STENG that the rules look at."""

    enabled: bool
    drain: bool
    state: str
    last_seen: datetime | None


def is_live(steng: StengFacts, now: datetime) -> bool:
    """Tell whether a STENG gave a sign of life lately."""
    return (
        steng.state in (StengState.ONLINE, StengState.DRAINING)
        and steng.last_seen is not None
        and now - steng.last_seen <= DEAD_AFTER
    )


def takes_work(steng: StengFacts, now: datetime) -> bool:
    """Tell whether a STENG would claim a job now."""
    return is_live(steng, now) and steng.enabled and not steng.drain and steng.state == StengState.ONLINE


def why_unclaimed(stengs: Iterable[StengFacts], now: datetime) -> str:
    """Return the code of a job that none of its possible STENGs has claimed in time."""
    alive = [steng for steng in stengs if is_live(steng, now)]
    return "steng_unsuitable" if alive and not any(takes_work(steng, now) for steng in alive) else "no_steng"
