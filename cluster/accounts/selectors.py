"""The reads of suspended sign-ins."""

from __future__ import annotations

import uuid

from django.db.models import Count, Prefetch, QuerySet

from cluster.models import Job, SuspendedLogin

SHOWN_STOPPED = 5
"""Tests named beside a suspended sign-in; the others are counted."""


def suspended(*, lifted: bool = False) -> QuerySet[SuspendedLogin]:
    """Return what is suspended now (or was, until it was lifted), latest first, with the tests that it stopped.

    Each has `stopped_count`, and the latest of those tests as `latest_stopped`.
    """
    return _shown().filter(lifted_at__isnull=not lifted)


def by_id(key: uuid.UUID) -> SuspendedLogin | None:
    """Return one suspended sign-in as the list shows it, lifted or not."""
    return _shown().filter(pk=key).first()


def suspended_count() -> int:
    """Return how many wait for somebody: what another secret has overtaken hurries nobody."""
    return SuspendedLogin.objects.filter(lifted_at__isnull=True, overtaken_at__isnull=True).count()


def _shown() -> QuerySet[SuspendedLogin]:
    tests = Job.objects.only("connection_id", "connection_kind", "connection_name", "created", "suspended_by")
    latest = Prefetch("stopped", tests.order_by("-created", "-id")[:SHOWN_STOPPED], to_attr="latest_stopped")
    return SuspendedLogin.objects.annotate(stopped_count=Count("stopped")).prefetch_related(latest)
