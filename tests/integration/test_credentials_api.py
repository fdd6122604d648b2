"""The REST resource of credentials, in the shapes that scripts rely on."""

import pytest

from credentials import services
from credentials.models import Credential
from tests.credentials import BASIC, OAUTH2, pretend_use

pytestmark = pytest.mark.django_db
BASE = "/api/v1/credentials/"


@pytest.fixture
def saved(api):
    """Return a credential as the API answers its creation."""
    return api.post(BASE, BASIC).json()


def address(saved):
    return f"{BASE}{saved['id']}/"


def errors(answer):
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


def test_a_created_credential_says_where_it_is(api):
    answer = api.post(BASE, BASIC)
    assert (answer.status_code, answer["Location"], answer["ETag"]) == (201, f"{BASE}{answer.json()['id']}/", '"1"')


def test_a_read_shows_all_but_the_secret(saved, api):
    body = api.get(address(saved)).json()
    assert body["password"].keys() == {"is_set", "changed_at"}
    assert (body["password"]["is_set"], body["client_secret"]) == (True, {"is_set": False, "changed_at": None})
    assert {name: body[name] for name in BASIC if name != "password"} == {
        name: value for name, value in BASIC.items() if name != "password"
    }
    assert (body["updated_by"], body["version"], body["used_by"], body["used_by_count"]) == ("admin", 1, [], 0)


@pytest.mark.parametrize(
    "values", [BASIC, {**OAUTH2, "secret_expires": "2100-01-31"}], ids=lambda values: values["kind"]
)
def test_what_was_read_can_be_written_back_and_changes_nothing(values, api):
    where = address(api.post(BASE, values).json())
    answer = api.put(where, api.get(where).json())
    assert (answer.status_code, answer["ETag"]) == (200, '"1"')


def test_a_put_keeps_an_absent_secret_and_resets_other_fields(saved, api):
    api.patch(address(saved), {"description": "something"})
    body = api.put(address(saved), {key: value for key, value in BASIC.items() if key != "password"}).json()
    assert (body["description"], body["password"]["is_set"]) == ("", True)


def test_a_patch_changes_what_is_sent(saved, api):
    body = api.patch(address(saved), {"description": "something"}).json()
    assert (body["description"], body["username"], body["version"]) == ("something", BASIC["username"], 2)


def test_a_put_by_name_creates_and_then_changes_nothing(api):
    answers = [api.put(f"{BASE}by-name/orders-mailbox/", BASIC) for _ in range(2)]
    assert [(answer.status_code, answer["ETag"]) for answer in answers] == [(201, '"1"'), (200, '"1"')]


def test_a_name_with_a_slash_is_reached_by_name(api):
    answer = api.put(f"{BASE}by-name/a%2Fb/", {**BASIC, "name": "a/b"})
    assert (answer.status_code, api.get(f"{BASE}by-name/A%2Fb/").json()["name"]) == (201, "a/b")


def test_the_name_in_the_address_and_in_the_body_must_be_one(api):
    assert errors(api.put(f"{BASE}by-name/other/", BASIC)) == [("/name", "invalid_choice")]


def test_an_old_version_is_refused_with_what_changed(saved, api):
    api.patch(address(saved), {"description": "newer"})
    answer = api.patch(address(saved), {"description": "mine"}, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["code"], answer.json()["changed"]) == (
        412,
        "precondition_failed",
        ["description"],
    )


def test_an_old_version_is_not_deleted(saved, api):
    api.patch(address(saved), {"description": "newer"})
    assert api.delete(address(saved), headers={"If-Match": '"1"'}).status_code == 412


def test_a_deleted_credential_is_not_found(saved, api):
    assert [api.delete(address(saved)).status_code, api.get(address(saved)).status_code] == [204, 404]


def test_a_credential_in_use_shows_its_users_and_is_not_deleted(saved, api, monkeypatch):
    user = pretend_use(monkeypatch, Credential.objects.get())
    body, refused = api.get(address(saved)).json(), api.delete(address(saved))
    assert (body["used_by"], body["used_by_count"]) == ([user], 1)
    assert (refused.status_code, refused.json()["code"], refused.json()["used_by"]) == (409, "in_use", [user])


def test_the_kind_of_a_credential_in_use_stays(saved, api, monkeypatch):
    pretend_use(monkeypatch, Credential.objects.get())
    refused = api.put(address(saved), OAUTH2)
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")


def test_a_secret_is_asked_for_again(saved, api):
    answer = api.patch(address(saved), {"username": "eve"})
    assert (answer.status_code, errors(answer)) == (400, [("/password", "secret_must_be_retyped")])


def test_an_advisory_is_shown_by_the_write_and_by_reads(api):
    body = api.post(BASE, {**BASIC, "destinations": [], "scope": "x"}).json()
    said = {(item["pointer"], item["code"]) for item in body["advisories"]}
    assert said == {("/destinations", "any_destination"), ("/scope", "field_ignored")}
    standing = {(item["pointer"], item["code"]) for item in api.get(address(body)).json()["advisories"]}
    assert standing == {("/destinations", "any_destination")}


def test_a_body_that_is_no_object_is_one_error(api):
    assert errors(api.post(BASE, [1])) == [("", "invalid_type")]


class TestTheList:
    def test_it_is_a_page_of_results_by_name(self, api):
        for name in ("b", "C", "a"):
            api.post(BASE, {**BASIC, "name": name})
        body = api.get(f"{BASE}?limit=2").json()
        assert (body["count"], [row["name"] for row in body["results"]]) == (3, ["a", "b"])
        assert [row["name"] for row in api.get(body["next"]).json()["results"]] == ["C"]

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("kind=BASIC", ["orders-mailbox"]),
            ("kind=OAUTH2_CLIENT_CREDENTIAL", ["tenant-app"]),
            ("q=MAILBOX", ["orders-mailbox"]),
            ("q=finance", ["tenant-app"]),
            ("q=nothing", []),
            ("", ["orders-mailbox", "tenant-app"]),
        ],
    )
    def test_it_is_narrowed(self, query, names, api):
        api.post(BASE, BASIC)
        api.post(BASE, {**OAUTH2, "description": "of the finance department"})
        body = api.get(f"{BASE}?{query}").json()
        assert (body["count"], [row["name"] for row in body["results"]]) == (len(names), names)

    @pytest.mark.parametrize(
        ("query", "code"),
        [("kind=basic", "invalid_choice"), ("type=BASIC", "unknown_field"), ("q=" + "x" * 301, "too_long")],
    )
    def test_a_filter_that_cannot_match_is_refused(self, query, code, api):
        assert errors(api.get(f"{BASE}?{query}")) == [(f"/{query.partition('=')[0]}", code)]

    def test_it_tells_how_many_use_each(self, api, saved, monkeypatch):
        api.post(BASE, OAUTH2)
        pretend_use(monkeypatch, Credential.objects.get(pk=saved["id"]))
        assert [row["used_by_count"] for row in api.get(BASE).json()["results"]] == [1, 0]

    def test_it_costs_the_same_queries_for_one_row_and_for_twenty(self, api, django_assert_max_num_queries):
        for number in range(20):
            api.post(BASE, {**BASIC, "name": f"c{number}"})
        with django_assert_max_num_queries(4):
            assert len(api.get(f"{BASE}?limit=20").json()["results"]) == 20


class TestWhoMay:
    @pytest.fixture
    def row(self, admin_user):
        return services.save(None, BASIC, user=admin_user).credential

    @pytest.mark.parametrize("role", ["viewer", "operator", ""])
    def test_who_may_not_see_credentials_is_refused_the_list_and_told_of_no_row(self, role, row, make_user, api_as):
        client = api_as(make_user(role=role))
        answers = [client.get(BASE), client.get(f"{BASE}{row.pk}/"), client.get(f"{BASE}by-name/{row.name}/")]
        assert [answer.status_code for answer in answers] == [403, 404, 404]

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_who_may_not_see_credentials_gets_one_answer_for_a_row_and_for_none(self, method, row, make_user, api_as):
        client = api_as(make_user())
        there = getattr(client, method)(f"{BASE}{row.pk}/", {})
        nowhere = getattr(client, method)(f"{BASE}00000000-0000-4000-8000-000000000000/", {})
        assert (there.status_code, there.json()) == (404, nowhere.json())

    def test_an_editor_reads(self, row, make_user, api_as):
        client = api_as(make_user(role="editor"))
        assert [client.get(where).status_code for where in (BASE, f"{BASE}{row.pk}/")] == [200, 200]

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_an_editor_does_not_write(self, method, row, make_user, api_as):
        where = BASE if method == "post" else f"{BASE}{row.pk}/"
        assert getattr(api_as(make_user(role="editor")), method)(where, {}).status_code == 403
        assert Credential.objects.get().version == 1

    def test_a_security_officer_writes(self, row, make_user, api_as):
        client = api_as(make_user(role="security officer"))
        answers = [client.post(BASE, OAUTH2), client.patch(f"{BASE}{row.pk}/", {"description": "x"})]
        assert [answer.status_code for answer in answers] == [201, 200]

    def test_a_token_that_may_only_read_does_not_write(self, row, admin_user, api_as):
        client = api_as(admin_user, "read")
        assert [client.get(BASE).status_code, client.delete(f"{BASE}{row.pk}/").status_code] == [200, 403]


def test_the_description_knows_the_shape_of_a_secret(api):
    schemas = api.get("/api/v1/schema/").json()["components"]["schemas"]
    lengths = [
        schemas["CredentialRequest"]["properties"][name]["oneOf"][0]["maxLength"]
        for name in ("password", "client_secret")
    ]
    assert lengths == [1024, 4096]
