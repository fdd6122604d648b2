"""What time and the death of processes do to jobs, and what the database itself refuses."""

from collections import Counter

import pytest
from django.db import IntegrityError, transaction

from cluster import dispatch
from cluster.choices import JobState, Lane
from cluster.models import Job, LastTest, Steng
from cluster.rules import CLAIM_WAIT, HAND_OVER_WAIT, LEASE, MAX_ATTEMPTS, RUN_MARGIN
from cluster.states import Event
from tests.jobs import NOW, enqueue, local_steng, request_for, running, seconds

pytestmark = pytest.mark.django_db


@pytest.fixture
def steng(db):
    return local_steng()


@pytest.fixture
def connection():
    row = dispatch.follow(Job().pk)
    return row.pk, "smtp", "orders-out"


def state_of(job):
    return Job.objects.get(pk=job.pk).state


def test_a_lease_that_ran_out_before_a_login_lets_the_job_run_again(steng):
    job, _ = running(steng)
    assert dispatch.reap(NOW + LEASE)[Event.REPEAT] == 1
    job.refresh_from_db()
    assert (job.state, job.attempt, job.started, job.claim_deadline) == ("queued", 1, None, NOW + LEASE + CLAIM_WAIT)


def test_a_lease_that_ran_out_after_a_login_loses_the_job(steng):
    job, claim = running(steng)
    dispatch.mark_credentials(job.pk, claim.attempt, NOW)
    dispatch.reap(NOW + LEASE)
    job.refresh_from_db()
    assert (job.state, job.code) == ("lost", "lost")


def test_a_renewed_lease_is_not_reaped(steng):
    job, claim = running(steng)
    assert dispatch.renew(steng, {job.pk: claim.attempt}, NOW + LEASE - seconds(1)) == {job.pk}
    dispatch.reap(NOW + LEASE)
    assert state_of(job) == JobState.RUNNING


def test_a_heartbeat_hears_what_is_not_its_own_any_more(steng):
    first, claim = running(steng)
    second, _ = running(steng, request=request_for(username="somebody else"))
    dispatch.cancel(second.pk, NOW)
    assert dispatch.renew(steng, {first.pk: claim.attempt, second.pk: 1}, NOW) == {first.pk}


def test_a_job_whose_steng_dies_too_often_is_not_tried_again(steng):
    job = enqueue(steng)
    for _ in range(MAX_ATTEMPTS):
        dispatch.accept(job.pk, NOW)
        dispatch.claim(job.pk, steng, NOW)
        dispatch.abandon(steng, NOW)
    job.refresh_from_db()
    assert (job.state, job.code, "3 times" in job.summary) == ("lost", "lost", True)


def test_a_new_life_takes_back_what_the_old_one_had_accepted(steng):
    job = enqueue(cluster=steng.cluster)
    dispatch.accept(job.pk, NOW)
    assert dispatch.abandon(steng, NOW) == Counter({Event.RETURN: 1})
    assert state_of(job) == JobState.QUEUED


def test_what_was_handed_over_and_not_claimed_goes_back(steng):
    job = enqueue(steng)
    dispatch.accept(job.pk, NOW)
    dispatch.reap(NOW + HAND_OVER_WAIT - seconds(1))
    assert state_of(job) == JobState.DISPATCHED
    dispatch.reap(NOW + HAND_OVER_WAIT)
    assert state_of(job) == JobState.QUEUED


def test_a_running_job_is_stopped_at_its_deadline(steng):
    job, claim = running(steng)
    end = NOW + seconds(10) + RUN_MARGIN
    dispatch.renew(steng, {job.pk: claim.attempt}, end)
    dispatch.reap(end)
    job.refresh_from_db()
    assert (job.state, job.code, job.duration_ms) == ("timed_out", "timed_out", 40_000)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"state": "offline"}, "no_steng"),
        ({"enabled": False}, "steng_unsuitable"),
        ({"drain": True}, "steng_unsuitable"),
    ],
)
def test_a_job_that_nobody_claims_says_why(facts, code, steng):
    job = enqueue(steng)
    Steng.objects.update(last_seen=NOW + CLAIM_WAIT, **facts)
    dispatch.reap(NOW + CLAIM_WAIT)
    job.refresh_from_db()
    assert (job.state, job.code, job.failed_stage) == ("failed", code, "queue")
    assert [(each["name"], each["outcome"]) for each in job.stages] == [("queue", "failed")]


def test_a_bulk_job_waits_on_while_its_steng_is_at_work(steng):
    job = enqueue(steng, lane=Lane.BULK)
    Steng.objects.update(last_seen=NOW + CLAIM_WAIT)
    dispatch.reap(NOW + CLAIM_WAIT)
    job.refresh_from_db()
    assert (job.state, job.claim_deadline) == ("queued", NOW + 2 * CLAIM_WAIT)


def test_a_job_that_cannot_be_made_is_born_failed(steng, connection):
    job = dispatch.refuse(
        code="secret_unreadable",
        depth=request_for().depth,
        connection=connection,
        definition={"host": "mail.example.org", "port": 25, "timeout_ms": 1000},
        configuration="c" * 64,
        trust_version=0,
        advisories=[],
        cluster=steng.cluster,
        steng=None,
        user=None,
        now=NOW,
    )
    job.refresh_from_db()
    assert (job.state, job.code, job.field, job.sealed_request) == ("failed", "secret_unreadable", "password", "")
    assert LastTest.objects.get(pk=connection[0]).code == "secret_unreadable"


@pytest.mark.parametrize(
    "values",
    [
        {"verdict": "success"},
        {"sealed_request": ""},
        {"finished": NOW},
        {"state": "running"},
        {"state": "cancelled", "finished": NOW, "sealed_request": ""},
        {"state": "nonsense"},
    ],
)
def test_the_database_refuses_a_job_that_cannot_be(values, steng):
    job = enqueue(steng)
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(**values)
