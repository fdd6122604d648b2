"""How long batches are kept: as long as tests, and never removed in one go."""

import pytest

from cluster.batches import performing, services
from cluster.batches.models import Batch
from tests.bulk import NOW, perform, some, start
from tests.jobs import seconds

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch):
    """Let no turn be cut short because the machine is busy."""
    monkeypatch.setattr(performing, "SECONDS", 3600)


def test_old_batches_are_forgotten_a_portion_at_a_time(admin_user, settings, monkeypatch):
    monkeypatch.setattr(services, "FORGOTTEN", 2)
    kept = settings.POSTERN_JOB_RETENTION
    start("disable", some(3), admin_user, now=NOW)
    young = start("disable", [], admin_user, now=NOW + kept)
    perform()
    assert services.forget(NOW + kept) == 0
    assert [services.forget(NOW + kept + seconds(1)) for _ in range(3)] == [2, 1, 0]
    assert list(Batch.objects.all()) == [young]


def test_beyond_the_limit_the_oldest_batch_goes_item_by_item(admin_user, settings, monkeypatch):
    monkeypatch.setattr(services, "FORGOTTEN", 2)
    settings.POSTERN_JOB_LIMIT = 4
    rows = some(3)
    old, young = start("disable", rows, admin_user, now=NOW), start("enable", rows, admin_user, now=NOW + seconds(1))
    perform()
    assert [services.forget(NOW), Batch.objects.count(), old.items.count()] == [2, 2, 1]
    assert [services.forget(NOW), young.items.count()] == [0, 3]


def test_a_batch_that_is_not_over_is_never_forgotten(admin_user, settings):
    settings.POSTERN_JOB_LIMIT = 0
    start("disable", some(1), admin_user, now=NOW)
    assert services.forget(NOW + settings.POSTERN_JOB_RETENTION * 2) == 0
