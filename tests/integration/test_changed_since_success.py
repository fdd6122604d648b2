"""What changed since a connection worked for the last time: it often names the fault alone."""

import pytest
from django.utils import timezone

from cluster import dispatch
from cluster.models import Job
from connections import services, testing
from connections.selectors import find_smtp
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
    services.save_smtp(None, GOOD, user=None)
    run(steng, success())
    return find_smtp(GOOD["name"])


def run(steng, report):
    """Run a test of the connection that ends with a report; return its job."""
    job = testing.request_test(find_smtp(GOOD["name"]), testing.Target(), user=None)
    now = timezone.now()
    dispatch.accept(job.pk, now)
    claim = dispatch.claim(job.pk, steng, now)
    dispatch.finish(job.pk, claim.attempt, report, now)
    return Job.objects.get(pk=job.pk)


def evidence(job):
    return next(stage["evidence"] for stage in job.stages if stage["outcome"] == "failed")


def test_a_new_password_is_named(steng, orders):
    services.save_smtp(orders, {"password": "another"}, user=None, partial=True)
    assert evidence(run(steng, failure()))["changed_since_success"] == ["password"]


def test_a_change_of_trust_is_named(steng, orders):
    import_certificates(Pki().root.pem, as_="anchor", reason="handed over", user="admin", now=timezone.now())
    assert evidence(run(steng, failure()))["changed_since_success"] == ["trust"]


def test_nothing_is_named_where_nothing_changed(steng, orders):
    assert "changed_since_success" not in evidence(run(steng, failure()))


def test_nothing_is_named_of_a_connection_that_never_worked(steng):
    services.save_smtp(None, GOOD, user=None)
    services.save_smtp(find_smtp(GOOD["name"]), {"password": "another"}, user=None, partial=True)
    assert "changed_since_success" not in evidence(run(steng, failure()))


def test_a_success_starts_anew(steng, orders):
    services.save_smtp(orders, {"password": "another"}, user=None, partial=True)
    run(steng, success())
    assert "changed_since_success" not in evidence(run(steng, failure()))
