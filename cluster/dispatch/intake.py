"""How a job comes in, and how a person takes it back."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from cluster import accounts
from cluster.audited import subject_of
from cluster.choices import JobKind, JobState, Lane
from cluster.dispatch import last_tests
from cluster.dispatch.arrows import end, ending
from cluster.models import Batch, Cluster, Job, Steng
from cluster.rules import CLAIM_WAIT
from cluster.states import LIVE, Event
from cluster.wake import wake
from core import audit
from core.models import User
from core.net import canonical_host, endpoint
from credentials import vault
from steng.wire import Depth, ProbeRequest, to_json

COMMAND_LINE = "command line"
"""Who asked for a test that no user of the console asked for."""

# What the database checks when the row comes: asking it about each reference before is a query for nothing.
_REFERENCES = ("batch", "cluster", "steng", "requested_by")

SEALED_FIELD = "request"
"""The field name that the vault binds into the sealed request of a job."""


def enqueue(
    *,
    request: ProbeRequest,
    connection: tuple[uuid.UUID, str, str] | None,
    definition: Mapping[str, Any],
    configuration: str,
    trust_version: int,
    advisories: Sequence[Mapping[str, Any]],
    cluster: Cluster | None,
    steng: Steng | None,
    user: User | None,
    now: datetime,
    kind: JobKind = JobKind.CONFIGURATION_TEST,
    lane: Lane = Lane.INTERACTIVE,
    batch: Batch | None = None,
    connection_version: int = 0,
    changed_since_success: Sequence[str] = (),
    draft_of: uuid.UUID | None = None,
    stands: bool = True,
) -> Job:
    """Store a job with its request sealed, wake the dispatcher after the commit, and return the job.

    A live job that asks for exactly the same (connection, target, configuration, and the request with
    its secrets) is returned instead: one click too many must not sign in twice. `connection` is
    (id, kind, name), None for a draft; `definition` holds the tested values without secrets;
    `changed_since_success` names what differs from the connection's last success; `stands` tells whether
    the verdict will be the connection's own; `batch` is the bulk test that it belongs to.
    """
    text = json.dumps(to_json(request), sort_keys=True, separators=(",", ":"))
    job = _new_job(
        connection=connection,
        definition=definition,
        configuration=configuration,
        trust_version=trust_version,
        advisories=advisories,
        cluster=cluster,
        steng=steng,
        user=user,
        now=now,
        connection_version=connection_version,
        changed_since_success=changed_since_success,
        draft_of=draft_of,
        stands=stands,
        depth=request.depth,
        job_kind=kind,
        lane=lane,
        batch=batch,
    )
    job.target = _target(request.host, request.port)
    job.timeout_ms = request.timeout_ms
    job.account, job.secret_digest = accounts.identify(request)
    job.same_as = _same_as(job)
    with transaction.atomic():
        equal = _equal_live_job(job.same_as, text)
        if equal is not None:
            return _attach(equal, lane, batch)
        job.sealed_request = vault.seal(text, job.pk, SEALED_FIELD)
        job.full_clean(exclude=_REFERENCES, validate_unique=False, validate_constraints=False)
        job.save(force_insert=True)
        _record("test.requested", job, now)
        if lane != Lane.BULK:  # who asks for thousands is the dispatcher, and wakes itself
            transaction.on_commit(wake, robust=True)
    return job


def refuse(
    *,
    code: str,
    depth: Depth,
    definition: Mapping[str, Any],
    now: datetime,
    kind: JobKind = JobKind.CONFIGURATION_TEST,
    **arguments: Any,
) -> Job:
    """Store and return a job that ends `failed` before it begins, with the sentence of `code`.

    For a test whose request cannot even be made, because a stored secret cannot be opened. The other arguments
    are those of `enqueue`.
    """
    job = _new_job(depth=depth, definition=definition, now=now, job_kind=kind, **arguments)
    job.target = _target(str(definition.get("host", "")), definition.get("port") or 0)
    job.timeout_ms = definition.get("timeout_ms") or 0
    job.same_as = _same_as(job)
    job.state = JobState.FAILED
    for name, value in ending(job, code, now).items():
        setattr(job, name, value)
    with transaction.atomic():
        job.full_clean(exclude=_REFERENCES, validate_unique=False, validate_constraints=False)
        job.save(force_insert=True)
        _record("test.requested", job, now)
        last_tests.record(job.pk)
    return job


def cancel(job_id: uuid.UUID, now: datetime) -> Job:
    """Cancel a job in any live state and return it as it is then; a final one stays as it is.

    A running probe is told by the wake-up within milliseconds; the report it may still send finds
    0 rows. Raises Job.DoesNotExist.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if not job.is_final and end(Event.CANCEL, job, code="cancelled", now=now):
            _record("test.cancelled", job, now)
            transaction.on_commit(wake, robust=True)
        job.refresh_from_db()
    return job


def _record(act: str, job: Job, now: datetime) -> None:
    audit.record(
        act,
        subject_of(job),
        now=now,
        connection=str(job.connection_id or job.draft_of or ""),
        draft=job.connection_id is None,
        target=job.target,
        depth=job.depth,
        cluster=job.cluster_name,
        steng=job.steng_name,
    )


def _new_job(
    *,
    connection: tuple[uuid.UUID, str, str] | None,
    definition: Mapping[str, Any],
    configuration: str,
    trust_version: int,
    advisories: Sequence[Mapping[str, Any]],
    cluster: Cluster | None,
    steng: Steng | None,
    user: User | None,
    now: datetime,
    depth: Depth,
    job_kind: JobKind,
    lane: Lane = Lane.INTERACTIVE,
    batch: Batch | None = None,
    connection_version: int = 0,
    changed_since_success: Sequence[str] = (),
    draft_of: uuid.UUID | None = None,
    stands: bool = True,
) -> Job:
    connection_id, kind, name = connection or (None, "", "")
    where = cluster or (steng.cluster if steng else None)
    return Job(
        kind=job_kind,
        lane=lane,
        batch=batch,
        connection_id=connection_id,
        connection_kind=kind,
        connection_name=name,
        connection_version=connection_version,
        changed_since_success=list(changed_since_success),
        draft_of=draft_of,
        stands=stands,
        cluster=where,
        cluster_name=where.name if where else "",
        steng=steng,
        steng_name=steng.name if steng else "",
        definition=dict(definition),
        configuration=configuration,
        trust_version=trust_version,
        advisories=[dict(advisory) for advisory in advisories],
        depth=depth.value,
        requested_by=user,
        requested_by_name=user.get_username() if user else COMMAND_LINE,
        created=now,
        claim_deadline=now + CLAIM_WAIT,
    )


def _target(host: str, port: int) -> str:
    try:
        host = canonical_host(host)
    except ValueError:
        # The probe will say what is wrong with it; here it is only a key for counting.
        host = host.lower()
    return endpoint(host, port)[:300]


def _same_as(job: Job) -> str:
    # A draft is its requester's alone: who asks for the same would be handed a test that he may not see.
    whose = job.requested_by_id if job.connection_id is None else None
    where = (job.cluster_id, job.steng_id, job.target)
    parts = (job.kind, job.connection_id, *where, job.configuration, job.depth, whose)
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def _equal_live_job(same_as: str, text: str) -> Job | None:
    """Return a live job whose sealed request is, to the last character, this one.

    The key alone is not enough: two drafts that differ in the password only have the same values to show.
    """
    for job in Job.objects.select_for_update().filter(same_as=same_as, state__in=LIVE).order_by("created"):
        try:
            if vault.open_(job.sealed_request, job.pk, SEALED_FIELD).reveal() == text:
                return job
        except (vault.SecretUnreadable, vault.VaultUnavailable):
            continue
    return None


def _attach(job: Job, lane: Lane, batch: Batch | None) -> Job:
    """Let somebody else wait for a live job too."""
    changed = 0
    if lane == Lane.INTERACTIVE and job.lane == Lane.BULK:
        # Now a person waits for it; 0 rows mean that it has left the queue already.
        changed += Job.objects.filter(Q(pk=job.pk, state=JobState.QUEUED)).update(lane=lane)
    if job.batch_id is not None and (batch is None or job.batch_id != batch.pk):
        # Who cancels the batch does not cancel what others asked for too; it still learns the result.
        changed += Job.objects.filter(pk=job.pk, state__in=LIVE).update(batch=None)
    if changed:
        job.refresh_from_db()
    return job
