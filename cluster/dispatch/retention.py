"""How long the history of tests is kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from cluster.models import Job, LastTest
from cluster.states import FINAL

PAUSE = timedelta(minutes=1)
"""How often the dispatcher looks for jobs that are too old."""

BATCH = 1_000
"""Jobs removed at a time, so that nobody waits long for the database; far fewer are made in a minute on average."""


def forget(now: datetime) -> int:
    """Remove the oldest jobs that are beyond `POSTERN_JOB_RETENTION` or `POSTERN_JOB_LIMIT`; return how many.

    One batch a call. What is not over stays, and so does the last test of a connection, however old.
    """
    too_old = Q(created__lt=now - settings.POSTERN_JOB_RETENTION)
    newest = Job.objects.order_by("-created", "-id").values_list("created", "pk")
    beyond = newest[settings.POSTERN_JOB_LIMIT : settings.POSTERN_JOB_LIMIT + 1]
    for created, pk in beyond:
        too_old |= Q(created__lt=created) | Q(created=created, pk__lte=pk)
    with transaction.atomic():
        batch = list(_removable().filter(too_old).order_by("created", "pk").values_list("pk", flat=True)[:BATCH])
        if batch:
            Job.objects.filter(pk__in=batch).delete()
    return len(batch)


def _removable() -> QuerySet[Job]:
    return Job.objects.filter(~Exists(LastTest.objects.filter(job=OuterRef("pk"))), state__in=FINAL)
