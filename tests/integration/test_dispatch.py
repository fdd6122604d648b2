"""Every arrow of a job, pulled and refused, on a real database."""

import hashlib
import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from cluster import dispatch
from cluster.choices import JobState, Lane
from cluster.dispatch import Permit
from cluster.dispatch.intake import SEALED_FIELD
from cluster.models import Cluster, Job, LastTest, Steng
from cluster.representation import job_to_json
from cluster.rules import CLAIM_WAIT, LEASE, RUN_MARGIN
from cluster.services import save_cluster, save_steng
from cluster.states import ARROWS, FINAL, Event
from credentials import vault
from steng.wire import StageName, StageOutcome, to_json
from tests.jobs import NOW, PASSWORD, enqueue, failure, local_steng, request_for, running, seconds, stage, success

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


def in_state(state, steng):
    """Return a job brought to a state by real arrows only."""
    if state == JobState.QUEUED:
        return enqueue(steng)
    if state == JobState.DISPATCHED:
        job = enqueue(steng)
        dispatch.accept(job.pk, NOW)
        return job
    job, claim = running(steng)
    if state == JobState.FINISHED:
        dispatch.finish(job.pk, claim.attempt, success(), NOW)
    if state == JobState.CANCELLED:
        dispatch.cancel(job.pk, NOW)
    if state == JobState.TIMED_OUT:
        dispatch.overrun(job.pk, claim.attempt, NOW)
    if state == JobState.LOST:
        dispatch.mark_credentials(job.pk, claim.attempt, NOW)
        dispatch.reap(NOW + LEASE)
    if state == JobState.FAILED:
        job = enqueue(steng, request=request_for(username="somebody else"))
        dispatch.reap(NOW + CLAIM_WAIT)
    return job


def pull(event, job, steng):
    """Pull one arrow by the function that owns it; return whether it moved."""
    job = Job.objects.get(pk=job.pk)
    late = NOW + seconds(3600)
    acts = {
        Event.ACCEPT: lambda: dispatch.accept(job.pk, NOW),
        Event.CLAIM: lambda: dispatch.claim(job.pk, steng, NOW) is not None,
        Event.RETURN: lambda: dispatch.give_back(job.pk, NOW),
        Event.NOBODY: lambda: dispatch.reap(late)[Event.NOBODY] == 1,
        Event.UNREADABLE: lambda: _claim_damaged(job, steng),
        Event.REPORT: lambda: dispatch.finish(job.pk, job.attempt, success(), NOW),
        Event.OVERRUN: lambda: dispatch.overrun(job.pk, job.attempt, NOW),
        Event.REPEAT: lambda: dispatch.abandon(steng, NOW)[Event.REPEAT] == 1,
        Event.SILENT: lambda: _lose(job, steng),
        Event.CANCEL: lambda: dispatch.cancel(job.pk, NOW).state != job.state,
    }
    return acts[event]()


def _claim_damaged(job, steng):
    Job.objects.filter(pk=job.pk).exclude(sealed_request="").update(sealed_request="v1.damaged")
    dispatch.claim(job.pk, steng, NOW)
    return Job.objects.get(pk=job.pk).code == "secret_unreadable"


def _lose(job, steng):
    dispatch.mark_credentials(job.pk, job.attempt, NOW)
    return dispatch.abandon(steng, NOW)[Event.SILENT] == 1


PAIRS = [(state, event) for state in JobState for event in Event]


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=[f"{state.value}-{event.value}" for state, event in PAIRS])
def test_an_event_moves_a_job_exactly_where_the_table_says(state, event, steng):
    job = in_state(state, steng)
    before = Job.objects.filter(pk=job.pk).values().get()
    assert before["state"] == state
    arrow = ARROWS[event]
    allowed = state in arrow.sources
    assert pull(event, job, steng) is allowed
    if allowed:
        assert state_of(job) == arrow.target
    elif state in FINAL:
        assert Job.objects.filter(pk=job.pk).values().get() == before


@pytest.mark.parametrize("state", FINAL)
def test_a_final_job_keeps_no_request(state, steng):
    job = Job.objects.get(pk=in_state(state, steng).pk)
    assert (job.state, job.sealed_request) == (state, "")


@pytest.mark.parametrize("state", [state for state in FINAL if state != JobState.FINISHED])
def test_an_end_without_verdict_has_a_code_and_a_sentence(state, steng):
    job = Job.objects.get(pk=in_state(state, steng).pk)
    assert (job.verdict, bool(job.code), bool(job.summary), bool(job.advice)) == (None, True, True, True)


def test_a_queued_job_holds_its_request_sealed_for_itself(steng):
    job = enqueue(steng)
    assert PASSWORD not in json.dumps(Job.objects.filter(pk=job.pk).values().get(), default=str)
    opened = json.loads(vault.open_(job.sealed_request, job.pk, SEALED_FIELD).reveal())
    assert opened["login"]["password"] == PASSWORD


def test_the_request_of_another_job_does_not_open_here(steng):
    first, second = enqueue(steng), enqueue(steng, configuration="d" * 64)
    Job.objects.filter(pk=first.pk).update(sealed_request=second.sealed_request)
    dispatch.accept(first.pk, NOW)
    assert dispatch.claim(first.pk, steng, NOW) is None
    assert Job.objects.get(pk=first.pk).code == "secret_unreadable"


def test_an_equal_test_attaches_to_the_one_that_is_live(steng):
    assert enqueue(steng).pk == enqueue(steng).pk


def test_an_equal_test_attaches_to_one_that_is_running(steng):
    job, _ = running(steng)
    assert enqueue(steng).pk == job.pk


def test_an_equal_test_after_the_end_is_a_new_one(steng):
    job, claim = running(steng)
    dispatch.finish(job.pk, claim.attempt, success(), NOW)
    assert enqueue(steng).pk != job.pk


@pytest.mark.parametrize(
    "changes",
    [
        {"request": request_for(password="another")},
        {"request": request_for(host="other.example.org")},
        {"configuration": "d" * 64},
        {"connection": (Job().pk, "smtp", "other")},
    ],
    ids=["password", "host", "configuration", "connection"],
)
def test_a_test_that_differs_in_anything_is_its_own(changes, steng):
    assert enqueue(steng).pk != enqueue(steng, **changes).pk


def test_a_click_lifts_the_equal_bulk_test_into_its_own_lane(steng):
    bulk = enqueue(steng, lane=Lane.BULK)
    assert enqueue(steng).pk == bulk.pk
    assert Job.objects.get(pk=bulk.pk).lane == Lane.INTERACTIVE


def test_of_two_claims_one_gets_the_job(steng):
    job = enqueue(steng)
    dispatch.accept(job.pk, NOW)
    claims = [dispatch.claim(job.pk, steng, NOW) for _ in range(2)]
    assert [claim is not None for claim in claims] == [True, False]
    assert Job.objects.get(pk=job.pk).attempt == 1


def test_a_claim_opens_the_request_and_sets_lease_and_deadline(steng):
    job, claim = running(steng)
    assert to_json(claim.request) == to_json(request_for())
    assert (job.lease_until, job.run_deadline) == (NOW + LEASE, NOW + seconds(10) + RUN_MARGIN)
    assert (job.ran_on_id, job.started, job.attempt) == (steng.pk, NOW, 1)


def test_a_steng_cannot_claim_what_is_meant_for_another(steng):
    other = save_steng(Steng(), {"name": "dmz-1", "cluster": steng.cluster}, NOW)
    job = enqueue(other)
    dispatch.accept(job.pk, NOW)
    assert dispatch.claim(job.pk, steng, NOW) is None
    assert state_of(job) == JobState.DISPATCHED


def test_any_steng_of_the_cluster_claims_what_is_meant_for_the_cluster(steng):
    job = enqueue(cluster=steng.cluster)
    dispatch.accept(job.pk, NOW)
    assert dispatch.claim(job.pk, steng, NOW) is not None


def test_a_steng_of_another_cluster_does_not_claim(steng):
    elsewhere = save_cluster(Cluster(), {"name": "dmz"}, NOW)
    job = enqueue(cluster=elsewhere)
    dispatch.accept(job.pk, NOW)
    assert dispatch.claim(job.pk, steng, NOW) is None


def test_a_request_of_a_newer_format_is_for_another_steng(steng):
    job = enqueue(steng)
    text = json.dumps({**to_json(request_for()), "format": 99})
    Job.objects.filter(pk=job.pk).update(sealed_request=vault.seal(text, job.pk, SEALED_FIELD))
    dispatch.accept(job.pk, NOW)
    assert dispatch.claim(job.pk, steng, NOW) is None
    assert Job.objects.get(pk=job.pk).code == "steng_unsuitable"


def test_credentials_are_marked_once(steng):
    job, claim = running(steng)
    marks = [dispatch.mark_credentials(job.pk, claim.attempt, NOW) for _ in range(2)]
    assert marks == [Permit.go(), Permit.stop()]
    assert Job.objects.get(pk=job.pk).credentials_sent_at == NOW


@pytest.mark.parametrize("when", [LEASE, seconds(10) + RUN_MARGIN], ids=["lease", "deadline"])
def test_credentials_are_not_marked_when_the_time_is_over(when, steng):
    job, claim = running(steng)
    assert dispatch.mark_credentials(job.pk, claim.attempt, NOW + when) == Permit.stop()


def test_credentials_of_a_cancelled_job_are_not_marked(steng):
    job, claim = running(steng)
    dispatch.cancel(job.pk, NOW)
    assert dispatch.mark_credentials(job.pk, claim.attempt, NOW) == Permit.stop()


def test_credentials_of_an_old_attempt_are_not_marked(steng):
    job, _ = running(steng)
    dispatch.abandon(steng, NOW)
    dispatch.accept(job.pk, NOW)
    dispatch.claim(job.pk, steng, NOW)
    assert dispatch.mark_credentials(job.pk, 1, NOW) == Permit.stop()
    assert dispatch.mark_credentials(job.pk, 2, NOW) == Permit.go()


def test_progress_is_shown_while_the_job_runs(steng):
    job, claim = running(steng)
    assert dispatch.progress(job.pk, claim.attempt, [stage(), stage(StageName.CONNECT)])
    assert [each["name"] for each in Job.objects.get(pk=job.pk).stages] == ["resolve", "connect"]


def test_progress_of_an_old_attempt_is_dropped(steng):
    job, _ = running(steng)
    assert dispatch.progress(job.pk, 0, [stage()]) is False
    assert Job.objects.get(pk=job.pk).stages == []


def test_progress_after_the_end_is_dropped(steng):
    job, claim = running(steng)
    dispatch.finish(job.pk, claim.attempt, success(), NOW)
    assert dispatch.progress(job.pk, claim.attempt, []) is False


def test_a_report_of_an_old_attempt_is_dropped(steng):
    job, _ = running(steng)
    dispatch.abandon(steng, NOW)
    dispatch.accept(job.pk, NOW)
    dispatch.claim(job.pk, steng, NOW)
    assert dispatch.finish(job.pk, 1, failure(), NOW) is False
    assert state_of(job) == JobState.RUNNING


def test_a_report_after_a_cancel_is_dropped(steng):
    job, claim = running(steng)
    dispatch.cancel(job.pk, NOW)
    assert dispatch.finish(job.pk, claim.attempt, success(), NOW) is False
    assert (state_of(job), Job.objects.get(pk=job.pk).verdict) == (JobState.CANCELLED, None)


def test_a_failed_report_tells_stage_code_sentence_and_field(steng):
    job, claim = running(steng)
    dispatch.finish(job.pk, claim.attempt, failure(), NOW)
    job.refresh_from_db()
    assert (job.state, job.verdict) == ("finished", "failure")
    assert (job.failed_stage, job.code) == ("auth", "credentials_refused")
    assert (job.summary, job.advice, job.field) == ("It did not work.", "Mend it.", "password")


def test_a_report_without_anything_to_say_has_no_code(steng):
    job, claim = running(steng)
    dispatch.finish(job.pk, claim.attempt, success(), NOW)
    job.refresh_from_db()
    assert (job.verdict, job.code, job.failed_stage, job.summary) == ("success", "", "", "The connection works.")


def test_a_report_that_names_lone_surrogates_and_nul_is_stored(steng):
    job, claim = running(steng)
    report = failure()
    bad = stage(StageName.AUTH, StageOutcome.FAILED, code="credentials_refused", detail="a\udcffb\0c")
    dispatch.finish(job.pk, claim.attempt, type(report)(report.verdict, (bad,), 1.0), NOW)
    assert Job.objects.get(pk=job.pk).summary == "a\\udcffb\\x00c"


def test_the_report_goes_to_the_last_test_of_its_connection(steng, connection):
    job, claim = running(steng, connection=connection, connection_version=7)
    dispatch.finish(job.pk, claim.attempt, success(), NOW)
    row = LastTest.objects.get(pk=connection[0])
    assert (row.job_id, row.verdict, row.state, row.rank, row.success_version) == (job.pk, "success", "finished", 4, 7)


def test_a_failure_keeps_what_is_known_of_the_last_success(steng, connection):
    for report, version in ((success(), 1), (failure(), 2)):
        job, claim = running(steng, connection=connection, connection_version=version)
        dispatch.finish(job.pk, claim.attempt, report, NOW)
    row = LastTest.objects.get(pk=connection[0])
    assert (row.verdict, row.rank, row.success_version) == ("failure", 0, 1)


def test_an_older_test_that_ends_later_does_not_count(steng, connection):
    old, old_claim = running(steng, connection=connection)
    somebody_else = request_for(username="somebody else")
    new, new_claim = running(steng, connection=connection, request=somebody_else, now=NOW + seconds(1))
    dispatch.finish(new.pk, new_claim.attempt, success(), NOW + seconds(2))
    dispatch.finish(old.pk, old_claim.attempt, failure(), NOW + seconds(3))
    assert LastTest.objects.get(pk=connection[0]).verdict == "success"


def test_a_cancelled_test_says_nothing_about_its_connection(steng, connection):
    job, _ = running(steng, connection=connection)
    dispatch.cancel(job.pk, NOW)
    assert LastTest.objects.get(pk=connection[0]).was_run is False


def test_a_test_that_never_ran_counts_for_its_connection(steng, connection):
    enqueue(steng, connection=connection)
    Steng.objects.update(state="offline")
    dispatch.reap(NOW + CLAIM_WAIT)
    row = LastTest.objects.get(pk=connection[0])
    assert (row.state, row.verdict, row.code, row.rank) == ("failed", "", "no_steng", 1)


def test_a_draft_has_no_last_test(steng):
    job, claim = running(steng)
    dispatch.finish(job.pk, claim.attempt, success(), NOW)
    assert LastTest.objects.count() == 0


def test_a_chain_that_failed_trust_is_remembered(steng, pki):
    chain = tuple(certificate.public_bytes(Encoding.DER) for certificate in pki.leaf("mail.example.org").chain)
    job, claim = running(steng)
    dispatch.finish(job.pk, claim.attempt, failure(StageName.TRUST, "certificate_unknown_issuer", chain=chain), NOW)
    shown = job_to_json(Job.objects.get(pk=job.pk))["untrusted_certificates"]
    assert [each["fingerprint"] for each in shown] == [hashlib.sha256(der).hexdigest() for der in chain]
    assert [each["role"] for each in shown] == ["leaf", "intermediate"]


def test_a_chain_of_garbage_does_not_cost_the_report(steng):
    job, claim = running(steng)
    report = failure(StageName.TRUST, "certificate_malformed", chain=(b"\xff" * 10, b"", b"\x30\x80"))
    assert dispatch.finish(job.pk, claim.attempt, report, NOW)
    assert Job.objects.get(pk=job.pk).code == "certificate_malformed"


def test_a_chain_that_the_cache_cannot_take_does_not_cost_the_report(steng):
    job, claim = running(steng)
    Job.objects.filter(pk=job.pk).update(target="no endpoint")
    report = failure(StageName.TRUST, "certificate_malformed", chain=(b"\xff" * 10,))
    assert dispatch.finish(job.pk, claim.attempt, report, NOW)
    job.refresh_from_db()
    assert (job.code, job.chain_id) == ("certificate_malformed", None)


def test_a_trusted_chain_is_not_remembered(steng):
    job, claim = running(steng)
    report = failure(chain=(b"\x30\x00",))
    dispatch.finish(job.pk, claim.attempt, report, NOW)
    assert Job.objects.get(pk=job.pk).chain_id is None
