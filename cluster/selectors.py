"""The multi-row reads of clusters, STENGs and jobs."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch, Q, QuerySet

from cluster.choices import JobState, Lane
from cluster.models import Cluster, Job, Steng
from cluster.rules import takes_work
from cluster.states import LIVE, WITH_A_STENG
from cluster.visibility import shown_to
from untrusted_cache.models import ChainLink


def clusters() -> QuerySet[Cluster]:
    """Return the clusters by name, each with its STENGs."""
    return Cluster.objects.prefetch_related(Prefetch("stengs", Steng.objects.order_by("name_key")))


def stengs() -> QuerySet[Steng]:
    """Return the STENGs by name, each with its cluster."""
    return Steng.objects.select_related("cluster")


def cluster_by_name(key: str) -> Cluster | None:
    """Return the cluster with this comparison key."""
    return Cluster.objects.filter(name_key=key).first()


def only_cluster() -> Cluster | None:
    """Return the cluster where there is exactly one: then, and only then, nobody has to choose."""
    found = list(Cluster.objects.all()[:2])
    return found[0] if len(found) == 1 else None


def is_active(cluster: Cluster, now: datetime) -> bool:
    """Tell whether a STENG of the cluster (read with `clusters`) would take work now."""
    return any(takes_work(steng, now) for steng in cluster.stengs.all())


def jobs() -> QuerySet[Job]:
    """Return the history, latest first, with what a job shows and without what it carries."""
    return Job.objects.select_related("cluster", "steng", "ran_on").defer("sealed_request")


def job_list(
    viewer: AbstractBaseUser | AnonymousUser,
    *,
    state: str = "",
    verdict: str = "",
    code: str = "",
    connection: uuid.UUID | str | None = None,
    steng: uuid.UUID | str | None = None,
    since: datetime | None = None,
) -> QuerySet[Job]:
    """Return the jobs behind these filters that a user may know of; `connection` and `steng` are an id or a name."""
    found = jobs().defer("sealed_request", "transcript").filter(shown_to(viewer))
    if state:
        found = found.filter(state=state)
    if verdict:
        found = found.filter(verdict=verdict)
    if code:
        found = found.filter(code=code)
    if connection:
        by_id = isinstance(connection, uuid.UUID)
        found = found.filter(**{"connection_id" if by_id else "connection_name": connection})
    if isinstance(steng, uuid.UUID):
        found = found.filter(Q(ran_on=steng) | Q(ran_on__isnull=True, steng=steng))
    elif steng:
        found = found.filter(steng_name=steng)
    if since is not None:
        found = found.filter(created__gte=since)
    return found


def job_by_id(job_id: uuid.UUID, viewer: AbstractBaseUser | AnonymousUser) -> Job | None:
    """Return one job with what is shown of it, None where there is none that a user may know of."""
    return jobs().filter(shown_to(viewer), pk=job_id).first()


def members_of_chains(chains: Collection[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, str]]]:
    """Return the certificates of presented chains as a job names them, leaf first; a chain that is gone has none."""
    found: dict[uuid.UUID, list[dict[str, str]]] = {}
    if not chains:
        return found
    links = ChainLink.objects.filter(chain__in=chains).select_related("certificate").defer("certificate__der")
    for link in links.order_by("position"):
        certificate = link.certificate
        found.setdefault(link.chain_id, []).append(
            {
                "id": str(certificate.pk),
                "role": link.role.value,
                "subject": certificate.subject,
                "fingerprint": certificate.fingerprint,
            }
        )
    return found


def live_jobs_of(steng: Steng) -> int:
    """Return how many jobs a STENG runs or is the chosen one for."""
    return Job.objects.filter(Q(ran_on=steng) | Q(steng=steng), state__in=LIVE).count()


def live_jobs_about(connection: uuid.UUID) -> int:
    """Return how many tests of a connection wait or run."""
    return Job.objects.filter(connection_id=connection, state__in=LIVE).count()


def busy_accounts() -> QuerySet[Job, str]:
    """Return the accounts that some STENG signs in to, or is about to: nobody else may now."""
    found = Job.objects.filter(state__in=WITH_A_STENG, finished__isnull=True).exclude(account="")
    return found.order_by().values_list("account", flat=True)


def waits_for_its_turn(job: Job) -> bool:
    """Tell whether a queued job waits for another one of its account."""
    return job.account != "" and busy_accounts().filter(account=job.account).exists()


def waiting_for(
    steng: Steng, *, lane: Lane, full_targets: Collection[str], limit: int
) -> list[tuple[uuid.UUID, str, str, str]]:
    """Return (id, lane, target, account) of queued jobs of a lane that the STENG could take, in their order.

    What waits for its account's turn is left out. Of several that wait for the same free account all are returned.
    Read from the index `job_live` alone, in its order: nothing is sorted, however many wait.
    """
    # `finished` says what the state says too, in the words in which the index was made.
    queued = Job.objects.filter(state=JobState.QUEUED, finished__isnull=True, lane=lane)
    mine = queued.filter(Q(steng=steng) | Q(steng__isnull=True, cluster=steng.cluster_id))
    found = mine.exclude(target__in=full_targets).exclude(account__in=busy_accounts()).order_by("created")
    return list(found.values_list("pk", "lane", "target", "account")[:limit])
