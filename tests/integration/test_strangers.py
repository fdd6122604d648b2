"""The stranger: who is not logged in sees the log-in page and learns nothing else, at any address, by any method."""

import pytest

from core.middleware import OPEN_PATHS
from tests.routes import all_routes

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
CLOSED = [route for route in all_routes() if route.path not in OPEN_PATHS]


def is_closed(answer):
    to_the_log_in = answer.status_code == 302 and answer["Location"].startswith("/login/?next=")
    refused = answer.status_code == 401 and answer["Content-Type"] == "application/problem+json"
    return to_the_log_in or refused


def test_the_open_doors_are_the_log_in_and_health():
    assert {route.path for route in all_routes()} & OPEN_PATHS == {"/login/", "/healthz", "/readyz"}


def test_the_walk_finds_pages_and_resources():
    assert {"home", "core:password-change", "admin:index", "api-schema", "api-docs"} <= {route.name for route in CLOSED}


@pytest.mark.parametrize("path", sorted({route.path for route in CLOSED}))
def test_a_stranger_is_sent_away_from(path, db, client):
    assert [method for method in METHODS if not is_closed(getattr(client, method)(path))] == []


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api",
        "/api/",
        "/api/v1/nothing/",
        "/apifoo",
        "/login/x",
        "/login",
        "/healthz/",
        "/media/x",
        "//login/",
    ],
)
def test_a_stranger_does_not_learn_which_addresses_exist(path, db, client):
    assert [method for method in METHODS if not is_closed(getattr(client, method)(path))] == []


@pytest.mark.parametrize("path", sorted({route.path for route in CLOSED if route.path.startswith("/api/")}))
def test_a_wrong_token_opens_nothing_at(path, db, client):
    headers = ("Token", "Token ", "Token pst_wrong", "token x", "Token \udcff")
    assert [header for header in headers if not is_closed(client.get(path, headers={"Authorization": header}))] == []


def test_a_wrong_token_is_refused_although_the_browser_is_logged_in(admin_client):
    assert admin_client.get("/api/v1/schema/", headers={"Authorization": "Token pst_wrong"}).status_code == 401


def test_a_wrong_password_header_opens_nothing(client, admin_user):
    assert client.get("/api/v1/schema/", headers={"Authorization": "Basic YWRtaW46YWRtaW4="}).status_code == 401


def test_a_401_says_how_to_authenticate(client, db):
    assert client.get("/api/v1/nothing/")["WWW-Authenticate"] == 'Token realm="postern"'


def test_a_fragment_takes_its_page_to_the_log_in(client, db):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/connections/?q=a"}
    answer = client.get("/connections/", headers=headers)
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/login/?next=%2Fconnections%2F%3Fq%3Da")


def test_a_stranger_cannot_post_to_a_page_and_come_back_to_it(client, db):
    assert client.post("/theme/", {"theme": "dark"})["Location"] == "/login/?next=/"


def test_health_needs_neither_log_in_nor_database(client):
    answer = client.get("/healthz")  # no fixture opens the database, so a query would fail
    assert (answer.status_code, answer.content) == (200, b"ok\n")
