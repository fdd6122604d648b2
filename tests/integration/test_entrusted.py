"""A shared credential in the hands of who edits connections: it goes only where who manages it said it may."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections import services
from connections.models import MailboxConnection
from credentials import services as credentials
from tests.fields import doors
from tests.jobs import local_steng

pytestmark = pytest.mark.django_db
BASE = "/api/v1/connections/mailbox/"
MAILBOX = {
    "name": "orders-in",
    "host": "mail.example.org",
    "port": 993,
    "connection_security": "SSL_TLS",
    "match_server_hostname": True,
}
NO_SUCH_PLACE = {("/credential", "secret_not_for_destination")}
LESS_PROTECTED = {
    "in clear text": ({"connection_security": "NONE", "basic_mechanism": "CRAM_MD5"}, "connection_security"),
    "the name of the server unchecked": ({"match_server_hostname": False}, "match_server_hostname"),
    "an old version": ({"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["TLSv1_2", "TLSv1_1"]}, "ssl_protocols"),
    "a weak suite": (
        {"cipher_suite_mode": "SPECIFIC", "cipher_suites": ["TLS_ECDH_RSA_WITH_AES_128_CBC_SHA"]},
        "cipher_suites",
    ),
}
less_protected = pytest.mark.parametrize(("change", "field"), LESS_PROTECTED.values(), ids=LESS_PROTECTED)
SWITCH_ON = (
    "Switch this on, or ask who manages credentials: nobody else may use “bound” with less protection on its way."
)


@pytest.fixture
def bound():
    """Store a credential that is meant for two servers."""
    return store("bound", destinations=["mail.example.org:*", "other.example.org:993"])


@pytest.fixture
def free():
    """Store a credential that says nothing about servers."""
    return store("free")


def store(name, **more):
    values = {"name": name, "kind": "BASIC", "username": "orders", "password": "correct horse", **more}
    return credentials.save(None, values, user=None).credential


def made(**changes):
    """Save a connection as somebody who manages credentials does."""
    return services.save(MailboxConnection, None, {**MAILBOX, **changes}, user=None).connection


@pytest.fixture
def editor(make_user, api_as):
    return api_as(make_user("editor", role="editor"))


@pytest.fixture
def blind(make_user, api_as):
    """Return who edits connections and sees no credentials."""
    return api_as(make_user("blind", "connections.view", "connections.edit", "connections.draft", role=""))


def errors(answer):
    return {(error["pointer"], error["code"]) for error in answer.json().get("errors", [])}


def sentences(answer):
    return [error["detail"] for error in answer.json()["errors"]]


def weaker(field):
    return {(f"/{field}", "secret_not_for_destination")}


def test_an_editor_uses_a_credential_for_the_server_it_is_meant_for(editor, bound):
    assert editor.post(BASE, {**MAILBOX, "credential": "bound"}).status_code == 201


def test_an_editor_does_not_point_a_credential_without_destinations_at_a_server(editor, free):
    answer = editor.post(BASE, {**MAILBOX, "credential": "free"})
    assert (answer.status_code, errors(answer)) == (400, NO_SUCH_PLACE)


def test_an_editor_does_not_move_a_connection_with_such_a_credential(editor, free):
    row = made(credential="free")
    assert errors(editor.patch(f"{BASE}{row.pk}/", {"host": "evil.example.net"})) == NO_SUCH_PLACE


def test_an_editor_changes_what_leads_the_credential_nowhere_else(editor, free):
    row = made(credential="free")
    assert editor.patch(f"{BASE}{row.pk}/", {"description": "new"}).status_code == 200


@less_protected
def test_an_editor_takes_nothing_away_that_protects_a_credential(change, field, editor, bound):
    row = made(credential="bound")
    assert errors(editor.patch(f"{BASE}{row.pk}/", change)) == weaker(field)


@less_protected
def test_an_editor_uses_a_credential_nowhere_with_less_protection(change, field, editor, bound):
    assert errors(editor.post(BASE, {**MAILBOX, "credential": "bound", **change})) == weaker(field)


@less_protected
def test_a_draft_that_is_based_on_nothing_has_no_less_protection(change, field, editor, bound):
    assert errors(editor.post(f"{BASE}test/", {**MAILBOX, "credential": "bound", **change})) == weaker(field)


def test_a_credential_that_was_taken_out_is_not_put_back_with_less_protection(editor, bound):
    row = made(credential="bound", match_server_hostname=False)
    own = {"credential": None, "username": "orders", "password": "own"}
    assert editor.patch(f"{BASE}{row.pk}/", own).status_code == 200
    answer = editor.patch(f"{BASE}{row.pk}/", {"credential": "bound"})
    assert errors(answer) == weaker("match_server_hostname")


def test_what_was_allowed_for_one_server_is_not_allowed_for_another(editor, bound):
    row = made(credential="bound", match_server_hostname=False)
    answer = editor.patch(f"{BASE}{row.pk}/", {"host": "other.example.org"})
    assert errors(answer) == weaker("match_server_hostname")


def test_an_editor_keeps_the_little_protection_that_was_allowed(editor, bound):
    row = made(credential="bound", match_server_hostname=False)
    assert editor.patch(f"{BASE}{row.pk}/", {"description": "new"}).status_code == 200


@pytest.mark.parametrize(
    ("chosen", "mode"),
    [
        ({"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["TLSv1_3"]}, "ssl_protocol_mode"),
        (
            {"cipher_suite_mode": "SPECIFIC", "cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]},
            "cipher_suite_mode",
        ),
    ],
    ids=["versions", "suites"],
)
def test_a_list_that_was_given_up_is_an_error_where_it_shows(chosen, mode, editor, bound):
    row = made(credential="bound", **chosen)
    assert errors(editor.patch(f"{BASE}{row.pk}/", {mode: "ALL"})) == weaker(mode)


def test_a_server_that_is_none_is_the_only_error(editor, free):
    row = made(credential="free")
    assert errors(editor.patch(f"{BASE}{row.pk}/", {"host": "a b"})) == {("/host", "host_invalid")}


def test_the_refusal_says_what_to_do(editor, bound):
    answer = editor.post(BASE, {**MAILBOX, "credential": "bound", "match_server_hostname": False})
    assert sentences(answer) == [SWITCH_ON]


def test_the_form_refuses_it_beside_its_field(client_as, bound):
    values = {**MAILBOX, "store_type": "IMAP", "credential": "bound", "match_server_hostname": False}
    client = client_as("editor")
    assert doors.by_form(values, "mailbox", client) == {("match_server_hostname", "secret_not_for_destination")}


def test_the_page_says_so_before_anything_is_sent(client_as, bound):
    posted = doors.as_posted({**MAILBOX, "credential": "bound", "match_server_hostname": False}, "mailbox")
    answer = client_as("editor").post(reverse("connections:check-draft", args=["mailbox"]), posted)
    assert dict(answer.context["form"].errors) == {"match_server_hostname": [SWITCH_ON]}


def test_the_page_says_nothing_to_who_manages_credentials(client_as, bound):
    posted = doors.as_posted({**MAILBOX, "credential": "bound", "match_server_hostname": False}, "mailbox")
    answer = client_as("administrator").post(reverse("connections:check-draft", args=["mailbox"]), posted)
    assert dict(answer.context["form"].errors) == {}


def test_the_support_pages_refuse_it_beside_its_field(make_user, bound):
    client = Client()
    client.force_login(make_user("helper", "connections.edit", role="support", is_staff=True))
    values = {**MAILBOX, "store_type": "IMAP", "credential": "bound", "match_server_hostname": False}
    assert doors.by_admin(values, "mailbox", client) == {("match_server_hostname", "secret_not_for_destination")}


@pytest.mark.parametrize("query", ["?dry_run=true", "?partial=true"], ids=["the plan", "what is done"])
def test_a_file_is_refused_by_its_plan_as_when_it_is_applied(query, editor, bound):
    row = {"kind": "mailbox", **MAILBOX, "credential": "bound", "match_server_hostname": False}
    answer = editor.post(f"/api/v1/connections/import/{query}", {"version": 1, "connections": [row]})
    (told,) = answer.json()["rows"]
    assert (told["action"], told["errors"][0]["pointer"]) == ("refused", "/match_server_hostname")


def test_the_page_of_an_import_plans_what_it_will_do(client_as, bound):
    table = "kind,name,host,port,connection_security,credential\nmailbox,orders-in,mail.example.org,993,SSL_TLS,bound\n"
    answer = client_as("editor").post(reverse("connections:import"), {"text": table, "format": "csv", "system": ""})
    assert [entry["entry"].action for entry in answer.context["rows"]] == ["refused"]


def test_the_command_line_is_not_held_to_it(bound, monkeypatch):
    values = {**MAILBOX, "name": "new-one", "credential": "bound", "match_server_hostname": "false"}
    assert doors.by_set(values, "mailbox", monkeypatch) == set()
    assert MailboxConnection.objects.get().match_server_hostname is False


def test_a_draft_of_an_editor_is_held_to_the_same(editor, free):
    answer = editor.post(f"{BASE}test/", {**MAILBOX, "credential": "free", "host": "evil.example.net"})
    assert errors(answer) == NO_SUCH_PLACE


@pytest.mark.parametrize(("scope", "status"), [("test", 400), ("full", 202)])
def test_a_token_manages_credentials_only_with_the_scope_for_it(scope, status, admin_user, api_as, free):
    local_steng(timezone.now())
    draft = {**MAILBOX, "credential": "free", "host": "anywhere.example.net"}
    assert api_as(admin_user, scope).post(f"{BASE}test/", draft).status_code == status


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_nobody_sends_a_credential_readable(mechanism, api, bound):
    clear = {"connection_security": "NONE", "basic_mechanism": mechanism, "credential": "bound"}
    assert errors(api.post(BASE, {**MAILBOX, **clear})) == NO_SUCH_PLACE


def test_who_manages_credentials_points_them_anywhere(api, free):
    assert api.post(BASE, {**MAILBOX, "credential": "free"}).status_code == 201


@pytest.mark.parametrize(
    "change",
    [{}, {"host": "elsewhere.example.net"}, {"authentication_type": "OAUTH2_CLIENT_CREDENTIAL", "username": "orders"}],
    ids=["for its server", "for another", "of another kind"],
)
@pytest.mark.parametrize("path", [BASE, f"{BASE}test/"], ids=["saved", "tested"])
def test_who_may_not_see_credentials_finds_none(path, change, blind, bound):
    answer = blind.post(path, {**MAILBOX, **change, "credential": "BOUND"})
    assert (errors(answer), sentences(answer)) == ({("/credential", "not_found")}, ["There is no “BOUND” here."])


def test_a_credential_that_does_not_exist_is_told_before_what_is_wrong_with_the_former_one(api, bound):
    row = made(credential="bound")
    answer = api.patch(f"{BASE}{row.pk}/", {"credential": "none-such", "host": "elsewhere.example.net"})
    assert errors(answer) == {("/credential", "not_found")}


def test_an_id_does_not_tell_the_name_of_a_credential(blind, bound):
    answer = blind.post(BASE, {**MAILBOX, "credential": {"id": str(bound.pk)}})
    assert sentences(answer) == [f"There is no “{bound.pk}” here."]


def test_who_may_not_see_credentials_keeps_the_one_that_is_there(blind, bound):
    row = made(credential="bound")
    assert blind.patch(f"{BASE}{row.pk}/", {"credential": "bound", "description": "new"}).status_code == 200
