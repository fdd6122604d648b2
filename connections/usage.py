"""Which connections use a thing of another app."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Count, Q

from cluster.models import Cluster, Steng
from connections import fingerprint, services
from connections.kinds import KINDS
from connections.models import Connection
from core.usage import listen, register_usage
from credentials.models import Credential
from untrusted_cache.models import TrustEntry

_AT_MOST = 100
"""How many users are listed; the first hundred say enough to whoever wants to remove a thing."""


def register() -> None:
    """Answer for everything a connection can refer to."""
    register_usage("cluster", of_cluster)
    register_usage("steng", of_steng)
    register_usage("trust", of_trust)
    register_usage("credential", of_credential, count_of_credentials)
    listen("credential", refresh)


def of_cluster(cluster: Cluster) -> list[dict[str, Any]]:
    """Return the connections whose jobs run on this cluster."""
    return _listed(Connection.objects.filter(cluster=cluster))


def of_steng(steng: Steng) -> list[dict[str, Any]]:
    """Return the connections whose jobs run on this STENG."""
    return _listed(Connection.objects.filter(steng=steng))


def of_credential(credential: Credential) -> list[dict[str, Any]]:
    """Return the connections that sign in with this credential."""
    return _listed(Connection.objects.filter(credential=credential))


def count_of_credentials(credentials: Collection[Credential]) -> dict[Any, int]:
    """Return by key how many connections sign in with each of these credentials."""
    rows = Connection.objects.filter(credential__in=credentials).order_by()
    return dict(rows.values_list("credential").annotate(users=Count("pk")))


def refresh(credential: Credential, changed: Collection[str]) -> None:
    """Note at the connections that use a credential that it changed, so that their verdicts are stale."""
    if set(fingerprint.FROM_CREDENTIAL).isdisjoint(changed):
        return
    for kind, model in KINDS.items():
        rows = model._default_manager.filter(kind=kind, credential=credential).select_related("credential")
        # What is written is in no index, so that writing moves no row under the reading.
        for row in rows.iterator():
            services.refresh(row)


def of_trust(entry: TrustEntry) -> list[dict[str, Any]]:
    """Return the connections that reach the pinned endpoint, or whose last test was accepted by this entry."""
    uses = Q(last_test__job__stages__icontains=str(entry.pk))
    if entry.host:
        uses |= Q(host_canonical=entry.host, port=entry.port)
    return _listed(Connection.objects.filter(uses))


def _listed(rows: Any) -> list[dict[str, Any]]:
    users: Iterable[tuple[Any, str, str]] = rows.order_by("name_key").values_list("pk", "kind", "name")[:_AT_MOST]
    return [{"kind": kind, "id": str(key), "name": name} for key, kind, name in users]
