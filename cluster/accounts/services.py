"""The writers of suspended sign-ins: a refusal makes one, a person lifts it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from cluster.accounts.identity import SignIn, sign_in_of
from cluster.models import Job, SuspendedLogin, UnclearSignIn
from core import audit
from core.errors import Refused, invalid
from core.net import split_endpoint
from credentials import vault
from steng.secret import Secret
from steng.wire import ProbeReport, ProbeRequest, StageName, StageOutcome, WireError, from_json

REFUSALS = frozenset(
    {
        "credentials_refused",
        "account_locked",
        "app_password_required",
        "auth_disabled_by_policy",
        "auth_failed",
        "password_expired",
        "token_not_accepted",
    }
)
"""Answers of a server that the same secret will get again, and that may count towards a lock."""


def find(secret_digest: str) -> SuspendedLogin | None:
    """Return the suspension that stands for a secret, None where it may be tried."""
    return SuspendedLogin.objects.filter(secret_digest=secret_digest, lifted_at__isnull=True).first()


def find_unclear(job: Job) -> UnclearSignIn | None:
    """Return the broken-off attempt with the secret of a job that was asked for before it, None where it may try.

    A test of a bulk run was asked for when the run was, however late its turn came.
    """
    asked = job.batch.created if job.batch is not None else job.created
    return UnclearSignIn.objects.filter(pk=job.secret_digest, at__gt=asked).first()


def unclear(job: Job, code: str, now: datetime) -> None:
    """Note that a job ended after its secret had left and before the server said what it made of it."""
    if job.secret_digest and job.credentials_sent_at is not None:
        UnclearSignIn.objects.update_or_create(
            pk=job.secret_digest, defaults={"at": now, "code": code, "job_id": job.pk}
        )


def told_unclear(row: UnclearSignIn) -> dict[str, Any]:
    """Return what the report of a test says that was stopped by a broken-off attempt: detail, advice, evidence."""
    return {
        "detail": "No sign-in was tried: another test sent the same user name and secret while this one waited, and "
        f"broke off before the server had answered ({row.code}). Nobody knows whether the server counted it.",
        "advice": "Look at that test first. A test that is asked for now tries once more.",
        "evidence": {"since": row.at.isoformat(), "code": row.code, "test": str(row.job_id) if row.job_id else None},
    }


def told(row: SuspendedLogin) -> dict[str, Any]:
    """Return what the report of a test that was stopped says of the refusal: detail, advice, evidence."""
    connection = (
        {"id": str(row.connection_id), "kind": row.connection_kind, "name": row.connection_name}
        if row.connection_id
        else None
    )
    day = f"{row.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return {
        "detail": f"No sign-in was tried: the server refused the same user name and secret on {day} ({row.code}). "
        "They are tried again once the secret is changed, or an operator lifts the suspension.",
        "advice": row.advice,
        "evidence": {
            "since": row.since.isoformat(),
            "code": row.code,
            "connection": connection,
            "test": str(row.job_id) if row.job_id else None,
            "suspended_login": str(row.pk),
        },
    }


def learn(job: Job, report: ProbeReport, told: Mapping[str, Any], sealed_field: str, now: datetime) -> None:
    """Draw the conclusion from the report of a job, in the transaction that ends it; `told` is what is stored of it.

    A final refusal suspends the sign-in. A success lifts nothing: what worked is another secret, or was lifted before.
    `job` is as it was before its end, with its request.
    """
    if not job.secret_digest:
        return
    if told["failed_stage"] == StageName.AUTH.value:
        if told["code"] in REFUSALS:
            _suspend(job, told, sealed_field, now)
        else:
            unclear(job, told["code"], now)
        return
    passed = (StageOutcome.OK, StageOutcome.WARNING)
    if any(stage.name is StageName.AUTH and stage.outcome in passed for stage in report.stages):
        # What stands for the secret that worked was lifted, or it could not have been tried.
        others = SuspendedLogin.objects.filter(account=job.account, lifted_at__isnull=True, overtaken_at__isnull=True)
        others.update(overtaken_at=now)


def lift(row: SuspendedLogin, *, reason: Any, now: datetime) -> SuspendedLogin:
    """Let a refused sign-in be tried once more: what is refused again is suspended again.

    Idempotent: the first lift keeps its reason. Raises ValidationError on `reason`, Refused `not_found` where the row
    is gone.
    """
    with transaction.atomic():
        current = SuspendedLogin.objects.select_for_update().filter(pk=row.pk).first()
        if current is None:
            raise Refused("not_found", "This suspended sign-in is not there any more.")
        if current.lifted_at is not None:
            return current
        before = audit.snapshot(current)
        current.lifted_at, current.lifted_by = now, audit.current().name[:150]
        current.lifted_reason = reason
        _check(current)
        current.save(update_fields=["lifted_at", "lifted_by", "lifted_reason"])
        audit.record(
            "login.lifted", current, before=before, after=audit.snapshot(current), reason=current.lifted_reason, now=now
        )
    return current


def forget(now: datetime) -> int:
    """Remove what was lifted longer ago than tests are kept; return how many."""
    before = now - settings.POSTERN_JOB_RETENTION
    UnclearSignIn.objects.filter(at__lt=before).delete()
    return SuspendedLogin.objects.filter(lifted_at__lt=before).delete()[0]


def _suspend(job: Job, told: Mapping[str, Any], sealed_field: str, now: datetime) -> None:
    sign_in = _sign_in(job, sealed_field)
    row = SuspendedLogin(
        account=job.account,
        secret_digest=job.secret_digest,
        host=sign_in.host,
        username=sign_in.username,
        code=told["code"],
        summary=told["summary"],
        advice=told["advice"],
        since=now,
        job=job,
        connection_id=job.connection_id,
        connection_kind=job.connection_kind,
        connection_name=job.connection_name,
    )
    row.full_clean(validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return  # it is suspended already, and the first refusal is the one to tell of
    audit.record("login.suspended", row, after=audit.snapshot(row), now=now)


def _sign_in(job: Job, sealed_field: str) -> SignIn:
    """Return what a job signed in with, for people to read; without a readable request, the host at least."""
    try:
        text = vault.open_(job.sealed_request, job.pk, sealed_field).reveal()
        found = sign_in_of(from_json(ProbeRequest, json.loads(text)))
    except (vault.SecretUnreadable, vault.VaultUnavailable, WireError):
        found = None
    return found or SignIn(_host_of(job.target), "", Secret(""))


def _host_of(target: str) -> str:
    try:
        return split_endpoint(target)[0]
    except ValueError:
        return target[:253]


def _check(row: SuspendedLogin) -> None:
    try:
        row.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        # Every door calls the column "reason".
        found = error.error_dict
        if "lifted_reason" in found:
            found["reason"] = found.pop("lifted_reason")
        raise ValidationError(found) from None
    if not row.lifted_reason.strip():
        raise ValidationError({"reason": [invalid("required", "Say why it may be tried again.")]})
