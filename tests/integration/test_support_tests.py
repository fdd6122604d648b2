"""Tests on the support pages: run one and read its stages, many at once, and lift what was suspended."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from cluster import dispatch
from cluster.batches.choices import Action
from cluster.batches.models import Batch
from cluster.models import Cluster, Job, Steng, SuspendedLogin
from connections import bulk
from connections.admin import lists
from connections.models import Connection, SmtpConnection
from core.audit.models import AuditEvent
from steng.wire import StageName
from tests.bulk import perform, some
from tests.jobs import failure, local_steng, stage, success

pytestmark = pytest.mark.django_db


@pytest.fixture
def steng():
    return local_steng(timezone.now())


@pytest.fixture
def support(client, make_user):
    """Return a browser of somebody of support."""
    client.force_login(make_user("s.bianchi", role="support", is_staff=True))
    return client


def running_page(row):
    return reverse(f"admin:connections_{row._meta.model_name}_test", args=[row.pk])


def job_page(job):
    return reverse("admin:cluster_job_change", args=[job.pk])


def act(client, action, rows, model=Connection, **more):
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return client.post(url, {"action": action, "_selected_action": [str(row.pk) for row in rows], **more}, follow=True)


def said(answer):
    return [str(message) for message in answer.context["messages"]]


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def ended(steng, report):
    """End the only waiting test with a report."""
    job, now = Job.objects.get(), timezone.now()
    assert dispatch.accept(job.pk, now)
    claim = dispatch.claim(job.pk, steng, now)
    dispatch.mark_credentials(job.pk, claim.attempt, now)
    dispatch.finish(job.pk, claim.attempt, report, now)
    return Job.objects.get()


def test_one_click_runs_the_saved_connection_and_leads_to_the_test(support, steng):
    (row,) = some(1)
    answer = support.post(running_page(row))
    job = Job.objects.get()
    assert answer.headers["Location"] == job_page(job)
    assert (job.connection_id, job.requested_by_name, job.depth, job.lane) == (
        row.pk,
        "s.bianchi",
        "full",
        "interactive",
    )
    assert AuditEvent.objects.get(act="test.requested").door == "admin"


def test_a_test_goes_as_far_and_where_it_is_told(support, steng):
    (row,) = some(1)
    Cluster.objects.create(name="far", name_key="far", created=timezone.now())
    assert 'value="connect"' in support.get(running_page(row)).content.decode()
    support.post(running_page(row), {"cluster": steng.cluster.name, "depth": "connect"})
    job = Job.objects.get()
    assert (job.cluster_id, job.depth) == (steng.cluster_id, "connect")


def test_where_nobody_said_on_which_cluster_the_page_asks(support, steng):
    (row,) = some(1)
    Cluster.objects.create(name="far", name_key="far", created=timezone.now())
    answer = support.post(running_page(row))
    assert "Say on which cluster the test is to run: far, local." in text(answer)
    assert Job.objects.count() == 0


def test_a_depth_that_does_not_exist_is_refused(support, steng):
    (row,) = some(1)
    assert "depth: Choose one of" in text(support.post(running_page(row), {"depth": "deeper"}))
    assert Job.objects.count() == 0


def test_the_page_of_a_test_loads_itself_until_it_is_over(support, steng):
    (row,) = some(1)
    support.post(running_page(row))
    refresh = '<meta http-equiv="refresh" content="2">'
    assert refresh in support.get(job_page(Job.objects.get())).content.decode()
    assert refresh not in support.get(job_page(ended(steng, success()))).content.decode()


def test_the_page_of_a_test_shows_stages_code_advice_and_evidence(support, steng):
    (row,) = some(1)
    support.post(running_page(row))
    shown = text(support.get(job_page(ended(steng, failure()))))
    for part in (
        "Connection failed at Authentication",
        "Resolve host Passed 2 ms",
        "Authentication Failed",
        "credentials_refused",
        "It did not work.",
        "Mend it.",
        "s.bianchi",
    ):
        assert part in shown


def test_evidence_and_transcript_are_text_and_no_markup(support, steng):
    (row,) = some(1)
    support.post(running_page(row))
    seen = stage(StageName.GREETING, evidence={"greeting": "220 <script>alert(1)</script>"})
    job = ended(steng, success(seen))
    Job.objects.filter(pk=job.pk).update(
        transcript=[{"ms": 1, "direction": "received", "stage": "greeting", "text": "220 <b>hello</b>"}]
    )
    content = support.get(job_page(job)).content.decode()
    assert "220 &lt;script&gt;alert(1)&lt;/script&gt;" in content
    assert "<script>alert" not in content
    assert "received: 220 &lt;b&gt;hello&lt;/b&gt;" in content


def test_nobody_changes_or_deletes_a_test(admin_client, steng):
    (row,) = some(1)
    admin_client.post(running_page(row))
    job = Job.objects.get()
    assert admin_client.post(job_page(job), {"state": "cancelled"}).status_code == 403
    assert admin_client.post(reverse("admin:cluster_job_delete", args=[job.pk]), {"post": "yes"}).status_code == 403


def test_the_history_is_searched_by_name_target_code_and_id(support, steng):
    (row,) = some(1)
    support.post(running_page(row))
    job = ended(steng, failure())
    history = reverse("admin:cluster_job_changelist")
    for term in (row.name, "mail.example.org:587", "credentials_refused", str(job.pk)):
        assert [found.pk for found in support.get(history, {"q": term}).context["cl"].result_list] == [job.pk], term
    assert list(support.get(history, {"q": "nothing"}).context["cl"].result_list) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?state__exact=finished", 1),
        ("?state__exact=lost", 0),
        ("?verdict__exact=failure", 1),
        ("?verdict__exact=success", 0),
        ("?code=credentials_refused", 1),
        ("?code=timeout", 0),
    ],
)
def test_the_history_is_narrowed(support, steng, query, found):
    (row,) = some(1)
    support.post(running_page(row))
    ended(steng, failure())
    assert support.get(reverse("admin:cluster_job_changelist") + query).context["cl"].result_count == found


def test_one_chosen_connection_leads_to_its_test(support, steng):
    rows = some(2)
    answer = act(support, "test_chosen", rows[:1])
    assert answer.redirect_chain[-1][0] == job_page(Job.objects.get())


def test_a_few_chosen_connections_are_tested_at_once(support, steng):
    assert said(act(support, "test_chosen", some(3))) == ["Tests asked for: 3 of 3."]
    assert Job.objects.filter(batch=None, requested_by_name="s.bianchi").count() == 3


def test_many_chosen_connections_become_a_batch(support, steng, monkeypatch):
    monkeypatch.setattr(lists, "FEW", 2)
    answer = act(support, "test_chosen", some(3))
    batch = Batch.objects.get()
    assert answer.redirect_chain[-1][0] == reverse("admin:cluster_batch_change", args=[batch.pk])
    assert (batch.action, batch.total, batch.requester.door) == ("test", 3, "admin")
    assert "Waiting: 3" in text(answer)
    assert 'http-equiv="refresh"' in answer.content.decode()
    perform(timezone.now())
    assert Job.objects.filter(batch=batch, lane="bulk").count() == 3


def test_what_one_connection_is_refused_for_stops_no_other(support, steng):
    rows = some(2)
    SmtpConnection.objects.filter(pk=rows[0].pk).update(description="d" * 2_049)
    told = said(act(support, "test_chosen", rows))
    assert told == ["c0000: description: At most 2,048 characters; these are 2,049.", "Tests asked for: 1 of 2."]
    assert Job.objects.get().connection_id == rows[1].pk


def test_chosen_connections_are_disabled_and_enabled_each_by_the_services(admin_client):
    rows = some(3)
    assert said(act(admin_client, "disable_chosen", rows[:2], SmtpConnection)) == ["Disabled: 2 of 2."]
    assert [row.status for row in Connection.objects.all()] == ["DISABLED", "DISABLED", "ENABLED"]
    assert AuditEvent.objects.filter(act="connection.disabled", door="admin").count() == 2
    assert said(act(admin_client, "enable_chosen", rows)) == ["Enabled: 2 of 3."]
    assert set(Connection.objects.values_list("status", flat=True)) == {"ENABLED"}


def test_support_may_test_and_not_disable(support, steng):
    rows = some(1)
    act(support, "disable_chosen", rows)
    assert Connection.objects.get().status == "ENABLED"


def test_a_batch_shows_what_became_of_each(support, steng, admin_user):
    rows = some(2)
    batch = bulk.request(Action.DISABLE, bulk.by_ids([row.pk for row in rows]), user=admin_user)
    perform(timezone.now())
    answer = support.get(reverse("admin:cluster_batch_change", args=[batch.pk]))
    assert "Done: 2" in text(answer)
    assert [item.name for item in answer.context["items"]] == [row.name for row in rows]
    assert 'http-equiv="refresh"' not in answer.content.decode()


@pytest.fixture
def suspended(steng, admin_client):
    (row,) = some(1)
    admin_client.post(running_page(row))
    ended(steng, failure())
    return SuspendedLogin.objects.get()


def test_a_suspended_sign_in_is_lifted_with_a_reason(admin_client, suspended):
    asked = act(admin_client, "lift", [suspended], SuspendedLogin)
    assert suspended.name in text(asked)
    refused = act(admin_client, "lift", [suspended], SuspendedLogin, reason="  ")
    assert "Say why it may be tried again." in text(refused)
    assert SuspendedLogin.objects.get().lifted_at is None
    act(admin_client, "lift", [suspended], SuspendedLogin, reason="The partner mended it.")
    row = SuspendedLogin.objects.get()
    assert (row.lifted_by, row.lifted_reason) == ("admin", "The partner mended it.")
    assert AuditEvent.objects.get(act="login.lifted").door == "admin"


def test_the_page_of_a_suspended_sign_in_offers_the_lift_to_who_may(admin_client, suspended, make_user):
    page = reverse("admin:cluster_suspendedlogin_change", args=[suspended.pk])
    assert "Let it be tried again" in text(admin_client.get(page))
    admin_client.force_login(make_user("s.bianchi", role="support", is_staff=True))
    assert "Let it be tried again" not in text(admin_client.get(page))
    act(admin_client, "lift", [suspended], SuspendedLogin, reason="Please.")
    assert SuspendedLogin.objects.get().lifted_at is None


@pytest.mark.parametrize(
    ("before", "action", "wish"),
    [
        ((True, False), "disable", (False, False)),
        ((True, False), "drain", (True, True)),
        ((False, False), "enable", (True, False)),
    ],
)
def test_a_steng_is_given_a_wish(admin_client, before, action, wish):
    steng = local_steng(timezone.now(), enabled=before[0], drain=before[1])
    act(admin_client, action, [steng], Steng)
    row = Steng.objects.get()
    assert (row.enabled, row.drain) == wish
    assert AuditEvent.objects.filter(act__startswith="steng.", door="admin").count() == 1


def test_the_page_of_a_cluster_names_its_stengs(support, steng):
    answer = support.get(reverse("admin:cluster_cluster_change", args=[steng.cluster_id]))
    assert steng.name in text(answer)
