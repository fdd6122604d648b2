"""Batches over REST: started by ids or by a filter, followed, read page by page, cancelled."""

import json
import uuid

import pytest

from cluster.batches.models import Batch
from connections import bulk
from connections.models import Connection
from tests.bulk import perform, some, start
from tests.jobs import local_steng

pytestmark = pytest.mark.django_db

BULK = "/api/v1/connections/bulk/"


def codes(answer):
    return {(error["pointer"], error["code"]) for error in answer.json().get("errors", [])}


def statuses():
    return dict(Connection.objects.order_by("name").values_list("name", "status"))


def test_a_batch_is_accepted_and_can_be_followed(api):
    rows = some(2)
    answer = api.post(BULK, {"action": "disable", "ids": [str(row.pk) for row in rows]})
    body = answer.json()
    assert (answer.status_code, body["state"], body["total"], body["waiting"]) == (202, "running", 2, 2)
    assert answer["Location"] == f"/api/v1/batches/{body['id']}/"
    perform()
    followed = api.get(answer["Location"]).json()
    assert (followed["state"], followed["done"], followed["requested_by"]) == ("finished", 2, "admin")
    assert followed["results"] == [
        {
            "id": str(row.pk),
            "name": row.name,
            "outcome": "done",
            "verdict": None,
            "code": None,
            "detail": "",
            "job": None,
        }
        for row in rows
    ]


def test_an_id_that_does_not_exist_has_a_result_too(api):
    key = str(uuid.uuid4())
    address = api.post(BULK, {"action": "enable", "ids": [key]})["Location"]
    perform()
    (result,) = api.get(address).json()["results"]
    assert (result["id"], result["name"], result["outcome"], result["code"]) == (key, None, "skipped", "not_found")


def test_a_filter_means_what_the_list_shows_for_it(api):
    some(1, name="here", host="a.example.org")
    some(1, name="there", host="b.example.org")
    api.post(BULK, {"action": "disable", "filter": {"host": "a.example.org"}})
    perform()
    assert statuses() == {"here": "DISABLED", "there": "ENABLED"}


def test_an_empty_filter_is_everything_and_nothing_else_is(api):
    some(2)
    assert api.post(BULK, {"action": "disable", "filter": {}}).json()["total"] == 2


def test_a_filter_that_matches_nothing_is_over_at_once(api):
    answer = api.post(BULK, {"action": "disable", "filter": {"q": "nothing"}})
    assert (answer.status_code, answer.json()["state"], answer.json()["results"]) == (200, "finished", [])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {("/action", "required")}),
        ({"action": "explode", "ids": []}, {("/action", "invalid_choice")}),
        ({"action": "test"}, {("/ids", "required")}),
        ({"action": "test", "ids": []}, {("/ids", "required")}),
        ({"action": "test", "ids": ["x"], "filter": {}}, {("/filter", "not_available")}),
        ({"action": "test", "ids": "all"}, {("/ids", "invalid_type")}),
        ({"action": "test", "ids": ["x"]}, {("/ids", "invalid_type")}),
        ({"action": "test", "ids": [5]}, {("/ids", "invalid_type")}),
        ({"action": "test", "ids": [None]}, {("/ids", "invalid_type")}),
        ({"action": "test", "filter": "all"}, {("/filter", "invalid_type")}),
        ({"action": "test", "filter": {"q": 5}}, {("/filter", "invalid_type")}),
        ({"action": "test", "filter": {"hosts": "a"}}, {("/filter", "unknown_field")}),
        ({"action": "test", "filter": {"ordering": "name"}}, {("/filter", "unknown_field")}),
        ({"action": "test", "filter": {"status": "on"}}, {("/filter", "invalid_choice")}),
        ({"action": "test", "filter": {}, "reason": 5}, {("/reason", "invalid_type")}),
        ({"action": "test", "filter": {}, "reason": "r" * 2049}, {("/reason", "too_long")}),
        ({"action": "test", "filter": {}, "reasons": ""}, {("/reasons", "unknown_field")}),
        ({"action": "test", "filter": {}, "depth": "deep"}, {("/depth", "invalid_choice")}),
        ({"action": "test", "filter": {}, "cluster": "nowhere"}, {("/cluster", "not_found")}),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_said_and_nothing_begins(body, expected, api):
    answer = api.post(BULK, body)
    assert (answer.status_code, codes(answer), Batch.objects.count()) == (400, expected, 0)


def test_too_many_are_refused_with_the_limit(api, monkeypatch):
    monkeypatch.setattr(bulk, "LIMIT", 1)
    (error,) = api.post(BULK, {"action": "test", "ids": [str(uuid.uuid4()) for _ in range(2)]}).json()["errors"]
    assert (error["pointer"], error["code"], error["limit"], error["value"]) == ("/ids", "too_many", 1, 2)


@pytest.mark.parametrize("query", ["limit=1", "wait=61", "wait=soon"])
def test_an_address_that_asks_for_something_else_begins_nothing(query, api):
    assert api.post(f"{BULK}?{query}", {"action": "test", "filter": {}}).status_code == 400
    assert Batch.objects.count() == 0


def test_the_same_key_starts_one_batch(api):
    some(1)
    body = {"action": "disable", "filter": {}}
    answers = [api.post(BULK, body, headers={"Idempotency-Key": "nightly"}) for _ in range(2)]
    assert [answer.json()["id"] for answer in answers] == [str(Batch.objects.get().pk)] * 2
    assert answers[1]["Idempotent-Replayed"] == "true"


def test_waiting_gives_the_results_of_what_is_over_in_time(api, monkeypatch):
    some(1)
    monkeypatch.setattr("cluster.waiting.time.sleep", lambda _: perform())
    answer = api.post(f"{BULK}?wait=60", {"action": "disable", "filter": {}})
    assert (answer.status_code, answer.json()["state"], answer.json()["done"]) == (200, "finished", 1)


def test_results_come_in_pages_whose_links_lead_to_the_batch(api):
    some(3)
    answer = api.post(BULK, {"action": "disable", "filter": {}})
    address = answer["Location"]
    first = api.get(f"{address}?limit=2").json()
    assert (first["count"], [item["name"] for item in first["results"]]) == (3, ["c0000", "c0001"])
    assert first["next"] == f"http://testserver{address}?limit=2&offset=2"
    assert [item["name"] for item in api.get(first["next"]).json()["results"]] == ["c0002"]


def test_the_links_of_the_first_answer_lead_to_the_batch_too(api):
    some(51)
    body = api.post(f"{BULK}?wait=0", {"action": "disable", "filter": {}}).json()
    assert body["next"] == f"http://testserver/api/v1/batches/{body['id']}/?limit=50&offset=50"


def test_results_can_be_narrowed_by_their_outcome(api):
    (row,) = some(1)
    address = api.post(BULK, {"action": "disable", "ids": [str(row.pk), str(uuid.uuid4())]})["Location"]
    perform()
    assert [item["name"] for item in api.get(f"{address}?outcome=done").json()["results"]] == ["c0000"]
    refused = api.get(f"{address}?outcome=well")
    assert (refused.status_code, codes(refused)) == (400, {("/outcome", "invalid_choice")})
    assert codes(api.get(f"{address}?outcom=done")) == {("/outcom", "unknown_field")}


def test_batches_are_listed_latest_first_without_their_results(api):
    some(1)
    made = [api.post(BULK, {"action": action, "filter": {}}).json()["id"] for action in ("disable", "enable")]
    body = api.get("/api/v1/batches/").json()
    assert [batch["id"] for batch in body["results"]] == made[::-1]
    assert "results" not in body["results"][0]


def test_the_list_costs_no_more_for_more_batches_that_are_over(api, django_assert_max_num_queries):
    some(1)
    for _ in range(5):
        api.post(BULK, {"action": "disable", "filter": {}})
    perform()
    with django_assert_max_num_queries(4):
        assert api.get("/api/v1/batches/").json()["count"] == 5


def test_a_batch_is_cancelled(api):
    some(2)
    address = api.post(BULK, {"action": "disable", "filter": {}})["Location"]
    body = api.post(f"{address}cancel/").json()
    assert (body["state"], body["cancelled"], body["cancelled_by"]) == ("cancelled", 2, "admin")
    assert set(statuses().values()) == {"ENABLED"}


def test_a_batch_that_does_not_exist_is_not_found(api):
    address = f"/api/v1/batches/{uuid.uuid4()}/"
    assert [api.get(address).status_code, api.post(f"{address}cancel/").status_code] == [404, 404]


def test_a_test_of_a_batch_names_it(api):
    local_steng()
    some(1)
    batch = api.post(BULK, {"action": "test", "filter": {}}).json()
    perform()
    (result,) = api.get(f"/api/v1/batches/{batch['id']}/").json()["results"]
    assert api.get(f"/api/v1/jobs/{result['job']}/").json()["batch"] == batch["id"]


ACTS = {
    "enable": "connections.enable",
    "disable": "connections.enable",
    "test": "connections.test",
    "delete": "connections.edit",
}


@pytest.mark.parametrize("action", ACTS)
@pytest.mark.parametrize("act", sorted(set(ACTS.values())))
def test_each_action_takes_its_own_act(action, act, make_user, api_as):
    user = make_user("somebody", "connections.view", "tests.view", act)
    some(1)
    answer = api_as(user).post(BULK, {"action": action, "filter": {}})
    assert (answer.status_code, Batch.objects.count()) == ((202, 1) if ACTS[action] == act else (403, 0))


@pytest.mark.parametrize(("scope", "expected"), [("read", (403, 403)), ("test", (202, 403)), ("full", (202, 202))])
def test_a_token_needs_the_scope_of_the_action(scope, expected, admin_user, api_as):
    some(1)
    client = api_as(admin_user, scope)
    assert (
        tuple(client.post(BULK, {"action": each, "filter": {}}).status_code for each in ("test", "delete")) == expected
    )


def test_one_may_cancel_ones_own_batch_and_others_only_with_the_act(make_user, api_as):
    owner = make_user("owner", "connections.view", "tests.view", "connections.test")
    other = make_user("other", "connections.view", "tests.view", "connections.test")
    batch = start("test", some(1), owner)
    address = f"/api/v1/batches/{batch.pk}/cancel/"
    assert api_as(other).post(address).status_code == 403
    assert api_as(owner).post(address).json()["state"] == "cancelled"


def test_who_may_not_see_tests_is_told_that_there_is_no_batch(make_user, api_as):
    batch = start("disable", some(1), make_user("owner", "connections.enable"))
    client = api_as(make_user("stranger", role=""))
    assert client.get(f"/api/v1/batches/{batch.pk}/").status_code == 404
    assert client.get("/api/v1/batches/").status_code == 403
