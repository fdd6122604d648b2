"""The reads of suspended sign-ins."""

from __future__ import annotations

import uuid

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, IntegerField, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce

from cluster.models import Job, SuspendedLogin
from cluster.visibility import shown_to

SHOWN_STOPPED = 5
"""Tests named beside a suspended sign-in; the others are counted."""

Viewer = AbstractBaseUser | AnonymousUser


def suspended(viewer: Viewer, *, lifted: bool = False) -> QuerySet[SuspendedLogin]:
    """Return what is suspended now (or was, until it was lifted), latest first, with the tests that it stopped.

    Each has `stopped_count`, and the latest of those tests as `latest_stopped`, as far as the viewer may know of them.
    The sign-in itself is everybody's who may see tests, also where a draft was refused: it stops anybody's test.
    """
    return _shown(viewer).filter(lifted_at__isnull=not lifted)


def by_id(key: uuid.UUID, viewer: Viewer) -> SuspendedLogin | None:
    """Return one suspended sign-in as the list shows it, lifted or not."""
    return _shown(viewer).filter(pk=key).first()


def suspended_count() -> int:
    """Return how many wait for somebody: what another secret has overtaken hurries nobody."""
    return SuspendedLogin.objects.filter(lifted_at__isnull=True, overtaken_at__isnull=True).count()


def _shown(viewer: Viewer) -> QuerySet[SuspendedLogin]:
    tests = Job.objects.filter(shown_to(viewer))
    counts = tests.filter(suspended_by=OuterRef("pk")).order_by().values("suspended_by").annotate(number=Count("pk"))
    named = tests.only("connection_id", "connection_kind", "connection_name", "created", "suspended_by")
    latest = Prefetch("stopped", named.order_by("-created", "-id")[:SHOWN_STOPPED], to_attr="latest_stopped")
    number = Coalesce(Subquery(counts.values("number"), output_field=IntegerField()), 0)
    return SuspendedLogin.objects.annotate(stopped_count=number).prefetch_related(latest)
