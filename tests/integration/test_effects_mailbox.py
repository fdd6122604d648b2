"""What each field of a mailbox connection does, proven by what a server received; docs/fields.md names these tests."""

import pytest
from django.utils import timezone

from connections.choices import MailboxMechanism
from tests.fields.trying import USER, attempt, save, server_for, trust
from tests.jobs import local_steng
from tests.lab.facts import Protocol
from tests.lab.mailbox import Mailbox, message
from tests.lab.recording import Login

pytestmark = pytest.mark.django_db
SECURED = ("STARTTLS", "SSL_TLS")


@pytest.fixture
def steng(db):
    return local_steng(timezone.now())


def verbs(session, protocol):
    place = 1 if protocol is Protocol.IMAP else 0
    words = [line.decode().split() for line in session.commands]
    return [each[place : place + 2] for each in words if len(each) > place]


@pytest.mark.parametrize(("protocol", "opens"), [(Protocol.IMAP, "EXAMINE"), (Protocol.POP3, "STAT")], ids=str)
def test_the_mailbox_is_read_by_the_protocol_that_is_chosen(steng, protocol, opens):
    with server_for(protocol) as server:
        tried = attempt(save(server, store_type=protocol.value), steng)
        (session,) = server.wait_closed()
    assert (tried.job.verdict, tried.request.protocol.value) == ("success", protocol.value)
    assert [words[0] for words in verbs(session, protocol) if words[0] in {"EXAMINE", "STAT"}] == [opens]


@pytest.mark.parametrize("protocol", [Protocol.IMAP, Protocol.POP3], ids=lambda protocol: protocol.value)
def test_a_mailbox_is_signed_in_to_with_user_name_and_password(steng, protocol):
    with server_for(protocol) as server:
        attempt(save(server, authentication_type="BASIC"), steng)
        (session,) = server.wait_closed()
    assert [(login.username, login.accepted) for login in session.logins] == [(USER, True)]


USED = {"AUTO": "PLAIN", "CRAM_MD5": "CRAM-MD5", "USER_PASS": "USER"}
WAYS = [
    (protocol, mechanism)
    for protocol in (Protocol.IMAP, Protocol.POP3)
    for mechanism in MailboxMechanism.values
    if protocol is Protocol.POP3 or mechanism not in {"USER_PASS", "APOP"}
]


@pytest.mark.parametrize("security", SECURED)
@pytest.mark.parametrize(("protocol", "mechanism"), WAYS, ids=lambda value: str(getattr(value, "value", value)))
def test_the_mechanism_is_the_one_that_is_chosen(steng, protocol, mechanism, security, pki):
    trust(pki)
    with server_for(protocol, security, pki) as server:
        attempt(save(server, basic_mechanism=mechanism), steng)
        (session,) = server.wait_closed()
    assert session.logins == [Login(USED.get(mechanism, mechanism), USER, accepted=True)]


@pytest.mark.parametrize(("folder", "sent"), [("INBOX", '"INBOX"'), ("Entwürfe", '"Entw&APw-rfe"')])
def test_the_folder_is_the_one_that_is_examined(steng, folder, sent):
    with server_for(Protocol.IMAP) as server:
        tried = attempt(save(server, folder=folder), steng)
        (session,) = server.wait_closed()
    assert [words for words in verbs(session, Protocol.IMAP) if words[0] == "EXAMINE"] == [["EXAMINE", sent]]
    assert tried.stage("folder").evidence["folder"] == folder


@pytest.mark.parametrize(
    ("rights", "disposition", "missing"),
    [
        ("lr", "KEEP", None),
        ("lr", "SEEN", ["s"]),
        ("lrs", "SEEN", None),
        ("lrs", "DELETE", ["e", "t"]),
        ("lrte", "DELETE", None),
    ],
)
def test_the_rights_that_the_disposition_needs_are_asked_for(steng, rights, disposition, missing):
    with server_for(Protocol.IMAP, mailbox=Mailbox(rights=rights)) as server:
        tried = attempt(save(server, disposition=disposition), steng)
        (session,) = server.wait_closed()
    stage = tried.stage("folder")
    assert (stage.code, stage.evidence.get("rights_missing")) == (missing and "folder_rights_missing", missing)
    assert ["MYRIGHTS", '"INBOX"'] in verbs(session, Protocol.IMAP)


@pytest.mark.parametrize("disposition", ["KEEP", "DELETE"])
def test_the_disposition_of_pop3_is_carried_to_the_steng_and_nothing_is_done(steng, disposition):
    with server_for(Protocol.POP3) as server:
        tried = attempt(save(server, disposition=disposition), steng)
        (session,) = server.wait_closed()
    assert tried.request.mailbox is not None
    assert (tried.request.mailbox.disposition, tried.job.verdict) == (disposition, "success")
    assert {"RETR", "DELE"}.isdisjoint(words[0] for words in verbs(session, Protocol.POP3))


HELD = (message(101, "First", seen=True), message(102, "Second"), message(104, "Third"), message(105, "4th", seen=True))
TAKEN = {
    "GET_FIRST_MESSAGE": 101,
    "GET_FIRST_UNREAD_MESSAGE": 102,
    "GET_LAST_UNREAD_MESSAGE": 104,
    "GET_LAST_MESSAGE": 105,
}


@pytest.mark.parametrize(("pull", "uid"), TAKEN.items())
def test_the_message_that_a_poll_would_take_is_named(steng, pull, uid):
    with server_for(Protocol.IMAP, mailbox=Mailbox(folders={"INBOX": HELD})) as server:
        tried = attempt(save(server, pull_disposition=pull), steng)
    assert tried.stage("folder").evidence["would_take"]["uid"] == uid


@pytest.mark.parametrize(("pull", "number"), [("GET_FIRST_MESSAGE", 1), ("GET_LAST_MESSAGE", 4)])
def test_the_message_that_a_poll_of_pop3_would_take_is_named(steng, pull, number):
    with server_for(Protocol.POP3, mailbox=Mailbox(folders={"INBOX": HELD})) as server:
        tried = attempt(save(server, pull_disposition=pull), steng)
    assert tried.stage("folder").evidence["would_take"]["number"] == number
