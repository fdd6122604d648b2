"""The REST resources of jobs, clusters and STENGs, in the shapes that scripts rely on."""

import threading
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cluster import dispatch, waiting
from cluster.models import Cluster, Job, Steng
from cluster.services import LOCAL_STENG
from connections.models import SmtpConnection
from tests.definitions import GOOD
from tests.jobs import enqueue, failure, local_steng, running, seconds, success

pytestmark = pytest.mark.django_db


@pytest.fixture
def steng(db):
    return local_steng(timezone.now())


def finished(steng, report=None, **arguments):
    now = timezone.now()
    job, claim = running(steng, now=now, **arguments)
    dispatch.finish(job.pk, claim.attempt, report or success(), now)
    return Job.objects.get(pk=job.pk)


def test_a_job_has_the_shape_of_the_contract(steng, api):
    job = finished(steng, failure(), connection=(uuid.uuid4(), "smtp", "orders-out"))
    body = api.get(f"/api/v1/jobs/{job.pk}/").json()
    assert {
        "id", "kind", "state", "verdict", "failed_stage", "code", "summary", "advice", "field", "stale", "connection",
        "cluster", "steng", "source_address", "peer_address", "requested_by", "created", "started", "finished",
        "duration_ms", "stages", "untrusted_certificates", "attempt",
    } <= set(body)  # fmt: skip
    assert body["connection"]["name"] == "orders-out"
    assert body["steng"] == {"id": str(steng.pk), "name": "local"}
    assert (body["state"], body["verdict"], body["failed_stage"]) == ("finished", "failure", "auth")
    assert set(body["stages"][0]) == {
        "name", "outcome", "duration_ms", "code", "detail", "advice", "field", "evidence", "peer",
    }  # fmt: skip


def test_a_draft_has_no_connection(steng, api):
    assert api.get(f"/api/v1/jobs/{finished(steng).pk}/").json()["connection"] is None


def test_a_success_without_anything_to_say_has_null_for_a_code(steng, api):
    body = api.get(f"/api/v1/jobs/{finished(steng).pk}/").json()
    assert (body["verdict"], body["code"], body["failed_stage"], body["field"]) == ("success", None, None, None)


def test_a_job_without_verdict_has_null_and_a_code(steng, api):
    job = enqueue(steng, now=timezone.now())
    body = api.post(f"/api/v1/jobs/{job.pk}/cancel/").json()
    assert (body["state"], body["verdict"], body["code"]) == ("cancelled", None, "cancelled")
    assert [(stage["name"], stage["outcome"]) for stage in body["stages"]] == [("queue", "failed")]


def test_a_cancel_after_the_end_changes_nothing(steng, api):
    job = finished(steng)
    answer = api.post(f"/api/v1/jobs/{job.pk}/cancel/")
    assert (answer.status_code, answer.json()["state"]) == (200, "finished")


@pytest.mark.parametrize("path", ["", "cancel/", "transcript/"])
def test_a_job_that_does_not_exist_is_not_found(path, api):
    answer = (api.post if path == "cancel/" else api.get)(f"/api/v1/jobs/{uuid.uuid4()}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_transcript_has_its_lines(steng, api):
    assert api.get(f"/api/v1/jobs/{finished(steng).pk}/transcript/").json() == {"lines": []}


def test_who_may_only_read_cancels_nothing(steng, api_as, make_user):
    job = enqueue(steng, now=timezone.now(), connection=(uuid.uuid4(), "smtp", "orders-out"))
    answer = api_as(make_user()).post(f"/api/v1/jobs/{job.pk}/cancel/")
    assert (answer.status_code, Job.objects.get(pk=job.pk).state) == (403, "queued")


def test_jobs_are_listed_latest_first(steng, api):
    first = finished(steng)
    second = finished(steng, configuration="d" * 64)
    body = api.get("/api/v1/jobs/").json()
    assert (body["count"], [job["id"] for job in body["results"]]) == (2, [str(second.pk), str(first.pk)])


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("state=finished", 2),
        ("state=queued", 1),
        ("verdict=failure", 1),
        ("code=credentials_refused", 1),
        ("code=timeout", 0),
        ("connection=orders-out", 1),
        (f"steng={LOCAL_STENG}", 3),
        ("steng=nobody", 0),
        ("since=2020-01-01", 3),
        ("since=2120-01-01T00:00:00Z", 0),
        ("since=2020-01-01T00:00:00+02:00", 3),
    ],
)
def test_jobs_are_filtered(query, count, steng, api):
    finished(steng, failure(), connection=(uuid.uuid4(), "smtp", "orders-out"))
    finished(steng, configuration="d" * 64)
    enqueue(steng, configuration="e" * 64, now=timezone.now())
    assert api.get(f"/api/v1/jobs/?{query}").json()["count"] == count


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("state=ended", "/state", "invalid_choice"),
        ("verdict=green", "/verdict", "invalid_choice"),
        ("since=yesterday", "/since", "invalid_type"),
        ("since=2026-99-99", "/since", "invalid_type"),
        ("since=2026-05-04T12:00:00", "/since", "invalid_type"),
        ("since=9999-12-31T23:59:59-23:59", "/since", "out_of_range"),
        ("since=0001-01-01T00:00:00%2B23:59", "/since", "out_of_range"),
        ("stat=queued", "/stat", "unknown_field"),
        ("limit=501", "/limit", "out_of_range"),
    ],
)
def test_a_filter_that_cannot_be_is_an_error(query, pointer, code, api):
    answer = api.get(f"/api/v1/jobs/?{query}")
    assert (answer.status_code, [(e["pointer"], e["code"]) for e in answer.json()["errors"]]) == (
        400,
        [(pointer, code)],
    )


@pytest.mark.parametrize("things", ["clusters", "stengs"])
def test_a_list_without_filters_refuses_one(api, things):
    answer = api.get(f"/api/v1/{things}/?name=x&limit=5&offset=0")
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("/name", "unknown_field")]


def test_a_list_of_jobs_costs_the_same_queries_however_long(steng, api):
    def count():
        with CaptureQueriesContext(connection) as queries:
            api.get("/api/v1/jobs/")
        return len(queries)

    finished(steng, failure())
    count()  # the first use of a token is noted
    one = count()
    for number in range(5):
        finished(steng, failure(), configuration=f"{number:064}")
    assert count() == one


def test_a_job_never_shows_its_request(steng, api):
    job = enqueue(steng, now=timezone.now())
    for address in (f"/api/v1/jobs/{job.pk}/", "/api/v1/jobs/", f"/api/v1/jobs/{job.pk}/transcript/"):
        assert "sealed" not in api.get(address).content.decode()


def test_a_test_over_rest_is_accepted_with_its_address(steng, api):
    saved = api.post("/api/v1/connections/smtp/", GOOD).json()
    answer = api.post(f"/api/v1/connections/smtp/{saved['id']}/test/", {})
    assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/jobs/{answer.json()['id']}/")


def test_the_second_click_gets_the_same_job(steng, api):
    saved = api.post("/api/v1/connections/smtp/", GOOD).json()
    answers = [api.post(f"/api/v1/connections/smtp/{saved['id']}/test/", {}).json()["id"] for _ in range(2)]
    assert answers[0] == answers[1]


def test_a_test_of_changed_values_makes_the_older_one_stale(steng, api):
    saved = api.post("/api/v1/connections/smtp/", GOOD).json()
    job = api.post(f"/api/v1/connections/smtp/{saved['id']}/test/", {}).json()
    assert api.get(f"/api/v1/jobs/{job['id']}/").json()["stale"] is False
    api.patch(f"/api/v1/connections/smtp/{saved['id']}/", {"helo_name": "client.example.org"})
    assert api.get(f"/api/v1/jobs/{job['id']}/").json()["stale"] is True


def test_deleting_a_connection_keeps_the_history_of_its_tests(steng, api):
    saved = api.post("/api/v1/connections/smtp/", GOOD).json()
    job = api.post(f"/api/v1/connections/smtp/{saved['id']}/test/", {}).json()
    assert api.delete(f"/api/v1/connections/smtp/{saved['id']}/").status_code == 204
    dispatch.cancel(uuid.UUID(job["id"]), timezone.now())
    assert api.get(f"/api/v1/jobs/{job['id']}/").json()["connection"]["name"] == GOOD["name"]
    assert SmtpConnection.objects.count() == 0


@pytest.mark.parametrize(("wait", "code"), [("61", "out_of_range"), ("x", "invalid_type"), ("-1", "invalid_type")])
def test_a_wait_that_cannot_be_is_an_error(wait, code, steng, api):
    saved = api.post("/api/v1/connections/smtp/", GOOD).json()
    answer = api.post(f"/api/v1/connections/smtp/{saved['id']}/test/?wait={wait}", {})
    assert (answer.status_code, answer.json()["errors"][0]["code"], Job.objects.count()) == (400, code, 0)


@pytest.mark.django_db(transaction=True)
def test_a_waiting_caller_hears_the_end(transactional_db):
    steng = local_steng(timezone.now())
    job, claim = running(steng, now=timezone.now())

    def end():
        try:
            dispatch.finish(job.pk, claim.attempt, success(), timezone.now())
        finally:
            connection.close()

    thread = threading.Thread(target=end)
    thread.start()
    assert waiting.wait_for([job.pk], 60) is True
    thread.join()


def test_a_caller_whose_time_is_up_hears_that_it_is_not_over(steng):
    job, _ = running(steng)
    assert waiting.wait_for([job.pk], 0.05) is False


def test_callers_beyond_the_cap_are_not_kept(steng, monkeypatch):
    monkeypatch.setattr(waiting, "_places", threading.BoundedSemaphore(1))
    monkeypatch.setattr(waiting, "_some_live", lambda keys: not waiting.wait_for(keys, 60))
    job, _ = running(steng)
    # The one place is taken by the outer call while the inner one asks for it.
    assert waiting.wait_for([job.pk], 60) is False


def test_a_cluster_is_created_renamed_and_deleted(api):
    made = api.post("/api/v1/clusters/", {"name": "dmz", "description": "outside"})
    assert (made.status_code, made["Location"]) == (201, f"/api/v1/clusters/{made.json()['id']}/")
    assert api.patch(made["Location"], {"name": "dmz-2"}).json()["name"] == "dmz-2"
    assert api.delete(made["Location"]).status_code == 204
    assert Cluster.objects.filter(name="dmz-2").exists() is False


def test_what_was_read_of_a_steng_can_be_written_back(steng, api):
    address = f"/api/v1/stengs/{steng.pk}/"
    read = api.get(address).json()
    assert api.patch(address, read).json() == read


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/name", "required"),
        ({"name": "a b"}, "/name", "forbidden_character"),
        ({"name": "n" * 129}, "/name", "too_long"),
        ({"name": 5}, "/name", "invalid_type"),
        ({"name": "LOCAL"}, "/name", "not_unique"),
        ({"nam": "dmz"}, "/nam", "unknown_field"),
    ],
)
def test_a_cluster_that_cannot_be_says_why(body, pointer, code, steng, api):
    errors = api.post("/api/v1/clusters/", body).json()["errors"]
    assert [(error["pointer"], error["code"]) for error in errors] == [(pointer, code)]


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"cluster": None}, "/cluster", "required"),
        ({"cluster": "nowhere"}, "/cluster", "not_found"),
        ({"cluster": {"id": "x"}}, "/cluster", "not_found"),
        ({"cluster": 7}, "/cluster", "invalid_type"),
        ({"slots": "500"}, "/slots", "invalid_type"),
        ({"slots": 0}, "/slots", "out_of_range"),
        ({"enabled": "yes"}, "/enabled", "invalid_type"),
    ],
)
def test_a_steng_that_cannot_be_says_why(change, pointer, code, steng, api):
    errors = api.post("/api/v1/stengs/", {"name": "dmz-1", "cluster": "local", **change}).json()["errors"]
    assert [(error["pointer"], error["code"]) for error in errors] == [(pointer, code)]


def test_a_steng_takes_its_cluster_by_name_or_id(steng, api):
    by_name = api.post("/api/v1/stengs/", {"name": "a", "cluster": "local"}).json()["cluster"]
    by_id = api.post("/api/v1/stengs/", {"name": "b", "cluster": {"id": str(steng.cluster_id)}}).json()["cluster"]
    assert by_name == by_id == {"id": str(steng.cluster_id), "name": "local"}


@pytest.mark.parametrize(
    ("wish", "enabled", "draining"), [("disable", False, False), ("drain", True, True), ("enable", True, False)]
)
def test_a_wish_about_a_steng_is_kept_apart_from_what_was_observed(wish, enabled, draining, steng, api):
    body = api.post(f"/api/v1/stengs/{steng.pk}/{wish}/").json()
    assert (body["enabled"], body["draining"], body["state"]) == (enabled, draining, "online")


def test_a_cluster_is_active_while_a_steng_of_it_would_take_a_test(steng, api):
    address = f"/api/v1/clusters/{steng.cluster_id}/"
    assert api.get(address).json()["active"] is True
    api.post(f"/api/v1/stengs/{steng.pk}/disable/")
    assert api.get(address).json()["active"] is False


def test_a_steng_that_is_silent_makes_its_cluster_inactive(steng, api):
    Steng.objects.update(last_seen=timezone.now() - seconds(60))
    assert api.get(f"/api/v1/clusters/{steng.cluster_id}/").json()["active"] is False


def test_a_cluster_with_stengs_is_in_use(steng, api):
    answer = api.delete(f"/api/v1/clusters/{steng.cluster_id}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert [user["name"] for user in answer.json()["used_by"]] == ["local"]


def test_the_consoles_own_steng_is_not_deleted(steng, api):
    answer = api.delete(f"/api/v1/stengs/{steng.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")


def test_a_steng_that_a_connection_names_is_in_use(steng, api):
    made = api.post("/api/v1/stengs/", {"name": "dmz-1", "cluster": "local"}).json()
    api.post("/api/v1/connections/smtp/", {**GOOD, "steng": "dmz-1"})
    answer = api.delete(f"/api/v1/stengs/{made['id']}/")
    assert (answer.status_code, [user["name"] for user in answer.json()["used_by"]]) == (409, [GOOD["name"]])


def test_a_steng_with_a_history_is_deleted_and_the_history_still_names_it(steng, api):
    made = api.post("/api/v1/stengs/", {"name": "dmz-1", "cluster": "local"}).json()
    other = Steng.objects.get(pk=made["id"])
    job = finished(other)
    assert api.delete(f"/api/v1/stengs/{made['id']}/").status_code == 204
    assert api.get(f"/api/v1/jobs/{job.pk}/").json()["steng"] == {"id": None, "name": "dmz-1"}


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_who_may_only_read_changes_no_steng(method, steng, api_as, make_user):
    address = "/api/v1/stengs/" if method == "post" else f"/api/v1/stengs/{steng.pk}/"
    assert getattr(api_as(make_user()), method)(address, {}).status_code == 403
