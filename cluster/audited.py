"""What the audit trail shows of clusters and STENGs, and where its entries lead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.urls import reverse

from cluster.models import Batch, Cluster, Job, Steng
from core import audit


def declare_all() -> None:
    """Declare this app's models."""
    audit.declare(Cluster, kind="cluster", fields=("name", "description"))
    audit.declare(Steng, kind="steng", fields=("name", "description", "cluster", "enabled", "drain", "slots"))
    audit.register_links("cluster", _pages_of_clusters, act="clusters.manage")
    audit.register_links("steng", _pages_of_stengs, act="clusters.manage")
    audit.register_links("test", _pages_of_tests)
    audit.register_links("batch", _pages_of_batches)


def subject_of(job: Job) -> audit.Thing:
    """Return how a test is called: by the connection that it is of, else by the server that it goes to."""
    return audit.Thing("test", str(job.pk), job.connection_name or job.target)


def _pages_of_clusters(ids: Collection[str]) -> Mapping[str, str]:
    found = Cluster.objects.filter(pk__in=map(UUID, ids)).values_list("pk", flat=True)
    return {str(pk): reverse("cluster:cluster-edit", args=[pk]) for pk in found}


def _pages_of_stengs(ids: Collection[str]) -> Mapping[str, str]:
    found = Steng.objects.filter(pk__in=map(UUID, ids)).values_list("pk", flat=True)
    return {str(pk): reverse("cluster:steng-edit", args=[pk]) for pk in found}


def _pages_of_tests(ids: Collection[str]) -> Mapping[str, str]:
    found = Job.objects.filter(pk__in=map(UUID, ids)).values_list("pk", flat=True)
    return {str(pk): reverse("cluster:test", args=[pk]) for pk in found}


def _pages_of_batches(ids: Collection[str]) -> Mapping[str, str]:
    found = Batch.objects.filter(pk__in=map(UUID, ids)).values_list("pk", flat=True)
    return {str(pk): reverse("cluster:batch", args=[pk]) for pk in found}
