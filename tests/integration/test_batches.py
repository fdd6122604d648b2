"""Batches: what is asked for, performed a few items at a time, stopped, and forgotten, without an engine."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError

from cluster import dispatch, ports
from cluster.batches import performing, selectors, services
from cluster.batches.choices import BatchState, ItemState, Rank
from cluster.batches.models import Batch, BatchItem
from cluster.batches.performing import Performer
from cluster.choices import Lane
from cluster.models import Job
from connections import bulk
from connections import services as services_of_connections
from connections.models import Connection
from connections.services import delete
from connections.testing import Target, request_test
from core.audit.models import AuditEvent
from core.models import User
from tests.bulk import NOW, current, perform, results, some, start
from tests.jobs import failure, local_steng, seconds, success

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch):
    """Let no turn be cut short because the machine is busy."""
    monkeypatch.setattr(performing, "SECONDS", 3600)


@pytest.fixture
def steng():
    return local_steng(NOW)


def run(job, steng, report):
    """Bring a job to its report."""
    assert dispatch.accept(job.pk, NOW)
    claim = dispatch.claim(job.pk, steng, NOW)
    assert dispatch.finish(job.pk, claim.attempt, report, NOW)


def job_of(batch, place=0):
    return BatchItem.objects.get(batch=batch, place=place).job


def test_enabling_many_changes_those_that_were_not(admin_user):
    on, off = some(1, name="on"), some(2, status="DISABLED")
    batch = start("enable", [*on, *off], admin_user)
    perform()
    assert results(batch) == {"on": ("done", "unchanged"), "c0000": ("done", ""), "c0001": ("done", "")}
    assert set(Connection.objects.values_list("status", flat=True)) == {"ENABLED"}


def test_a_batch_that_is_done_is_finished_with_its_counts(admin_user):
    batch = start("disable", some(3), admin_user)
    assert current(batch).state == BatchState.RUNNING
    perform()
    assert (current(batch).state, current(batch).counts["done"]) == (BatchState.FINISHED, 3)


def test_deleting_many_deletes_them_and_names_them_still(admin_user):
    batch = start("delete", some(2), admin_user)
    perform()
    assert (Connection.objects.count(), results(batch)) == (0, {"c0000": ("done", ""), "c0001": ("done", "")})


def test_what_does_not_exist_is_skipped(admin_user):
    batch = bulk.request(bulk.Action.ENABLE, bulk.by_ids([uuid.uuid4()]), user=admin_user)
    perform()
    assert results(batch) == {"": ("skipped", "not_found")}


def test_what_was_deleted_meanwhile_is_skipped_under_its_name(admin_user):
    (row,) = some(1)
    batch = start("test", [row], admin_user)
    delete(row)
    perform()
    assert results(batch) == {"c0000": ("skipped", "not_found")}


def test_a_thing_named_twice_is_one_item(admin_user):
    (row,) = some(1)
    assert start("disable", [row, row], admin_user).total == 1


def test_a_batch_over_nothing_is_finished_at_once(admin_user):
    assert start("disable", [], admin_user).state == BatchState.FINISHED


def test_a_test_goes_into_the_bulk_lane_and_its_item_runs_until_it_is_over(admin_user, steng):
    batch = start("test", some(1), admin_user)
    perform()
    job = job_of(batch)
    assert (job.lane, job.batch_id, job.requested_by) == (Lane.BULK, batch.pk, admin_user)
    assert results(batch) == {"c0000": ("running", "")}
    assert current(batch).state == BatchState.RUNNING


@pytest.mark.parametrize(
    ("report", "item", "rank"),
    [
        (success(), ("done", "success", ""), Rank.DONE),
        (failure(), ("done", "failure", "credentials_refused"), Rank.FAILED),
    ],
)
def test_the_verdict_of_a_test_is_the_result_of_its_item(report, item, rank, admin_user, steng):
    batch = start("test", some(1), admin_user)
    perform()
    run(job_of(batch), steng, report)
    found = BatchItem.objects.get(batch=batch)
    assert ((found.state, found.verdict, found.code), found.rank) == (item, rank)
    perform()
    assert current(batch).state == BatchState.FINISHED


def test_a_test_without_a_verdict_has_failed_with_its_code(admin_user, steng):
    batch = start("test", some(1), admin_user)
    perform()
    dispatch.accept(job_of(batch).pk, NOW)
    dispatch.claim(job_of(batch).pk, steng, NOW)
    dispatch.mark_credentials(job_of(batch).pk, 1, NOW)
    dispatch.reap(NOW + seconds(15))
    assert results(batch) == {"c0000": ("failed", "lost")}


def test_a_test_that_cannot_even_begin_is_settled_at_once(admin_user, steng):
    (row,) = some(1)
    type(row).objects.update(password_sealed="broken")
    batch = start("test", [row], admin_user)
    perform()
    assert results(batch) == {"c0000": ("failed", "secret_unreadable")}


def test_a_test_that_runs_already_serves_the_batch_too(admin_user, steng):
    (row,) = some(1)
    job = request_test(row, Target(), user=admin_user, now=NOW)
    batch = start("test", [row], admin_user)
    perform()
    assert (job_of(batch), job_of(batch).lane, job_of(batch).batch_id) == (job, Lane.INTERACTIVE, None)
    run(job, steng, success())
    assert results(batch) == {"c0000": ("done", "")}


def test_a_refusal_of_one_does_not_stop_the_others(admin_user, monkeypatch):
    rows = some(3)

    def refuses_the_second(thing_id):
        if thing_id == rows[1].pk:
            Connection.objects.filter(pk=thing_id).delete()
            raise ValidationError({"cluster": [ValidationError("There is no such cluster.", code="not_found")]})
        return ports.Outcome()

    monkeypatch.setitem(ports._performers, bulk.KIND, lambda *_: refuses_the_second)
    batch = start("disable", rows, admin_user)
    perform()
    assert results(batch) == {"c0000": ("done", ""), "c0001": ("failed", "not_found"), "c0002": ("done", "")}
    assert BatchItem.objects.get(batch=batch, place=1).detail == "cluster: There is no such cluster."
    assert Connection.objects.count() == 3


def test_a_bug_in_one_is_said_without_its_words(admin_user, monkeypatch):
    def breaks(thing_id):
        raise RuntimeError("password=geheim")

    monkeypatch.setitem(ports._performers, bulk.KIND, lambda *_: breaks)
    batch = start("disable", some(1), admin_user)
    perform()
    found = BatchItem.objects.get(batch=batch)
    assert (found.state, found.code, "geheim" in found.detail) == ("failed", "internal_error", False)


def test_a_database_that_is_busy_is_not_the_fault_of_the_item(admin_user, monkeypatch):
    real, failures = services_of_connections.set_status, ["database is locked"]

    def fails_once(*arguments, **more):
        if failures:
            raise OperationalError(failures.pop())
        return real(*arguments, **more)

    monkeypatch.setattr(services_of_connections, "set_status", fails_once)
    batch = start("disable", some(1), admin_user)
    with pytest.raises(OperationalError):
        perform()
    assert results(batch) == {"c0000": ("waiting", "")}
    perform()
    assert results(batch) == {"c0000": ("done", "")}


def test_a_test_where_a_cluster_must_be_chosen_says_so(admin_user, steng):
    from cluster.models import Cluster
    from cluster.services import save_cluster

    save_cluster(Cluster(), {"name": "second"}, NOW)
    batch = start("test", some(1), admin_user)
    perform()
    assert results(batch) == {"c0000": ("failed", "cluster_required")}


def test_the_options_of_a_batch_are_those_of_its_tests(admin_user, steng):
    batch = start("test", some(1), admin_user, options={"cluster": steng.cluster.name, "depth": "tls"})
    perform()
    assert (job_of(batch).depth, job_of(batch).cluster) == ("tls", steng.cluster)


@pytest.mark.parametrize(
    ("action", "options", "field", "code"),
    [
        ("test", {"cluster": "nowhere"}, "cluster", "not_found"),
        ("test", {"depth": "deep"}, "depth", "invalid_choice"),
        ("test", {"speed": "high"}, "speed", "unknown_field"),
        ("delete", {"depth": "full"}, "depth", "not_available"),
    ],
)
def test_an_option_that_cannot_be_is_refused_before_anything_begins(action, options, field, code, admin_user):
    with pytest.raises(ValidationError) as refused:
        start(action, some(1), admin_user, options=options)
    assert {name: [each.code for each in found] for name, found in refused.value.error_dict.items()} == {field: [code]}
    assert Batch.objects.count() == 0


def test_who_may_not_do_it_starts_nothing(make_user):
    with pytest.raises(PermissionDenied):
        start("delete", some(1), make_user("onlooker"))
    assert Batch.objects.count() == 0


def test_who_is_deactivated_meanwhile_does_nothing_more(admin_user):
    batch = start("disable", some(performing.ITEMS + 2), admin_user)
    perform(turns=1)
    User.objects.update(is_active=False)
    perform()
    counts = current(batch).counts
    assert (counts["done"], counts["failed"]) == (performing.ITEMS, 2)
    assert set(BatchItem.objects.filter(batch=batch, state="failed").values_list("code", flat=True)) == {
        "permission_denied"
    }


def test_what_was_asked_for_by_a_user_who_is_gone_is_not_done(admin_user):
    batch = start("disable", some(1), admin_user)
    User.objects.all().delete()
    perform()
    assert (results(batch), current(batch).requester.name) == ({"c0000": ("failed", "permission_denied")}, "tests")


def test_a_turn_is_short(admin_user):
    batch = start("disable", some(performing.ITEMS + 1), admin_user)
    turn = Performer().turn(NOW)
    assert (turn.live, turn.more, selectors.count(batch)["waiting"]) == (True, True, 1)


def test_a_turn_that_takes_long_does_few_items_and_lets_others_write(admin_user, monkeypatch):
    monkeypatch.setattr(performing, "SECONDS", 0)
    batch = start("disable", some(performing.FEWEST + 2), admin_user)
    assert Performer().turn(NOW).more
    assert selectors.count(batch)["waiting"] == 2


def test_turns_that_take_long_become_smaller_and_grow_again(admin_user, monkeypatch):
    monkeypatch.setattr(performing, "SECONDS", 0)
    batch, performer = start("disable", some(3 * performing.ITEMS), admin_user), Performer()
    for _ in range(3):
        performer.turn(NOW)
    monkeypatch.setattr(performing, "SECONDS", 3600)
    done = [selectors.count(batch)["done"]]
    for _ in range(3):
        performer.turn(NOW)
        done.append(selectors.count(batch)["done"])
    few = performing.FEWEST
    assert done == [3 * few, 4 * few, 6 * few, 10 * few]


def test_batches_take_turns(admin_user):
    rows = some(performing.ITEMS + 5)
    long, short = start("disable", rows, admin_user), start("enable", rows[:5], admin_user)
    Performer().turn(NOW)
    assert (selectors.count(long)["done"], selectors.count(short)["done"]) == (performing.ITEMS // 2, 5)


def test_no_more_tests_of_a_batch_are_on_the_way_than_allowed(admin_user, steng, monkeypatch):
    monkeypatch.setattr(performing, "ON_THE_WAY", 2)
    batch = start("test", some(3), admin_user)
    perform()
    assert (selectors.count(batch)["running"], selectors.count(batch)["waiting"]) == (2, 1)
    run(job_of(batch), steng, success())
    perform()
    assert (selectors.count(batch)["running"], selectors.count(batch)["waiting"]) == (2, 0)


def test_a_cancelled_batch_does_nothing_more_and_undoes_nothing(admin_user):
    batch = start("disable", some(performing.ITEMS + 3), admin_user)
    perform(turns=1)
    services.cancel(batch.pk, NOW)
    perform()
    assert current(batch).state == BatchState.CANCELLED
    assert (current(batch).counts["done"], current(batch).counts["cancelled"]) == (performing.ITEMS, 3)


def test_a_cancelled_batch_cancels_its_tests(admin_user, steng):
    batch = start("test", some(3), admin_user)
    perform()
    run(job_of(batch, 0), steng, success())
    dispatch.accept(job_of(batch, 1).pk, NOW)
    dispatch.claim(job_of(batch, 1).pk, steng, NOW)
    assert services.cancel(batch.pk, NOW).state == BatchState.CANCELLING
    perform()
    assert [Job.objects.get(pk=job_of(batch, place).pk).state for place in range(3)] == [
        "finished", "cancelled", "cancelled",
    ]  # fmt: skip
    assert (current(batch).state, current(batch).counts["cancelled"]) == (BatchState.CANCELLED, 2)


def test_a_test_that_a_person_asked_for_too_survives_the_batch(admin_user, steng):
    (row,) = some(1)
    batch = start("test", [row], admin_user)
    perform()
    job = request_test(row, Target(), user=admin_user, now=NOW)
    assert (job, job.lane) == (job_of(batch), Lane.INTERACTIVE)
    services.cancel(batch.pk, NOW)
    perform()
    assert (Job.objects.get().state, results(batch)) == ("queued", {"c0000": ("cancelled", "cancelled")})


def test_a_test_that_another_batch_waits_for_survives_too(admin_user, steng):
    rows = some(1)
    first, second = start("test", rows, admin_user), start("test", rows, admin_user)
    perform()
    services.cancel(first.pk, NOW)
    perform()
    run(Job.objects.get(), steng, success())
    assert (results(first), results(second)) == ({"c0000": ("cancelled", "cancelled")}, {"c0000": ("done", "")})


def test_a_batch_that_is_over_is_not_cancelled(admin_user):
    batch = start("disable", some(1), admin_user)
    perform()
    assert services.cancel(batch.pk, NOW).state == BatchState.FINISHED


def test_what_is_done_is_recorded_as_the_doing_of_who_asked(admin_user, django_capture_on_commit_callbacks):
    from core import audit

    with audit.acting(audit.Actor(admin_user.pk, "admin", audit.Door.API, "192.0.2.7", "night job")):
        batch = start("test", some(1), admin_user, reason="Quarterly check")
    local_steng(NOW)
    perform()
    with audit.acting(audit.Actor(7, "b.bianchi", audit.Door.PAGE, "192.0.2.8")):
        services.cancel(batch.pk, NOW)
    perform()
    told = AuditEvent.objects.filter(act_group__in=["batch", "test"]).order_by("pk")
    assert [(event.act, event.actor_name, event.door, event.address) for event in told] == [
        ("batch.started", "admin", "api", "192.0.2.7"),
        ("test.requested", "admin", "api", "192.0.2.7"),
        ("batch.cancelled", "b.bianchi", "page", "192.0.2.8"),
        ("test.cancelled", "b.bianchi", "page", "192.0.2.8"),
    ]
    assert (told[0].reason, told[0].extra["token"], told[0].after["total"]) == ("Quarterly check", "night job", 1)


def test_results_outlive_the_history_of_tests(admin_user, steng):
    batch = start("test", some(1), admin_user)
    perform()
    run(job_of(batch), steng, failure())
    Job.objects.all().delete()
    found = BatchItem.objects.get(batch=batch)
    assert (found.job_id, found.code, found.detail) == (None, "credentials_refused", "It did not work.")


def test_more_than_ten_thousand_are_refused(admin_user, monkeypatch):
    monkeypatch.setattr(bulk, "LIMIT", 2)
    rows = some(3)
    for chosen in (lambda: bulk.by_ids([row.pk for row in rows]), lambda: bulk.by_filter({})):
        with pytest.raises(ValidationError) as refused:
            chosen()
        (problems,) = refused.value.error_dict.values()
        assert [(problem.code, problem.params) for problem in problems] == [("too_many", {"limit": 2, "value": 3})]


def test_counting_and_choosing_the_next_item_reads_indexes_only(admin_user):
    from django.db import connection

    batch = start("disable", some(3), admin_user)
    queries = (
        BatchItem.objects.filter(batch=batch).order_by().values_list("state", "verdict"),
        BatchItem.objects.filter(batch=batch, state=ItemState.WAITING, verdict="").order_by("place"),
        selectors.items(batch),
    )
    plans = [query.explain() for query in queries]
    if connection.vendor == "sqlite":
        assert [("TEMP B-TREE" in plan, "SCAN" in plan) for plan in plans] == [(False, False)] * 3
