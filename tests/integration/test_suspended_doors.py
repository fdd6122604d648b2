"""The pages and the API of suspended sign-ins: who sees them, what they show, and the lift."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cluster import accounts, dispatch
from cluster.models import Job, SuspendedLogin
from core.audit.models import AuditEvent
from steng.wire import ProbeReport, StageName, StageOutcome, Verdict
from tests.jobs import enqueue, failure, local_steng, request_for, running, stage

pytestmark = pytest.mark.django_db
PAGE, API = "/suspended-logins/", "/api/v1/suspended-logins/"


@pytest.fixture
def steng(db):
    return local_steng(timezone.now())


def refused(steng, name="orders-out", **arguments):
    """Return the suspended sign-in that a refused test leaves; without a name it was a draft's."""
    now = timezone.now()
    tested = (uuid.uuid4(), "smtp", name) if name else None
    job, claim = running(steng, now=now, connection=tested, **arguments)
    dispatch.finish(job.pk, claim.attempt, failure(), now)
    return SuspendedLogin.objects.get(job=job)


def stopped(steng, name="orders-late", **arguments):
    """Return a test that was stopped before its login."""
    now = timezone.now()
    tested = (uuid.uuid4(), "smtp", name) if name else None
    job, claim = running(steng, now=now, connection=tested, **arguments)
    permit = dispatch.mark_credentials(job.pk, claim.attempt, now)
    auth = stage(StageName.AUTH, StageOutcome.FAILED, code="auth_suspended", **permit.suspension)
    dispatch.finish(job.pk, claim.attempt, ProbeReport(Verdict.FAILURE, (stage(), auth), 1.0), now)
    return Job.objects.get(pk=job.pk)


class TestTheList:
    def test_says_what_was_refused_why_and_whom_it_stops(self, steng, viewer_client):
        refused(steng)
        stopped(steng)
        page = viewer_client.get(PAGE).content.decode()
        shown = ["mail.example.org", "orders", "Credentials refused", "Mend it.", "orders-late"]
        assert [text for text in shown if text not in page] == []

    def test_is_empty_with_a_sentence(self, viewer_client):
        assert "Nothing is suspended" in viewer_client.get(PAGE).content.decode()

    def test_keeps_what_was_lifted_on_its_own_tab(self, steng, viewer_client):
        accounts.lift(refused(steng), reason="The account was unlocked.", now=timezone.now())
        pages = [viewer_client.get(path).content.decode() for path in (PAGE, f"{PAGE}?lifted=1")]
        assert ["The account was unlocked." in page for page in pages] == [False, True]

    def test_offers_the_lift_to_who_may(self, steng, client_as):
        row = refused(steng)
        offers = {
            role: f'class="button is-small" href="{PAGE}{row.pk}/"' in client_as(role).get(PAGE).content.decode()
            for role in ("viewer", "operator", "editor", "administrator")
        }
        assert offers == {"viewer": False, "operator": True, "editor": False, "administrator": True}

    def test_takes_as_many_queries_for_many_as_for_one(self, steng, viewer_client):
        def queries():
            with CaptureQueriesContext(connection) as caught:
                viewer_client.get(PAGE)
            return len(caught)

        refused(steng)
        stopped(steng)
        one = queries()
        for number in range(10):
            request = request_for(username=f"user{number}")
            refused(steng, request=request)
            for again in range(7):
                stopped(steng, request=request, configuration=f"{again:064}")
        assert queries() == one

    def test_names_some_of_many_stopped_tests_and_counts_all(self, steng, viewer_client):
        refused(steng)
        for number in range(7):
            stopped(steng, name=f"late-{number}")
        page = viewer_client.get(PAGE).content.decode()
        assert (page.count(">late-"), "7 in all" in page) == (5, True)

    def test_names_nobody_the_drafts_of_others(self, steng, client_as, api_as, make_user):
        refused(steng)
        job = stopped(steng, name=None)
        pages = {role: str(job.pk) in client_as(role).get(PAGE).content.decode() for role in ("operator", "editor")}
        assert pages == {"operator": False, "editor": True}
        (row,) = api_as(make_user("o.perator", role="operator")).get(API).json()["results"]
        assert (row["stopped"], row["latest_stopped"]) == (0, [])

    def test_says_that_another_password_works_by_now(self, steng, viewer_client):
        refused(steng)
        SuspendedLogin.objects.update(overtaken_at=timezone.now())
        assert "Another password was accepted" in viewer_client.get(PAGE).content.decode()

    def test_a_hostile_user_name_is_shown_as_text(self, steng, viewer_client):
        refused(steng, request=request_for(username="<script>alert(1)</script>"))
        assert "<script>alert" not in viewer_client.get(PAGE).content.decode()


class TestTheNavigation:
    @pytest.mark.parametrize(("overtaken", "shown"), [(None, True), (timezone.now(), False)])
    def test_counts_what_waits_for_somebody(self, steng, viewer_client, overtaken, shown):
        refused(steng)
        SuspendedLogin.objects.update(overtaken_at=overtaken)
        sidebar = viewer_client.get(PAGE).content.decode().partition("Suspended sign-ins</span>")[2][:80]
        assert ('class="count"' in sidebar) is shown

    def test_hides_it_from_who_may_not_see_tests(self, client_as):
        assert PAGE not in client_as("").get("/password/").content.decode()


class TestTheLift:
    def lift(self, client, row, reason="The account was unlocked.", query=""):
        return client.post(f"{PAGE}{row.pk}/{query}", {"reason": reason})

    def test_is_asked_for_with_a_reason(self, steng, client_as):
        page = client_as("operator").get(f"{PAGE}{refused(steng).pk}/").content.decode()
        assert ('name="reason"' in page, "Lift the suspension" in page) == (True, True)

    def test_is_not_asked_of_who_may_not(self, steng, viewer_client):
        page = viewer_client.get(f"{PAGE}{refused(steng).pk}/").content.decode()
        assert ('name="reason"' in page, "It did not work." in page) == (False, True)

    def test_is_done(self, steng, client_as):
        row = refused(steng)
        answer = self.lift(client_as("operator"), row)
        row.refresh_from_db()
        assert (answer.status_code, answer["Location"], row.lifted_reason) == (302, PAGE, "The account was unlocked.")

    def test_is_recorded_with_who_did_it(self, steng, client_as):
        self.lift(client_as("operator"), refused(steng))
        event = AuditEvent.objects.get(act="login.lifted")
        assert (event.actor_name[:8], event.door, event.reason) == ("operator", "page", "The account was unlocked.")

    @pytest.mark.parametrize(
        ("role", "status"), [("", 404), ("viewer", 403), ("editor", 403), ("security officer", 403), ("support", 403)]
    )
    def test_is_refused_to_who_may_not(self, steng, client_as, role, status):
        row = refused(steng)
        answer = self.lift(client_as(role), row)
        row.refresh_from_db()
        assert (answer.status_code, row.lifted_at) == (status, None)

    def test_without_a_reason_comes_back(self, steng, client_as):
        row = refused(steng)
        answer = self.lift(client_as("operator"), row, reason="")
        row.refresh_from_db()
        assert (answer.status_code, "Say why" in answer.content.decode(), row.lifted_at) == (422, True, None)

    def test_leads_back_to_the_test_that_was_stopped(self, steng, client_as):
        row, job = refused(steng), stopped(steng)
        client = client_as("operator")
        panel = client.get(f"/tests/{job.pk}/").content.decode()
        assert f'href="{PAGE}{row.pk}/?test={job.pk}"' in panel
        assert self.lift(client, row, query=f"?test={job.pk}")["Location"] == f"/tests/{job.pk}/"

    def test_leads_nowhere_else(self, steng, client_as):
        client = client_as("operator")
        for query in ("?test=https://evil.example/", f"?test={uuid.uuid4()}"):
            SuspendedLogin.objects.all().delete()
            assert self.lift(client, refused(steng, configuration=uuid.uuid4().hex), query=query)["Location"] == PAGE

    def test_twice_says_who_was_first(self, steng, client_as):
        row = refused(steng)
        client = client_as("operator")
        self.lift(client, row)
        page = client.post(f"{PAGE}{row.pk}/", {"reason": "again"}, follow=True).content.decode()
        assert "It was lifted already" in page

    def test_of_one_that_does_not_exist_is_not_found(self, client_as):
        assert client_as("operator").post(f"{PAGE}{uuid.uuid4()}/", {"reason": "r"}).status_code == 404


class TestTheApi:
    def test_lists_what_is_suspended(self, steng, api):
        row = refused(steng)
        job = stopped(steng)
        (shown,) = api.get(API).json()["results"]
        assert shown == {
            "id": str(row.pk),
            "host": "mail.example.org",
            "username": "orders",
            "code": "credentials_refused",
            "summary": "It did not work.",
            "advice": "Mend it.",
            "since": shown["since"],
            "job": str(row.job_id),
            "connection": {"id": str(row.connection_id), "kind": "smtp", "name": "orders-out"},
            "overtaken_at": None,
            "lifted": None,
            "stopped": 1,
            "latest_stopped": [
                {
                    "job": str(job.pk),
                    "connection": {"id": str(job.connection_id), "kind": "smtp", "name": "orders-late"},
                    "created": shown["latest_stopped"][0]["created"],
                }
            ],
        }

    def test_lists_what_was_lifted_on_request(self, steng, api):
        accounts.lift(refused(steng), reason="unlocked", now=timezone.now())
        counts = [api.get(f"{API}?lifted={value}").json()["count"] for value in ("false", "true")]
        assert counts == [0, 1]

    @pytest.mark.parametrize(("query", "code"), [("lifted=yes", "invalid_choice"), ("liftd=true", "unknown_field")])
    def test_refuses_a_filter_that_it_does_not_know(self, api, query, code):
        answer = api.get(f"{API}?{query}")
        assert (answer.status_code, [error["code"] for error in answer.json()["errors"]]) == (400, [code])

    def test_lifts_with_a_reason(self, steng, api_as, make_user):
        row = refused(steng)
        client = api_as(make_user("o.perator", role="operator"))
        lifted = client.post(f"{API}{row.pk}/lift/", {"reason": "unlocked"}).json()["lifted"]
        assert (lifted["by"], lifted["reason"]) == ("o.perator", "unlocked")

    @pytest.mark.parametrize(
        ("body", "pointer", "code"),
        [
            ({}, "/reason", "required"),
            ({"reason": 5}, "/reason", "invalid_type"),
            ({"why": "x"}, "/why", "unknown_field"),
        ],
    )
    def test_does_not_lift_without_one(self, steng, api, body, pointer, code):
        row = refused(steng)
        answer = api.post(f"{API}{row.pk}/lift/", body)
        (error,) = answer.json()["errors"]
        row.refresh_from_db()
        assert (answer.status_code, error["pointer"], error["code"], row.lifted_at) == (400, pointer, code, None)

    def test_does_not_lift_by_a_token_that_may_only_test(self, steng, api_as, admin_user):
        row = refused(steng)
        assert api_as(admin_user, "test").post(f"{API}{row.pk}/lift/", {"reason": "unlocked"}).status_code == 403

    @pytest.mark.parametrize("path", ["", "lift/"])
    def test_knows_none_for_who_may_not_see_tests(self, steng, api_as, make_user, path):
        client = api_as(make_user("n.obody", role=""))
        call = client.post if path else client.get
        assert call(f"{API}{refused(steng).pk}/{path}").status_code == 404

    def test_of_a_draft_names_no_connection(self, steng, api):
        row = refused(steng, name=None)
        assert api.get(f"{API}{row.pk}/").json()["connection"] is None


@pytest.mark.parametrize(("username", "told"), [("orders", True), ("invoices", False)])
def test_who_waits_for_an_account_is_told_so(steng, viewer_client, username, told):
    running(steng, now=timezone.now())
    waiting = enqueue(
        steng,
        now=timezone.now(),
        request=request_for(username=username, port=25),
        connection=(uuid.uuid4(), "smtp", "o"),
    )
    assert ("signs in to the same account" in viewer_client.get(f"/tests/{waiting.pk}/").content.decode()) is told
