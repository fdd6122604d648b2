"""What each field of a credential does to the connections that use it; docs/fields.md names these tests."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connections.testing import Target, request_test
from credentials import services
from tests.fields.credential_faults import CREDENTIAL_FAULTS, TAKEN
from tests.fields.trying import PASSWORD, USER, attempt, read, save, server_for
from tests.jobs import local_steng
from tests.lab.facts import Protocol

pytestmark = pytest.mark.django_db
OAUTH2 = {
    "kind": "OAUTH2_CLIENT_CREDENTIAL",
    "client_id": "app",
    "client_secret": "staple",
    "token_endpoint": "https://login.example.org/token",
}
SHARED = {"kind": "BASIC", "name": "shared", "username": USER, "password": PASSWORD}


@pytest.fixture
def steng(db):
    return local_steng(timezone.now())


@pytest.fixture(params=Protocol, ids=lambda protocol: protocol.value)
def server(request):
    with server_for(request.param) as serving:
        yield serving


def store(**changes):
    return services.save(None, SHARED | changes, user=None).credential


def rewrite(credential, **changes):
    return services.save(credential, changes, user=None, partial=True).credential


def using(server, **changes):
    """Save a connection that signs in with the stored credential."""
    return save(server, **{"username": None, "password": None, "credential": "shared", **changes})


def logins(server):
    (session,) = server.wait_closed()
    return [(login.username, login.accepted) for login in session.logins]


def refused(act, *arguments, **changes):
    with pytest.raises(ValidationError) as caught:
        act(*arguments, **changes)
    return {(name, error.code) for name, found in caught.value.error_dict.items() for error in found}


def test_a_connection_signs_in_with_the_user_name_and_the_password_of_its_credential(steng, server):
    store()
    assert attempt(using(server), steng).told == (None, None)
    assert logins(server) == [(USER, True)]


def test_another_user_name_in_the_credential_is_another_sign_in(steng, server):
    store(username="invoices")
    attempt(using(server), steng)
    assert logins(server) == [("invoices", False)]


def test_another_password_in_the_credential_is_another_sign_in(steng, server):
    store(password="wrong")
    assert attempt(using(server), steng).told == ("auth", "credentials_refused")
    assert logins(server) == [(USER, False)]


@pytest.mark.parametrize("changes", [{"password": "another"}, {"username": "invoices", "password": "another"}], ids=str)
def test_a_change_of_the_credential_makes_the_verdict_stale(steng, server, changes):
    credential = store()
    attempt(using(server), steng)
    assert read().stale is False
    rewrite(credential, **changes)
    assert (read().stale, read().last_test.verdict) == (True, "success")


@pytest.mark.parametrize(
    "change",
    [{"description": "Of the warehouse"}, {"name": "other"}, {"destinations": [], "password": PASSWORD}],
    ids=["description", "name", "destinations"],
)
def test_what_changes_no_sign_in_asks_nothing_of_the_connections_that_use_it(server, change):
    credential = store(destinations=["127.0.0.1:*"])
    using(server)
    with CaptureQueriesContext(connection) as queries:
        assert services.save(credential, change, user=None, partial=True).changed == (next(iter(change)),)
    assert [query["sql"] for query in queries if "connections_" in query["sql"]] == []


@pytest.mark.parametrize("change", [{"scope": "https://mail.example.org/.default"}, {"client_auth": "BASIC"}], ids=str)
def test_another_way_to_a_token_reaches_the_connections_that_use_it(server, change):
    credential = store(**OAUTH2)
    row = using(server, authentication_type="OAUTH2_CLIENT_CREDENTIAL", username=USER)
    rewrite(credential, **change)
    assert type(row).objects.get(pk=row.pk).version == row.version + 1


def test_a_change_of_the_credential_reaches_every_connection_that_uses_it(server):
    credential = store()
    rows = [using(server, name=f"orders-{number}") for number in range(3)]
    rewrite(credential, username="invoices", password="another")
    assert [type(row).objects.get(pk=row.pk).version for row in rows] == [row.version + 1 for row in rows]


def test_a_new_description_of_the_credential_changes_no_verdict_and_comes_back(steng, server, api):
    credential = store(description="Of the finance department")
    attempt(using(server), steng)
    rewrite(credential, description="Of the\nwarehouse")
    assert read().stale is False
    assert api.get(f"/api/v1/credentials/{credential.pk}/").json()["description"] == "Of the\nwarehouse"


def test_a_credential_is_named_by_the_connections_that_use_it(server, api):
    credential = store()
    row = using(server)
    assert row.credential == credential
    users = api.get(f"/api/v1/credentials/{credential.pk}/").json()["used_by"]
    assert [(user["kind"], user["name"]) for user in users] == [(row.KIND, "orders")]


def test_a_credential_is_sent_only_where_its_destinations_say(steng, server):
    credential = store(destinations=[f"127.0.0.1:{server.port}"])
    row = using(server)
    assert attempt(row, steng).told == (None, None)
    rewrite(credential, destinations=["mail.example.org:*"], password=PASSWORD)
    assert refused(request_test, read(), Target(), user=None) == {("credential", "secret_not_for_destination")}
    assert len(server.sessions) == 1


@pytest.mark.parametrize(
    ("kind", "authentication"), [("OAUTH2_CLIENT_CREDENTIAL", "BASIC"), ("BASIC", "OAUTH2_CLIENT_CREDENTIAL")]
)
def test_a_credential_serves_the_sign_in_of_its_kind_alone(server, kind, authentication):
    store(**({} if kind == "BASIC" else OAUTH2))
    assert refused(save, server, authentication_type=authentication, credential="shared", password=None) == {
        ("credential", "wrong_kind")
    }


@pytest.mark.parametrize("fault", CREDENTIAL_FAULTS, ids=str)
def test_one_fault_of_a_credential_has_one_code(fault):
    store(name=TAKEN)
    assert refused(services.save, None, fault.values, user=None) == {(fault.field, fault.code)}
