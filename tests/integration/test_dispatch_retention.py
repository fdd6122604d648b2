"""The history of tests ends somewhere: by age, by number, and never at what somebody still relies on."""

import datetime as dt

import pytest

from cluster import dispatch
from cluster.choices import JobState
from cluster.dispatch import retention
from cluster.models import Job, LastTest
from tests.jobs import NOW, enqueue, local_steng, running, success

pytestmark = pytest.mark.django_db
OLD = NOW - dt.timedelta(days=90, seconds=1)


@pytest.fixture
def steng(db):
    return local_steng()


def ended(steng, when, **arguments):
    """Return a job that was cancelled as soon as it was there."""
    job = enqueue(steng, now=when, **arguments)
    dispatch.cancel(job.pk, when)
    return job.pk


def left():
    return set(Job.objects.values_list("pk", flat=True))


def test_a_job_that_is_too_old_is_removed(steng):
    ended(steng, OLD)
    recent = ended(steng, OLD + dt.timedelta(seconds=1))
    assert (dispatch.forget(NOW), left()) == (1, {recent})


def test_a_job_that_is_not_over_stays_however_old(steng):
    live = enqueue(steng, now=OLD)
    assert (dispatch.forget(NOW), left()) == (0, {live.pk})


def test_the_last_test_of_a_connection_stays_however_old(steng):
    row = dispatch.follow(Job().pk)
    pks = []
    for when in (OLD - dt.timedelta(days=1), OLD):
        job, claim = running(steng, now=when, connection=(row.pk, "smtp", "orders-out"))
        dispatch.finish(job.pk, claim.attempt, success(), when)
        pks.append(job.pk)
    assert (dispatch.forget(NOW), left()) == (1, {pks[1]})
    assert LastTest.objects.get(pk=row.pk).job_id == pks[1]


def test_of_too_many_the_newest_stay(steng, settings):
    settings.POSTERN_JOB_LIMIT = 2
    pks = [ended(steng, NOW + dt.timedelta(seconds=number)) for number in range(4)]
    assert (dispatch.forget(NOW), left()) == (2, set(pks[2:]))


def test_of_too_many_of_one_moment_as_many_stay_as_may(steng, settings):
    settings.POSTERN_JOB_LIMIT = 2
    for _ in range(4):
        ended(steng, NOW)
    assert (dispatch.forget(NOW), Job.objects.count()) == (2, 2)


def test_what_is_not_over_stays_among_too_many(steng, settings):
    settings.POSTERN_JOB_LIMIT = 0
    live = enqueue(steng, now=NOW)
    ended(steng, NOW, configuration="d" * 64)
    assert (dispatch.forget(NOW), left()) == (1, {live.pk})


def test_one_call_removes_one_batch_the_oldest_first(steng, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    pks = [ended(steng, OLD - dt.timedelta(seconds=number)) for number in range(3)]
    assert (dispatch.forget(NOW), left()) == (2, {pks[0]})
    assert (dispatch.forget(NOW), left()) == (1, set())


@pytest.mark.parametrize("state", [JobState.CANCELLED, JobState.FAILED])
def test_jobs_that_never_ran_are_removed_too(state, steng):
    pk = ended(steng, OLD)
    Job.objects.filter(pk=pk).update(state=state, code="no_steng", summary="Nobody.")
    assert (dispatch.forget(NOW), left()) == (1, set())
