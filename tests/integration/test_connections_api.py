"""The REST resources of connections, in the shapes that scripts rely on."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cluster.services import ensure_local
from connections.models import SmtpConnection
from tests.definitions import GOOD

pytestmark = pytest.mark.django_db
BASE = "/api/v1/connections/smtp/"


@pytest.fixture(autouse=True)
def local(db):
    """Have one cluster, as every installation has from the start."""
    return ensure_local(timezone.now())


@pytest.fixture
def saved(api):
    """Return a connection as the API answers its creation."""
    return api.post(BASE, GOOD).json()


def test_a_created_connection_says_where_it_is(api):
    answer = api.post(BASE, GOOD)
    assert (answer.status_code, answer["Location"], answer["ETag"]) == (201, f"{BASE}{answer.json()['id']}/", '"1"')


def test_a_secret_is_shown_as_set_and_never_itself(saved, api):
    answer = api.get(f"{BASE}{saved['id']}/")
    assert answer.json()["password"]["is_set"] is True
    assert GOOD["password"] not in answer.content.decode()


def test_what_was_read_can_be_written_back_and_changes_nothing(saved, api):
    address = f"{BASE}{saved['id']}/"
    answer = api.put(address, api.get(address).json())
    assert (answer.status_code, answer["ETag"]) == (200, '"1"')


def test_a_put_keeps_an_absent_secret_and_resets_other_fields(saved, api):
    address = f"{BASE}{saved['id']}/"
    api.patch(address, {"description": "something"})
    body = api.put(address, {key: value for key, value in GOOD.items() if key != "password"}).json()
    assert (body["description"], body["password"]["is_set"]) == ("", True)


def test_a_put_by_name_creates_and_then_changes_nothing(api):
    address = f"{BASE}by-name/orders-out/"
    answers = [api.put(address, GOOD), api.put(address, GOOD)]
    assert [(answer.status_code, answer["ETag"]) for answer in answers] == [(201, '"1"'), (200, '"1"')]


def test_a_name_with_a_slash_is_reached_by_name(api):
    answer = api.put(f"{BASE}by-name/a%2Fb/", {**GOOD, "name": "a/b"})
    assert (answer.status_code, api.get(f"{BASE}by-name/a%2Fb/").json()["name"]) == (201, "a/b")


def test_the_name_in_the_address_and_in_the_body_must_be_one(api):
    answer = api.put(f"{BASE}by-name/other/", GOOD)
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("/name", "invalid_choice")]


def test_an_old_version_is_refused_with_what_changed(saved, api):
    address = f"{BASE}{saved['id']}/"
    api.patch(address, {"description": "newer"})
    answer = api.patch(address, {"description": "mine"}, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["code"], answer.json()["changed"]) == (
        412,
        "precondition_failed",
        ["description"],
    )


def test_a_deleted_connection_is_not_found(saved, api):
    address = f"{BASE}{saved['id']}/"
    assert [api.delete(address).status_code, api.get(address).status_code] == [204, 404]


def test_the_list_is_a_page_of_results(saved, api):
    body = api.get("/api/v1/connections/?limit=10").json()
    assert (body["count"], body["next"], [row["name"] for row in body["results"]]) == (1, None, [saved["name"]])


def test_the_list_costs_the_same_queries_for_one_row_and_for_twenty(api, django_assert_max_num_queries):
    for number in range(20):
        api.post(BASE, {**GOOD, "name": f"c{number}"})
    with django_assert_max_num_queries(4):
        assert len(api.get("/api/v1/connections/?limit=20").json()["results"]) == 20


def test_the_list_reads_no_secret_and_its_count_no_test(saved, api):
    with CaptureQueriesContext(connection) as queries:
        api.get("/api/v1/connections/")
    count, rows = [query["sql"] for query in queries if 'FROM "connections_connection"' in query["sql"]]
    assert ("COUNT(" in count, "cluster_lasttest" in count, "sealed" in rows) == (True, False, False)


@pytest.mark.parametrize("query", ["", "verdict=none", "stale=false", "ordering=-verdict", "q=orders", "tag=none"])
def test_a_list_counts_what_it_shows(query, saved, api):
    body = api.get(f"/api/v1/connections/?{query}").json()
    assert body["count"] == len(body["results"]) == (0 if query == "tag=none" else 1)


@pytest.mark.parametrize("query", ["ordering=-name", "kind=mailbox", "kind=smtp"])
def test_the_list_of_a_kind_refuses_what_it_cannot_do(query, saved, api):
    name = query.partition("=")[0]
    answer = api.get(f"{BASE}?{query}")
    errors = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert (answer.status_code, errors) == (400, [(f"/{name}", "unknown_field")])


@pytest.mark.parametrize("kind", ["smtp", "mailbox"])
def test_the_list_of_a_kind_takes_every_parameter_that_it_describes(kind, api):
    described = api.get("/api/v1/schema/").json()["paths"][f"/api/v1/connections/{kind}/"]["get"]["parameters"]
    numbers = {"limit": "5", "offset": "0"}
    choices = {"status": "ENABLED", "security": "NONE", "verdict": "none", "stale": "false"}
    query = {item["name"]: (numbers | choices).get(item["name"], "x") for item in described}
    assert api.get(f"/api/v1/connections/{kind}/", query).status_code == 200
    assert numbers.keys() < query.keys()


def test_an_advisory_is_shown_with_its_pointer(api):
    body = api.post(BASE, {**GOOD, "port": 465}).json()
    assert ("/port", "unusual_port") in {(item["pointer"], item["code"]) for item in body["advisories"]}


def test_a_dropped_value_is_an_advisory_of_the_write(api):
    body = api.post(BASE, {**GOOD, "retry_interval": 5}).json()
    assert ("/retry_interval", "field_ignored") in {(item["pointer"], item["code"]) for item in body["advisories"]}


def test_overrides_of_a_connection_that_is_not_dynamic_are_refused(saved, api):
    answer = api.post(f"{BASE}{saved['id']}/test/", {"overrides": {"port": 25}})
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("/port", "not_dynamic")]


def test_a_draft_does_not_carry_a_stored_secret_to_another_host(saved, api):
    draft = {
        **{key: value for key, value in GOOD.items() if key != "password"},
        "host": "evil.example",
        "connection": saved["id"],
    }
    answer = api.post(f"{BASE}test/", draft)
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        ("/password", "secret_must_be_retyped")
    ]


def test_a_draft_needs_no_name_and_saves_nothing(api):
    answer = api.post(f"{BASE}test/", {key: value for key, value in GOOD.items() if key != "name"})
    assert (answer.status_code, answer.json()["connection"], api.get(BASE).json()["count"]) == (202, None, 0)


def test_a_test_of_a_saved_connection_is_a_job_of_it(saved, api):
    answer = api.post(f"{BASE}{saved['id']}/test/")
    assert (answer.status_code, answer.json()["state"], answer.json()["connection"]["name"]) == (
        202,
        "queued",
        saved["name"],
    )
    assert answer["Location"] == f"/api/v1/jobs/{answer.json()['id']}/"


def test_an_unknown_key_of_a_test_is_refused(saved, api):
    answer = api.post(f"{BASE}{saved['id']}/test/", {"stengg": "local"})
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("/stengg", "unknown_field")]


def test_a_damaged_secret_is_an_outcome_and_not_a_traceback(saved, api):
    row = SmtpConnection.objects.get()
    flipped = row.password_sealed[:-1] + ("A" if row.password_sealed[-1] != "A" else "B")
    SmtpConnection.objects.update(password_sealed=flipped)
    job = api.post(f"{BASE}{saved['id']}/test/").json()
    assert (job["state"], job["verdict"], job["code"]) == ("failed", None, "secret_unreadable")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_viewer_may_not_write(method, saved, api_as, make_user):
    client = api_as(make_user())
    address = BASE if method == "post" else f"{BASE}{saved['id']}/"
    assert getattr(client, method)(address, {}).status_code == 403


def test_a_viewer_may_not_test(saved, api_as, make_user):
    assert api_as(make_user()).post(f"{BASE}{saved['id']}/test/").status_code == 403


def test_a_viewer_may_read(saved, api_as, make_user):
    assert api_as(make_user()).get(f"{BASE}{saved['id']}/").status_code == 200


@pytest.mark.parametrize("address", ["/api/v1/connections/", BASE])
def test_a_misspelt_filter_is_refused(address, api):
    answer = api.get(f"{address}?statuss=ENABLED")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "unknown_field")


def test_a_tag_that_is_none_of_ours_is_refused_in_words(saved, api):
    answer = api.patch(f"{BASE}{saved['id']}/", {"description": "mine"}, headers={"If-Match": "foo"})
    assert (answer.status_code, answer.json()["changed"]) == (412, [])


def test_where_several_clusters_are_the_choice_is_named(saved, api):
    api.post("/api/v1/clusters/", {"name": "dmz"})
    answer = api.post(f"{BASE}{saved['id']}/test/")
    assert (answer.status_code, answer.json()["code"], answer.json()["clusters"]) == (
        409,
        "cluster_required",
        ["dmz", "local"],
    )
