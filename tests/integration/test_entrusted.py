"""A shared credential in the hands of who edits connections: it goes only where who manages it said it may."""

import pytest

from connections import services
from connections.models import MailboxConnection
from credentials import services as credentials

pytestmark = pytest.mark.django_db
BASE = "/api/v1/connections/mailbox/"
MAILBOX = {"name": "orders-in", "host": "mail.example.org", "port": 993, "connection_security": "SSL_TLS"}


@pytest.fixture
def bound():
    """Store a credential that is meant for one server."""
    return save("bound", destinations=["mail.example.org:993"])


@pytest.fixture
def free():
    """Store a credential that says nothing about servers."""
    return save("free")


def save(name, **more):
    values = {"name": name, "kind": "BASIC", "username": "orders", "password": "correct horse", **more}
    return credentials.save(None, values, user=None).credential


@pytest.fixture
def editor(make_user, api_as):
    return api_as(make_user("editor", role="editor"))


def errors(answer):
    return {(error["pointer"], error["code"]) for error in answer.json().get("errors", [])}


def test_an_editor_uses_a_credential_for_the_server_it_is_meant_for(editor, bound):
    assert editor.post(BASE, {**MAILBOX, "credential": "bound"}).status_code == 201


def test_an_editor_does_not_point_a_credential_without_destinations_at_a_server(editor, free):
    answer = editor.post(BASE, {**MAILBOX, "credential": "free"})
    assert (answer.status_code, errors(answer)) == (400, {("/credential", "secret_not_for_destination")})


def test_an_editor_does_not_move_a_connection_with_such_a_credential(editor, free):
    row = services.save(MailboxConnection, None, {**MAILBOX, "credential": "free"}, user=None).connection
    answer = editor.patch(f"{BASE}{row.pk}/", {"host": "evil.example.net"})
    assert errors(answer) == {("/credential", "secret_not_for_destination")}


def test_an_editor_changes_what_leads_the_credential_nowhere_else(editor, free):
    row = services.save(MailboxConnection, None, {**MAILBOX, "credential": "free"}, user=None).connection
    assert editor.patch(f"{BASE}{row.pk}/", {"description": "new"}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [{"match_server_hostname": False}, {"connection_security": "NONE", "basic_mechanism": "CRAM_MD5"}],
    ids=["the name of the server unchecked", "in clear text"],
)
def test_an_editor_does_not_loosen_what_protects_a_credential(change, editor, bound):
    values = {**MAILBOX, "credential": "bound", "match_server_hostname": True}
    row = services.save(MailboxConnection, None, values, user=None).connection
    assert errors(editor.patch(f"{BASE}{row.pk}/", change)) == {("/credential", "secret_not_for_destination")}


def test_a_draft_of_an_editor_is_held_to_the_same(editor, free):
    answer = editor.post(f"{BASE}test/", {**MAILBOX, "credential": "free", "host": "evil.example.net"})
    assert errors(answer) == {("/credential", "secret_not_for_destination")}


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_nobody_sends_a_credential_readable(mechanism, api, bound):
    clear = {"connection_security": "NONE", "basic_mechanism": mechanism, "credential": "bound"}
    assert errors(api.post(BASE, {**MAILBOX, **clear})) == {("/credential", "secret_not_for_destination")}


def test_who_manages_credentials_points_them_anywhere(api, free):
    assert api.post(BASE, {**MAILBOX, "credential": "free"}).status_code == 201


def test_who_may_not_see_credentials_finds_none(make_user, api_as, bound):
    someone = api_as(make_user("someone", "connections.view", "connections.edit", role=""))
    answer = someone.post(BASE, {**MAILBOX, "credential": "bound"})
    assert errors(answer) == {("/credential", "not_found")}
