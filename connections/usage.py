"""Which connections use a thing of another app."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from cluster.models import Cluster, Steng
from connections.models import Connection
from core.usage import register_usage
from untrusted_cache.models import TrustEntry

_AT_MOST = 100
"""How many users are listed; the first hundred say enough to whoever wants to remove a thing."""


def register() -> None:
    """Answer for everything a connection can refer to."""
    register_usage("cluster", of_cluster)
    register_usage("steng", of_steng)
    register_usage("trust", of_trust)


def of_cluster(cluster: Cluster) -> list[dict[str, Any]]:
    """Return the connections whose jobs run on this cluster."""
    return _listed(Connection.objects.filter(cluster=cluster))


def of_steng(steng: Steng) -> list[dict[str, Any]]:
    """Return the connections whose jobs run on this STENG."""
    return _listed(Connection.objects.filter(steng=steng))


def of_trust(entry: TrustEntry) -> list[dict[str, Any]]:
    """Return the connections that reach the pinned endpoint, or whose last test was accepted by this entry."""
    uses = Q(last_test__job__stages__icontains=str(entry.pk))
    if entry.host:
        uses |= Q(host_canonical=entry.host, port=entry.port)
    return _listed(Connection.objects.filter(uses))


def _listed(rows: Any) -> list[dict[str, Any]]:
    users: Iterable[tuple[Any, str, str]] = rows.order_by("name_key").values_list("pk", "kind", "name")[:_AT_MOST]
    return [{"kind": kind, "id": str(key), "name": name} for key, kind, name in users]
