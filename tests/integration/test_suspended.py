"""What a server refused for good is not sent again: what suspends, what it stops, and what ends it."""

import json

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import connection as database

from cluster import accounts, dispatch
from cluster.models import Job, SuspendedLogin
from cluster.rules import LEASE
from core import audit
from core.audit.models import AuditEvent
from steng.wire import ProbeReport, StageName, StageOutcome, Verdict
from tests.jobs import NOW, PASSWORD, enqueue, failure, local_steng, request_for, running, seconds, stage, success

pytestmark = pytest.mark.django_db
FINAL = [
    "credentials_refused",
    "account_locked",
    "app_password_required",
    "auth_disabled_by_policy",
    "auth_failed",
    "password_expired",
]


@pytest.fixture
def steng(db):
    return local_steng()


def end(steng, report, **arguments):
    """Run a test to its report."""
    job, claim = running(steng, **arguments)
    permit = dispatch.mark_credentials(job.pk, claim.attempt, NOW)
    dispatch.finish(job.pk, claim.attempt, report, NOW)
    return job, permit


def asks(steng, **arguments):
    """Return the permit of a test that comes to its login, and end it without a word about the login."""
    job, claim = running(steng, **arguments)
    permit = dispatch.mark_credentials(job.pk, claim.attempt, NOW)
    dispatch.cancel(job.pk, NOW)
    return permit


@pytest.fixture
def refused(steng):
    end(steng, failure(), connection=(Job().pk, "smtp", "orders-out"))
    return SuspendedLogin.objects.get()


def test_these_refusals_are_final():
    assert {*FINAL, "token_not_accepted"} == accounts.REFUSALS


@pytest.mark.parametrize("code", FINAL)
def test_a_final_refusal_suspends_the_sign_in(steng, code):
    job, _ = end(steng, failure(code=code), connection=(Job().pk, "smtp", "orders-out"))
    row = SuspendedLogin.objects.get()
    assert (row.host, row.username, row.code, row.summary, row.advice) == (
        "mail.example.org", "orders", code, "It did not work.", "Mend it.",
    )  # fmt: skip
    assert (row.since, row.job_id, row.connection_id, row.connection_name) == (
        NOW,
        job.pk,
        job.connection_id,
        "orders-out",
    )


@pytest.mark.parametrize("code", ["rate_limited", "auth_temporarily_unavailable", "timeout", "closed"])
def test_an_answer_that_is_not_final_suspends_nothing(steng, code):
    end(steng, failure(code=code))
    assert SuspendedLogin.objects.count() == 0


def test_a_refusal_after_the_login_suspends_nothing(steng):
    end(steng, failure(StageName.SENDER, "sender_refused"))
    assert SuspendedLogin.objects.count() == 0


def test_a_suspension_is_audited(refused):
    event = AuditEvent.objects.get(act="login.suspended")
    assert (event.object_name, event.after["code"], event.after["host"]) == (
        "orders at mail.example.org", "credentials_refused", "mail.example.org",
    )  # fmt: skip


def test_no_suspension_without_its_audit_event(steng, monkeypatch):
    job, claim = running(steng)

    def breaks(*args, **kwargs):
        raise RuntimeError("no room")

    monkeypatch.setattr(audit, "record", breaks)
    with pytest.raises(RuntimeError):
        dispatch.finish(job.pk, claim.attempt, failure(), NOW)
    assert (Job.objects.get(pk=job.pk).state, SuspendedLogin.objects.count()) == ("running", 0)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"connection": (Job().pk, "mailbox", "other")},
        {"request": request_for(host="MAIL.example.org.", username="Orders", port=143)},
    ],
    ids=["draft", "other connection", "other spelling"],
)
def test_the_same_sign_in_gets_no_leave(steng, refused, arguments):
    assert asks(steng, **arguments) == dispatch.Permit.suspended(accounts.told(refused))


@pytest.mark.parametrize(
    "request_",
    [request_for(password="another"), request_for(username="invoices"), request_for(host="mail.example.net")],
    ids=["secret", "user", "host"],
)
def test_another_sign_in_gets_leave(steng, refused, request_):
    assert asks(steng, request=request_) == dispatch.Permit.go()


def test_a_stopped_test_is_not_marked_and_says_by_what(steng, refused):
    job, claim = running(steng)
    dispatch.mark_credentials(job.pk, claim.attempt, NOW)
    job.refresh_from_db()
    assert (job.credentials_sent_at, job.suspended_by) == (None, refused)


def test_a_stopped_test_whose_steng_dies_may_run_again(steng, refused):
    job, claim = running(steng)
    dispatch.mark_credentials(job.pk, claim.attempt, NOW)
    dispatch.reap(NOW + LEASE)
    assert Job.objects.get(pk=job.pk).state == "queued"


def test_a_repeated_test_is_no_longer_stopped_by_what_was_lifted_meanwhile(steng, refused):
    job, claim = running(steng)
    dispatch.mark_credentials(job.pk, claim.attempt, NOW)
    dispatch.abandon(steng, NOW)
    accounts.lift(refused, reason="unlocked", now=NOW)
    dispatch.accept(job.pk, NOW)
    dispatch.claim(job.pk, steng, NOW)
    job.refresh_from_db()
    assert (job.suspended_by, dispatch.mark_credentials(job.pk, 2, NOW)) == (None, dispatch.Permit.go())


def test_a_killed_test_that_had_its_leave_is_lost_and_suspends_nothing(steng):
    job, claim = running(steng)
    dispatch.mark_credentials(job.pk, claim.attempt, NOW)
    dispatch.reap(NOW + LEASE)
    assert (Job.objects.get(pk=job.pk).state, SuspendedLogin.objects.count()) == ("lost", 0)


def test_the_report_repeats_the_advice_and_names_the_refusal(refused):
    told = accounts.told(refused)
    assert told["advice"] == "Mend it."
    assert told["evidence"] == {
        "since": NOW.isoformat(),
        "code": "credentials_refused",
        "connection": {"id": str(refused.connection_id), "kind": "smtp", "name": "orders-out"},
        "test": str(refused.job_id),
        "suspended_login": str(refused.pk),
    }


def test_the_refusal_of_a_draft_names_no_connection(steng):
    end(steng, failure())
    assert accounts.told(SuspendedLogin.objects.get())["evidence"]["connection"] is None


class TestSuccess:
    def test_of_another_secret_lifts_nothing(self, steng, refused):
        end(steng, success(), request=request_for(password="another"))
        assert asks(steng) == dispatch.Permit.suspended(accounts.told(refused))

    def test_of_another_secret_is_noted(self, steng, refused):
        end(steng, success(), request=request_for(password="another"))
        refused.refresh_from_db()
        assert (refused.overtaken_at, refused.lifted_at) == (NOW, None)

    def test_of_another_account_is_not(self, steng, refused):
        end(steng, success(), request=request_for(username="invoices"))
        refused.refresh_from_db()
        assert refused.overtaken_at is None

    def test_short_of_the_login_is_not(self, steng, refused):
        end(steng, success(stage()), request=request_for(password="another"))
        refused.refresh_from_db()
        assert refused.overtaken_at is None

    def test_with_a_warning_at_the_login_counts(self, steng, refused):
        warned = stage(StageName.AUTH, StageOutcome.WARNING, code="clear_text_login")
        end(steng, ProbeReport(Verdict.WARNING, (stage(), warned), 1.0), request=request_for(password="another"))
        refused.refresh_from_db()
        assert refused.overtaken_at == NOW


class TestLift:
    def test_lets_one_more_attempt_go(self, steng, refused):
        accounts.lift(refused, reason="The account was unlocked.", now=NOW)
        assert end(steng, failure())[1] == dispatch.Permit.go()
        assert asks(steng).granted is False

    def test_that_was_in_vain_leaves_both_refusals(self, steng, refused):
        accounts.lift(refused, reason="The account was unlocked.", now=NOW)
        end(steng, failure(code="account_locked"))
        found = SuspendedLogin.objects.order_by("lifted_at").values_list("code", "lifted_at")
        assert sorted(found, key=str) == [("account_locked", None), ("credentials_refused", NOW)]

    def test_says_who_when_and_why(self, refused):
        with audit.acting(audit.Actor(7, "o.perator", audit.Door.PAGE, "192.0.2.9")):
            row = accounts.lift(refused, reason="The account was unlocked.", now=NOW + seconds(9))
        row.refresh_from_db()
        assert (row.lifted_at, row.lifted_by, row.lifted_reason) == (
            NOW + seconds(9), "o.perator", "The account was unlocked.",
        )  # fmt: skip

    def test_is_audited_with_its_reason(self, refused):
        accounts.lift(refused, reason="The account was unlocked.", now=NOW)
        event = AuditEvent.objects.get(act="login.lifted")
        assert (event.reason, event.before["lifted_at"], event.after["lifted_by"]) == (
            "The account was unlocked.", None, "tests",
        )  # fmt: skip

    def test_twice_keeps_the_first_reason_and_writes_one_event(self, refused):
        accounts.lift(refused, reason="first", now=NOW)
        assert accounts.lift(refused, reason="second", now=NOW + seconds(1)).lifted_reason == "first"
        assert AuditEvent.objects.filter(act="login.lifted").count() == 1

    @pytest.mark.parametrize(
        ("reason", "code"),
        [
            ("", "required"), (None, "required"), (" \n", "required"), (7, "invalid_type"),
            ("r" * 2_049, "too_long"), ("a\u202eb", "forbidden_character"),
        ],
    )  # fmt: skip
    def test_takes_a_reason(self, refused, reason, code):
        with pytest.raises(ValidationError) as caught:
            accounts.lift(refused, reason=reason, now=NOW)
        assert [error.code for error in caught.value.error_dict["reason"]] == [code]
        assert SuspendedLogin.objects.get().lifted_at is None

    def test_is_forgotten_with_the_tests_of_its_time(self, refused, settings):
        accounts.lift(refused, reason="unlocked", now=NOW)
        assert accounts.forget(NOW + settings.POSTERN_JOB_RETENTION) == 0
        assert accounts.forget(NOW + settings.POSTERN_JOB_RETENTION + seconds(1)) == 1

    def test_what_is_suspended_is_never_forgotten(self, refused, settings):
        assert accounts.forget(NOW + 2 * settings.POSTERN_JOB_RETENTION) == 0


def test_a_suspension_outlives_the_test_that_found_it(steng, refused):
    Job.objects.all().delete()
    refused.refresh_from_db()
    assert asks(steng) == dispatch.Permit.suspended(accounts.told(refused))


def test_a_suspension_holds_no_secret(steng, refused):
    shown = serializers.serialize("json", [refused, *AuditEvent.objects.all()]) + json.dumps(accounts.told(refused))
    assert (PASSWORD in shown, refused.secret_digest in json.dumps(accounts.told(refused))) == (False, False)


def test_a_request_that_cannot_be_read_any_more_suspends_all_the_same(steng):
    job, claim = running(steng)
    Job.objects.filter(pk=job.pk).update(sealed_request="v1.damaged")
    dispatch.finish(job.pk, claim.attempt, failure(), NOW)
    row = SuspendedLogin.objects.get()
    assert (row.host, row.username) == ("mail.example.org", "")
    assert asks(steng) == dispatch.Permit.suspended(accounts.told(row))


def test_one_secret_is_suspended_once(steng, refused):
    # Two at once cannot be, except where a report comes in for what an operator let run beside it by hand.
    job = enqueue(steng)
    dispatch.accept(job.pk, NOW)
    claim = dispatch.claim(job.pk, steng, NOW)
    dispatch.finish(job.pk, claim.attempt, failure(code="account_locked"), NOW)
    assert [row.code for row in SuspendedLogin.objects.all()] == ["credentials_refused"]
    assert database.in_atomic_block
