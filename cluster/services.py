"""The writers of clusters and STENGs: the admin's wishes, and what a dispatcher observed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from cluster import selectors
from cluster.choices import StengState
from cluster.models import Cluster, Steng
from cluster.rules import DEAD_AFTER
from cluster.wake import wake
from core import audit
from core.errors import Refused
from core.usage import usage

LOCAL = "local"
LOCAL_CLUSTER = uuid.UUID("5f3e0c1e-0000-4000-8000-00000000c105")
LOCAL_STENG = uuid.UUID("5f3e0c1e-0000-4000-8000-000000005e06")
"""The console's own STENG is known by its id, so that an admin may call it as they like."""

_CLUSTER_FIELDS = frozenset({"name", "description"})
_STENG_FIELDS = frozenset({"name", "description", "cluster", "enabled", "slots"})


def ensure_local(now: datetime) -> Steng:
    """Return the console's own STENG, made with its cluster where they do not exist yet.

    A name that is taken already gets a number: the admin's own things are never renamed.
    """
    with transaction.atomic():
        steng = Steng.objects.select_related("cluster").filter(pk=LOCAL_STENG).first()
        if steng is not None:
            return steng
        cluster = Cluster.objects.filter(pk=LOCAL_CLUSTER).first() or save_cluster(
            Cluster(id=LOCAL_CLUSTER), {"name": _free_name(Cluster)}, now
        )
        return save_steng(Steng(id=LOCAL_STENG), {"name": _free_name(Steng), "cluster": cluster}, now)


def save_cluster(cluster: Cluster, values: Mapping[str, Any], now: datetime) -> Cluster:
    """Give a new or known cluster these values; raise ValidationError with the codes of its fields."""
    _save(cluster, values, _CLUSTER_FIELDS, now)
    return cluster


def save_steng(steng: Steng, values: Mapping[str, Any], now: datetime) -> Steng:
    """Give a new or known STENG these values; raise ValidationError with the codes of its fields."""
    _save(steng, values, _STENG_FIELDS, now)
    transaction.on_commit(wake, robust=True)
    return steng


def delete_cluster(cluster: Cluster) -> None:
    """Remove a cluster; raise Refused `in_use` with its STENGs and the connections that name it."""
    users = [{"kind": "steng", "id": str(steng.pk), "name": steng.name} for steng in cluster.stengs.all()]
    users += usage("cluster", cluster)
    if users:
        raise Refused("in_use", f"The cluster “{cluster.name}” is in use.", used_by=users)
    with transaction.atomic():
        subject, before = audit.thing(cluster), audit.snapshot(cluster)
        cluster.delete()
        audit.record("cluster.deleted", subject, before=before)


def delete_steng(steng: Steng) -> None:
    """Remove a STENG; raise Refused `in_use` where connections name it, jobs are on it, or it is the console's own."""
    if steng.pk == LOCAL_STENG:
        raise Refused("in_use", "This STENG is part of the console itself. Disable it if it must not run tests.")
    users = usage("steng", steng)
    with transaction.atomic():
        live = selectors.live_jobs_of(steng)
        if users or live:
            detail = f"The STENG “{steng.name}” is in use" + (f"; {live} tests are not over yet." if live else ".")
            raise Refused("in_use", detail, used_by=users)
        subject, before = audit.thing(steng), audit.snapshot(steng)
        steng.delete()
        audit.record("steng.deleted", subject, before=before)


def enable(steng: Steng) -> Steng:
    """Let a STENG take work again, whatever stopped it."""
    return _wish(steng, "steng.enabled", enabled=True, drain=False)


def disable(steng: Steng) -> Steng:
    """Let a STENG take no more work until it is enabled; what it runs it finishes."""
    return _wish(steng, "steng.disabled", enabled=False, drain=False)


def drain(steng: Steng) -> Steng:
    """Let a STENG finish what it runs and take nothing new, for example before its host is restarted."""
    return _wish(steng, "steng.drained", enabled=steng.enabled, drain=True)


def start_life(steng: Steng, *, incarnation: str, version: str, capabilities: Mapping[str, Any], now: datetime) -> None:
    """Note that a process of this STENG has started."""
    Steng.objects.filter(pk=steng.pk).update(
        incarnation=incarnation,
        version=version,
        capabilities=dict(capabilities),
        state=StengState.DRAINING if steng.drain else StengState.ONLINE,
        last_seen=now,
        running=0,
    )


def sign_of_life(steng: Steng, *, incarnation: str, running: int, now: datetime, draining: bool = False) -> bool:
    """Note that this process of the STENG lives; False where a younger one has taken its place."""
    state = StengState.DRAINING if draining else StengState.ONLINE
    alive = Steng.objects.filter(pk=steng.pk, incarnation=incarnation)
    return alive.update(state=state, last_seen=now, running=running) == 1


def end_life(steng: Steng, *, incarnation: str) -> None:
    """Note that a process of this STENG has ended in good order."""
    Steng.objects.filter(pk=steng.pk, incarnation=incarnation).update(state=StengState.OFFLINE, running=0)


def notice_silence(now: datetime) -> int:
    """Mark the STENGs offline that have been silent for too long; return how many."""
    silent = Steng.objects.filter(state__in=(StengState.ONLINE, StengState.DRAINING), last_seen__lt=now - DEAD_AFTER)
    return silent.update(state=StengState.OFFLINE, running=0)


def _save(thing: Cluster | Steng, values: Mapping[str, Any], known: frozenset[str], now: datetime) -> None:
    for name, value in values.items():
        if name not in known:
            raise KeyError(name)
        setattr(thing, name, value)
    is_new = thing._state.adding
    if is_new:
        thing.created = now
    # One transaction: of two who want the same name at once, the second is told, not interrupted by the constraint.
    with transaction.atomic():
        before = None if is_new else audit.snapshot(type(thing).objects.select_for_update().get(pk=thing.pk))
        thing.full_clean(validate_unique=False)
        # Of a known row only what an admin may write: a heartbeat between its reading and now must not be undone.
        thing.save(force_insert=is_new, update_fields=None if is_new else [*sorted(known), "name_key"])
        kind = audit.thing(thing).kind
        act = f"{kind}.created" if is_new else f"{kind}.changed"
        audit.record(act, thing, before=before, after=audit.snapshot(thing), now=now)


def _wish(steng: Steng, act: str, *, enabled: bool, drain: bool) -> Steng:
    steng.enabled, steng.drain = enabled, drain
    steng.full_clean(validate_unique=False)
    with transaction.atomic():
        known = Steng.objects.select_for_update().get(pk=steng.pk)
        steng.save(update_fields=["enabled", "drain"])
        before = {"enabled": known.enabled, "drain": known.drain}
        audit.record(act, steng, before=before, after={"enabled": enabled, "drain": drain})
        transaction.on_commit(wake, robust=True)
    return steng


def _free_name(model: type[Cluster | Steng]) -> str:
    taken = set(model.objects.values_list("name_key", flat=True))
    names = (LOCAL if number == 1 else f"{LOCAL}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
