"""Jobs that tests start from, and reports that end them."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from cluster import dispatch
from cluster.choices import Lane, StengState
from cluster.models import Steng
from cluster.services import ensure_local
from credentials import key_ring
from steng.secret import Secret
from steng.wire import (
    Authentication,
    Login,
    Mechanism,
    ProbeReport,
    ProbeRequest,
    Protocol,
    Security,
    Stage,
    StageName,
    StageOutcome,
    Verdict,
)

NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
PASSWORD = "canary-5c1b7a"


def local_steng(now=NOW, **changes):
    """Return the console's own STENG, online."""
    key_ring.create(settings.POSTERN_VAULT_KEY_FILE)
    steng = ensure_local(now)
    Steng.objects.filter(pk=steng.pk).update(**{"state": StengState.ONLINE, "last_seen": now, **changes})
    steng.refresh_from_db()
    return steng


def request_for(host="mail.example.org", port=587, username="orders", password=PASSWORD, **changes):
    """Return what a STENG is asked to do."""
    login = Login(Mechanism.AUTO, username, Secret(password)) if username else None
    return ProbeRequest(
        protocol=Protocol.SMTP,
        host=host,
        port=port,
        security=Security.STARTTLS,
        authentication=Authentication.BASIC,
        **{"login": login, "timeout_ms": 10_000, **changes},
    )


def enqueue(steng=None, *, cluster=None, request=None, connection=None, now=NOW, lane=Lane.INTERACTIVE, **changes):
    """Enqueue a job for a STENG, or for a cluster."""
    arguments = {
        "definition": {"host": "mail.example.org", "port": 587},
        "configuration": "c" * 64,
        "trust_version": 3,
        "advisories": [],
        "user": None,
        **changes,
    }
    request = request or request_for()
    return dispatch.enqueue(
        request=request, connection=connection, cluster=cluster, steng=steng, now=now, lane=lane, **arguments
    )


def running(steng, now=NOW, **arguments):
    """Return a job that a STENG has claimed, with its claim."""
    job = enqueue(steng, now=now, **arguments)
    assert dispatch.accept(job.pk, now)
    claim = dispatch.claim(job.pk, steng, now)
    job.refresh_from_db()
    return job, claim


def stage(name=StageName.RESOLVE, outcome=StageOutcome.OK, **changes):
    """Return one stage."""
    return Stage(name, outcome, **{"duration_ms": 1.5, **changes})


def success(*stages):
    """Return a report without anything to say."""
    return ProbeReport(Verdict.SUCCESS, stages or (stage(), stage(StageName.AUTH)), 12.5, "192.0.2.1", "192.0.2.2:587")


def failure(name=StageName.AUTH, code="credentials_refused", *, chain=()):
    """Return a report of a test that failed at one stage."""
    failed = stage(name, StageOutcome.FAILED, code=code, detail="It did not work.", advice="Mend it.", field="password")
    return ProbeReport(Verdict.FAILURE, (stage(), failed), 12.5, chain=chain)


def seconds(number):
    """Return a time span."""
    return dt.timedelta(seconds=number)
