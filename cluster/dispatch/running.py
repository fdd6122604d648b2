"""The way of a job through a STENG: accepted, claimed, marked, told, finished."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from cluster import accounts
from cluster.choices import JobState
from cluster.dispatch import last_tests, told
from cluster.dispatch.arrows import end, pull
from cluster.dispatch.intake import SEALED_FIELD
from cluster.models import Job, Steng
from cluster.rules import LEASE, RUN_MARGIN
from cluster.states import Event
from core.net import split_endpoint
from credentials import vault
from steng.wire import ProbeReport, ProbeRequest, Stage, StageName, StageOutcome, WireError, from_json
from untrusted_cache import services as trust

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a STENG gets for a claim: this attempt is its own until the lease ends."""

    job: uuid.UUID
    attempt: int
    request: ProbeRequest
    run_deadline: datetime


@dataclass(frozen=True, slots=True)
class Permit:
    """Whether credentials may leave: they may; they may not, and nobody wants a report; or a server refused them."""

    granted: bool
    suspension: Mapping[str, Any] | None = None

    @classmethod
    def go(cls) -> Permit:
        """Say that the mark is set: once this is committed they may be sent."""
        return cls(granted=True)

    @classmethod
    def stop(cls) -> Permit:
        """Say that the attempt is over."""
        return cls(granted=False)

    @classmethod
    def suspended(cls, suspension: Mapping[str, Any]) -> Permit:
        """Say in the words of `accounts.told` that this very sign-in came to nothing before."""
        return cls(granted=False, suspension=suspension)


def accept(job_id: uuid.UUID, now: datetime) -> bool:
    """Note that the engine has told a STENG of a waiting job; False where it waits no more, or must wait on.

    It must where another job of its account is under way: who looked before may have looked too early, so it is the
    constraint of the database that decides, and the loser's job stays in the queue untouched.
    """
    try:
        with transaction.atomic():
            return pull(Event.ACCEPT, Q(pk=job_id), dispatched_at=now) == 1
    except IntegrityError:
        return False


def claim(job_id: uuid.UUID, steng: Steng, now: datetime) -> Claim | None:
    """Give a job to a STENG for one attempt; None where it is not (or no longer) there to be claimed.

    The request is opened first: a secret that cannot be read ends the job `failed`, `secret_unreadable`, a
    request in a format that this version does not speak `steng_unsuitable`.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(_meant_for(steng), pk=job_id, state=JobState.DISPATCHED).first()
        if job is None:
            return None
        try:
            text = vault.open_(job.sealed_request, job.pk, SEALED_FIELD).reveal()
            request = from_json(ProbeRequest, json.loads(text))
        except (vault.SecretUnreadable, vault.VaultUnavailable):
            end(Event.UNREADABLE, job, code="secret_unreadable", now=now)
            return None
        except WireError:
            end(Event.UNREADABLE, job, code="steng_unsuitable", now=now)
            return None
        deadline = now + timedelta(milliseconds=request.timeout_ms) + RUN_MARGIN
        won = pull(
            Event.CLAIM,
            Q(pk=job.pk, attempt=job.attempt),
            attempt=F("attempt") + 1,
            ran_on=steng,
            steng_name=steng.name,
            started=now,
            lease_until=now + LEASE,
            run_deadline=deadline,
            credentials_sent_at=None,
            suspended_by=None,
            stages=[],
        )
        # The loser of a race for the same job gets nothing, and must not even connect.
        return Claim(job.pk, job.attempt + 1, request, deadline) if won else None


def mark_credentials(job_id: uuid.UUID, attempt: int, now: datetime) -> Permit:
    """Note that credentials are about to leave; only whose permit is granted may send them, only after the commit.

    From there on the job is never repeated. `stop` for a job that was cancelled, is out of time or belongs to another
    attempt, and for a second login of the same attempt; `suspended` where the server has refused these very
    credentials for good. Raises ValueError for a job that was enqueued as one that does not sign in: nobody keeps
    others away from its account meanwhile.
    """
    fence = _ours(job_id, attempt) & Q(credentials_sent_at__isnull=True, lease_until__gt=now, run_deadline__gt=now)
    with transaction.atomic():
        job = Job.objects.select_for_update().only("account", "secret_digest", "created", "batch").filter(fence).first()
        if job is None:
            return Permit.stop()
        if not job.account:
            raise ValueError(f"job {job_id} was not to sign in")
        suspension = accounts.find(job.secret_digest)
        if suspension is not None:
            Job.objects.filter(pk=job_id).update(suspended_by=suspension)
            return Permit.suspended(accounts.told(suspension))
        unclear = accounts.find_unclear(job)
        if unclear is not None:
            return Permit.suspended(accounts.told_unclear(unclear))
        return Permit.go() if Job.objects.filter(fence).update(credentials_sent_at=now) else Permit.stop()


def progress(job_id: uuid.UUID, attempt: int, stages: Sequence[Stage]) -> bool:
    """Show the stages that have ended so far, all of them; False where the attempt is over."""
    return Job.objects.filter(_ours(job_id, attempt)).update(stages=told.stages(stages)) == 1


def renew(steng: Steng, attempts: Mapping[uuid.UUID, int], now: datetime) -> set[uuid.UUID]:
    """Prolong the leases of what a STENG says it runs; return the jobs that are still its own.

    The others were cancelled, ended or given away: the STENG drops them.
    """
    mine = Job.objects.filter(pk__in=attempts, ran_on=steng, state=JobState.RUNNING)
    mine.update(lease_until=now + LEASE)
    return still_running(steng, attempts)


def still_running(steng: Steng, attempts: Mapping[uuid.UUID, int]) -> set[uuid.UUID]:
    """Return which of these attempts are still the STENG's."""
    found = Job.objects.filter(pk__in=attempts, ran_on=steng, state=JobState.RUNNING)
    return {pk for pk, attempt in found.values_list("pk", "attempt") if attempts[pk] == attempt}


def finish(job_id: uuid.UUID, attempt: int, report: ProbeReport, now: datetime) -> bool:
    """Store the report, wipe the request, remember an untrusted chain and a refused sign-in, all or nothing.

    False, and nothing changed, for a report from an old attempt or after the end.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(_ours(job_id, attempt)).first()
        if job is None:
            return False
        values = told.columns(report, job.changed_since_success)
        values["chain_id"] = _remember(job, report, now)
        done = pull(
            Event.REPORT,
            Q(pk=job_id, attempt=attempt),
            finished=now,
            sealed_request="",
            secret_digest="",
            lease_until=None,
            **values,
        )
        if done:
            accounts.learn(job, report, values, SEALED_FIELD, now)
            last_tests.record(job_id)
    return done == 1


def overrun(job_id: uuid.UUID, attempt: int, now: datetime) -> bool:
    """End a running job whose deadline has passed; False where it ended otherwise."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(_ours(job_id, attempt)).first()
        return job is not None and end(Event.OVERRUN, job, code="timed_out", now=now)


def give_back(job_id: uuid.UUID, now: datetime) -> bool:
    """Put a job that no STENG claimed back into the queue; `dispatched_at` tells the reaper nothing any more."""
    return pull(Event.RETURN, Q(pk=job_id, claim_deadline__gt=now), dispatched_at=None) == 1


def _ours(job_id: uuid.UUID, attempt: int) -> Q:
    return Q(pk=job_id, attempt=attempt, state=JobState.RUNNING)


def _meant_for(steng: Steng) -> Q:
    return Q(steng=steng) | Q(steng__isnull=True, cluster=steng.cluster_id)


def _remember(job: Job, report: ProbeReport, now: datetime) -> uuid.UUID | None:
    """Hand a chain that nobody vouches for to the untrusted cache and return its id there.

    A chain is made by whoever answers. One that the cache cannot take (its own savepoint is rolled back)
    must not cost the person the report.
    """
    code = next(
        (
            stage.code
            for stage in report.stages
            if stage.name is StageName.TRUST and stage.outcome is StageOutcome.FAILED
        ),
        None,
    )
    if code is None or not report.chain:
        return None
    try:
        with transaction.atomic():
            host, port = split_endpoint(job.target)
            chain = trust.remember(
                chain=report.chain,
                code=code,
                host=host,
                port=port,
                now=now,
                steng=job.steng_name,
                requested_by=job.requested_by_name,
                connection_id=job.connection_id,
                connection_kind=job.connection_kind,
                connection_name=job.connection_name,
            )
    except ValueError:
        _log.warning("the chain presented by %s cannot be kept", job.target, exc_info=True)
        return None
    return chain.pk
