"""What becomes of jobs that time, or the death of a process, has overtaken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from cluster.choices import JobState, Lane
from cluster.dispatch.arrows import end, pull
from cluster.dispatch.running import overrun
from cluster.models import Job, Steng
from cluster.rules import CLAIM_WAIT, HAND_OVER_WAIT, MAX_ATTEMPTS, TURN_WAIT, takes_work, why_unclaimed
from cluster.selectors import busy_accounts, waits_for_its_turn
from cluster.states import Event

GONE_TOO_OFTEN = "The STENG went away {attempts} times while it ran this test, so it is not tried again."
GONE_TOO_OFTEN_ADVICE = "Look into the STENG's log before you test again: this test may be what stops it."


def reap(now: datetime) -> Counter[str]:
    """Settle every job whose deadline or lease is over at `now`; return how many of each event.

    Call it after the leases of the living were renewed, or a pause of this process would look like their death.
    """
    done: Counter[str] = Counter()
    handed_over = Job.objects.filter(state=JobState.DISPATCHED, dispatched_at__lte=now - HAND_OVER_WAIT)
    for job in handed_over.filter(claim_deadline__gt=now).only("pk"):
        done[Event.RETURN] += pull(Event.RETURN, Q(pk=job.pk), dispatched_at=None)
    _wait_on(now)
    _let_bulk_wait(now)
    waiting = Job.objects.filter(state__in=(JobState.QUEUED, JobState.DISPATCHED), claim_deadline__lte=now)
    for job in waiting.select_related("cluster", "steng"):
        done[_nobody(job, now)] += 1
    for pk, attempt in Job.objects.filter(state=JobState.RUNNING, run_deadline__lte=now).values_list("pk", "attempt"):
        done[Event.OVERRUN] += overrun(pk, attempt, now)
    done += _settle(Job.objects.filter(state=JobState.RUNNING, lease_until__lte=now), now)
    return done


def abandon(steng: Steng, now: datetime) -> Counter[str]:
    """Settle at once what an earlier life of a STENG had: nobody works on it any more."""
    done = _settle(Job.objects.filter(state=JobState.RUNNING, ran_on=steng), now)
    told = Q(steng=steng) | Q(steng__isnull=True, cluster=steng.cluster_id)
    done[Event.RETURN] += pull(Event.RETURN, told, dispatched_at=None)
    return done


def _wait_on(now: datetime) -> None:
    """Give more time to the jobs whose account another one is signing in to: they wait for their turn, not for a STENG.

    Long before their deadline, so that the moment between two turns costs nobody the job; and not for ever, since
    a person waits for it.
    """
    waiting = Job.objects.filter(state=JobState.QUEUED, created__gt=now - TURN_WAIT, account__in=busy_accounts())
    waiting.filter(claim_deadline__lte=now + CLAIM_WAIT / 2).update(claim_deadline=now + CLAIM_WAIT)


def _let_bulk_wait(now: datetime) -> None:
    """Give more time to bulk jobs while some STENG is at work on the others: thousands may wait, so all at once."""
    late = Job.objects.filter(
        state__in=(JobState.QUEUED, JobState.DISPATCHED), finished__isnull=True, lane=Lane.BULK, claim_deadline__lte=now
    )
    for steng_id, cluster_id in late.order_by().values_list("steng", "cluster").distinct():
        stengs = Steng.objects.filter(pk=steng_id) if steng_id else Steng.objects.filter(cluster=cluster_id)
        if any(takes_work(steng, now) for steng in stengs):
            meant = Q(steng=steng_id) if steng_id else Q(steng__isnull=True, cluster=cluster_id)
            late.filter(meant).update(claim_deadline=now + CLAIM_WAIT)


def _settle(jobs: Iterable[Job], now: datetime) -> Counter[str]:
    done: Counter[str] = Counter()
    for job in jobs:
        with transaction.atomic():
            # Read again under the lock: its STENG may have reported between the two reads.
            locked = Job.objects.select_for_update().filter(pk=job.pk, attempt=job.attempt, state=JobState.RUNNING)
            for current in locked:
                done[_repeat_or_lose(current, now)] += 1
    return done


def _repeat_or_lose(job: Job, now: datetime) -> Event:
    if job.credentials_sent_at is not None:
        end(Event.SILENT, job, code="lost", now=now)
        return Event.SILENT
    if job.attempt >= MAX_ATTEMPTS:
        summary = GONE_TOO_OFTEN.format(attempts=job.attempt)
        end(Event.SILENT, job, code="lost", now=now, summary=summary, advice=GONE_TOO_OFTEN_ADVICE)
        return Event.SILENT
    pull(
        Event.REPEAT,
        Q(pk=job.pk, attempt=job.attempt),
        claim_deadline=now + CLAIM_WAIT,
        dispatched_at=None,
        started=None,
        lease_until=None,
        run_deadline=None,
        stages=[],
    )
    return Event.REPEAT


def _nobody(job: Job, now: datetime) -> str:
    """Fail a job that nobody claimed in time."""
    stengs = [job.steng] if job.steng else list(Steng.objects.filter(cluster=job.cluster_id))
    with transaction.atomic():
        current = Job.objects.select_for_update().filter(pk=job.pk, claim_deadline__lte=now).first()
        if current is None:
            return "gone"
        texts = ("", "")
        if any(takes_work(steng, now) for steng in stengs):
            texts = (CROWDED, CROWDED_ADVICE) if waits_for_its_turn(current) else (BUSY, BUSY_ADVICE)
        end(Event.NOBODY, current, code=why_unclaimed(stengs, now), now=now, summary=texts[0], advice=texts[1])
    return Event.NOBODY


CROWDED = (
    "Tests of the same account run one after the other, and the others took too long for this one to have its turn."
)
CROWDED_ADVICE = "Look at Tests for what is running and waiting, cancel what nobody waits for, then test again."
BUSY = "The STENG had no room for the test in time: too many others run on it, or against the same server."
BUSY_ADVICE = "Look at Tests for what is running, cancel what nobody waits for, then test again."
