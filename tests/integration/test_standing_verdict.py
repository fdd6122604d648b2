"""What a test says of its connection afterwards: its standing verdict, and what changed since it last worked."""

import pytest
from django.utils import timezone

from cluster import dispatch
from cluster.models import Job
from connections import services, testing
from connections.models import SmtpConnection
from connections.selectors import find
from steng.wire import Depth
from tests.definitions import GOOD
from tests.jobs import failure, local_steng, success
from tests.lab.pki import Pki
from untrusted_cache.services import import_certificates

pytestmark = pytest.mark.django_db


@pytest.fixture
def steng(db):
    return local_steng(timezone.now())


@pytest.fixture
def orders(steng):
    """Return a connection that has worked once."""
    services.save(SmtpConnection, None, GOOD, user=None)
    run(steng, success())
    return find(GOOD["name"])


def run(steng, report, target=testing.Target(), **more):  # noqa: B008  (a frozen value)
    """Run a test of the connection that ends with a report; return its job."""
    job = testing.request_test(find(GOOD["name"]), target, user=None, **more)
    now = timezone.now()
    dispatch.accept(job.pk, now)
    claim = dispatch.claim(job.pk, steng, now)
    dispatch.finish(job.pk, claim.attempt, report, now)
    return Job.objects.get(pk=job.pk)


def evidence(job):
    return next(stage["evidence"] for stage in job.stages if stage["outcome"] == "failed")


def test_a_new_password_is_named(steng, orders):
    services.save(SmtpConnection, orders, {"password": "another"}, user=None, partial=True)
    assert evidence(run(steng, failure()))["changed_since_success"] == ["password"]


def test_a_change_of_trust_is_named(steng, orders):
    import_certificates(Pki().root.pem, as_="anchor", reason="handed over", user="admin", now=timezone.now())
    assert evidence(run(steng, failure()))["changed_since_success"] == ["trust"]


def test_nothing_is_named_where_nothing_changed(steng, orders):
    assert "changed_since_success" not in evidence(run(steng, failure()))


def test_nothing_is_named_of_a_connection_that_never_worked(steng):
    services.save(SmtpConnection, None, GOOD, user=None)
    services.save(SmtpConnection, find(GOOD["name"]), {"password": "another"}, user=None, partial=True)
    assert "changed_since_success" not in evidence(run(steng, failure()))


def test_a_success_starts_anew(steng, orders):
    services.save(SmtpConnection, orders, {"password": "another"}, user=None, partial=True)
    run(steng, success())
    assert "changed_since_success" not in evidence(run(steng, failure()))


def verdict():
    return find(GOOD["name"]).last_test.verdict


def test_a_test_that_stops_short_does_not_make_a_failing_connection_green(steng, orders):
    run(steng, failure())
    run(steng, success(), testing.Target(depth=Depth.CONNECT))
    assert verdict() == "failure"


def test_a_test_with_overrides_does_not_speak_for_the_connection(steng, orders):
    services.save(SmtpConnection, orders, {"dynamic": True}, user=None, partial=True)
    run(steng, failure(), overrides={"helo_name": "other.example.org"})
    assert verdict() == "success"


def test_a_full_test_speaks_for_the_connection(steng, orders):
    run(steng, failure())
    assert verdict() == "failure"


OFFER = "1 verdict is out of date now."


def messages_after(client, address, **values):
    """Post a decision about trust, and return the messages of the page that it leads to."""
    answer = client.post(address, values, follow=True)
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]]


def test_a_change_of_trust_offers_to_test_again_what_it_left_behind(steng, orders, admin_client):
    values = {"certificate": Pki().root.pem.decode(), "as_": "anchor", "reason": "handed over"}
    said = messages_after(admin_client, "/setup/trust/import/", **values)
    assert [OFFER in text for text in said] == [False, True]
    listed = admin_client.get("/connections/?stale=true")
    assert 'href="/connections/?stale=true"' in said[1]
    assert [row.name for row in listed.context["page"]] == [GOOD["name"]]


def test_nothing_is_offered_where_no_verdict_was_left_behind(steng, orders, admin_client):
    (outcome,) = import_certificates(Pki().root.pem, as_="anchor", reason="x", user="admin", now=timezone.now())
    run(steng, success())
    values = {"name": "renamed", "scope": "", "reason": "x", "expires": "", "not_before": ""}
    said = messages_after(admin_client, f"/setup/trust/{outcome.entry.pk}/", **values)
    assert [OFFER in text for text in said] == [False]


def test_whoever_takes_trust_away_is_offered_it_too(steng, orders, admin_client):
    (outcome,) = import_certificates(Pki().root.pem, as_="anchor", reason="x", user="admin", now=timezone.now())
    run(steng, success())
    said = messages_after(admin_client, f"/setup/trust/{outcome.entry.pk}/remove/")
    assert [OFFER in text for text in said] == [False, True]
