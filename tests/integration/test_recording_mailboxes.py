"""The recording IMAP and POP3 servers are witnesses too: other clients find in them what they should hold."""

import base64
import hmac
import imaplib
import poplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab.facts import Protocol, Security
from tests.lab.pki import Pki
from tests.lab.pyserver import RecordingServer
from tests.lab.recording import Behaviour, Login

USERS = {"alice": 'p"a\\ss word'}
SECRET = USERS["alice"]


@contextmanager
def imap(server: RecordingServer, context: ssl.SSLContext) -> Iterator[imaplib.IMAP4]:
    """Connect as the server's security asks."""
    if server.security is Security.SSL_TLS:
        client: imaplib.IMAP4 = imaplib.IMAP4_SSL("localhost", server.port, ssl_context=context, timeout=10)
    else:
        client = imaplib.IMAP4("localhost", server.port, timeout=10)
    with client:
        if server.security is Security.STARTTLS:
            client.starttls(context)
        yield client


@contextmanager
def pop3(server: RecordingServer, context: ssl.SSLContext) -> Iterator[poplib.POP3]:
    """Connect as the server's security asks."""
    if server.security is Security.SSL_TLS:
        client: poplib.POP3 = poplib.POP3_SSL("localhost", server.port, context=context, timeout=10)
    else:
        client = poplib.POP3("localhost", server.port, timeout=10)
    if server.security is Security.STARTTLS:
        client.stls(context)
    yield client
    client.quit()


def serving(protocol: Protocol, security: Security, pki: Pki, **how) -> RecordingServer:
    return RecordingServer(security, protocol=protocol, certificate=pki.leaf(), users=USERS, **how)


IMAP_LOGINS = {
    "LOGIN": lambda client, word: client._simple_command("LOGIN", "alice", client._quote(word)),
    "AUTHENTICATE PLAIN": lambda client, word: client.authenticate("PLAIN", lambda _: f"\0alice\0{word}".encode()),
    "AUTHENTICATE CRAM-MD5": lambda client, word: client.authenticate(
        "CRAM-MD5", lambda stamp: f"alice {hmac.new(word.encode(), stamp, 'md5').hexdigest()}".encode()
    ),
}


@pytest.mark.parametrize("security", list(Security))
@pytest.mark.parametrize("login", IMAP_LOGINS)
def test_imap_lets_in_who_knows_the_password_by_every_way_and_security(login, security, pki):
    with serving(Protocol.IMAP, security, pki) as server:
        with imap(server, pki.client_context()) as client:
            assert IMAP_LOGINS[login](client, SECRET)[0] == "OK"
        (session,) = server.wait_closed()
    assert session.logins == [Login(login.split()[-1], "alice", accepted=True)]
    assert session.tls_started is (security is not Security.NONE)


@pytest.mark.parametrize("login", IMAP_LOGINS)
def test_imap_refuses_a_wrong_password_in_the_usual_words(login, pki):
    with serving(Protocol.IMAP, Security.NONE, pki) as server, imap(server, pki.client_context()) as client:
        try:
            status, (text,) = IMAP_LOGINS[login](client, "wrong")
        except imaplib.IMAP4.error as error:
            status, text = "NO", error.args[0]
        assert (status, b"AUTHENTICATIONFAILED" in (text if isinstance(text, bytes) else text.encode())) == ("NO", True)


def test_imap_takes_no_login_in_clear_where_tls_is_to_come_first(pki):
    with serving(Protocol.IMAP, Security.STARTTLS, pki) as server:
        with imaplib.IMAP4("localhost", server.port, timeout=10) as client:
            assert "LOGINDISABLED" in client.capabilities
            with pytest.raises(imaplib.IMAP4.error, match="PRIVACYREQUIRED"):
                client.login("alice", SECRET)
        (session,) = server.wait_closed()
    assert session.logins == []


@pytest.mark.parametrize(
    ("folder", "count"), [("INBOX", b"3"), ("inbox", b"3"), ('"Archive/2024"', b"0"), ("Entw&APw-rfe", b"0")]
)
def test_imap_opens_a_folder_and_tells_what_is_in_it(folder, count, pki):
    with serving(Protocol.IMAP, Security.NONE, pki) as server, imap(server, pki.client_context()) as client:
        client.login("alice", SECRET)
        assert client.select(folder, readonly=True) == ("OK", [count])


def test_imap_has_no_folder_that_it_has_not(pki):
    with serving(Protocol.IMAP, Security.NONE, pki) as server, imap(server, pki.client_context()) as client:
        client.login("alice", SECRET)
        status, (text,) = client.select("Nowhere", readonly=True)
        assert (status, text[:13]) == ("NO", b"[NONEXISTENT]")
        assert client.list("", "Arch*")[1] == [b'() "/" "Archive"', b'() "/" "Archive/2024"']
        assert client.list("", "%")[1] == [b'() "/" "INBOX"', b'() "/" "Archive"', b'() "/" "Entw&APw-rfe"']


def test_imap_finds_and_shows_messages_and_marks_none(pki):
    with serving(Protocol.IMAP, Security.NONE, pki) as server, imap(server, pki.client_context()) as client:
        client.login("alice", SECRET)
        client.select(readonly=True)
        assert client.uid("SEARCH", "UNSEEN")[1] == [b"102 104"]
        ((facts, head), _) = client.uid(
            "FETCH", "104", "(INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
        )[1]
        assert head == b"Subject: Third\r\n\r\n"
        assert b"RFC822.SIZE 102" in facts
        assert client.myrights("INBOX")[1] == [b'"INBOX" lrswipkxtea']


def test_imap_understands_literals_of_both_kinds(pki):
    with serving(Protocol.IMAP, Security.NONE, pki) as server, imap(server, pki.client_context()) as client:
        client.send(b"a1 LOGIN {5}\r\n")
        assert client.readline() == b"+ OK\r\n"
        client.send(b"alice {%d+}\r\n%s\r\n" % (len(SECRET), SECRET.encode()))
        assert client.readline() == b"a1 OK Logged in\r\n"
        server.wait_for(lambda sessions: bool(sessions[0].logins))


POP3_LOGINS = {
    "USER": lambda client, word: (client.user("alice"), client.pass_(word))[1],
    "APOP": lambda client, word: client.apop("alice", word),
    "PLAIN": lambda client, word: client._shortcmd(f"AUTH PLAIN {_plain(word)}"),
}


def _plain(word: str) -> str:
    return base64.b64encode(f"\0alice\0{word}".encode()).decode()


@pytest.mark.parametrize("security", list(Security))
@pytest.mark.parametrize("login", POP3_LOGINS)
def test_pop3_lets_in_who_knows_the_password_by_every_way_and_security(login, security, pki):
    with serving(Protocol.POP3, security, pki) as server:
        with pop3(server, pki.client_context()) as client:
            assert POP3_LOGINS[login](client, SECRET) == b"+OK Logged in."
            assert client.stat() == (3, 307)
        (session,) = server.wait_closed()
    assert session.logins == [Login(login, "alice", accepted=True)]
    assert session.tls_started is (security is not Security.NONE)


@pytest.mark.parametrize("login", POP3_LOGINS)
def test_pop3_refuses_a_wrong_password_in_the_usual_words(login, pki):
    with (
        serving(Protocol.POP3, Security.NONE, pki) as server,
        pop3(server, pki.client_context()) as client,
        pytest.raises(poplib.error_proto, match=r"-ERR \[AUTH\]"),
    ):
        POP3_LOGINS[login](client, "wrong")


def test_pop3_takes_no_login_in_clear_where_tls_is_to_come_first(pki):
    with serving(Protocol.POP3, Security.STARTTLS, pki) as server:
        client = poplib.POP3("localhost", server.port, timeout=10)
        assert ("STLS" in client.capa(), "USER" in client.capa(), "SASL" in client.capa()) == (True, False, False)
        with pytest.raises(poplib.error_proto, match="disallowed"):
            client.user("alice")
        client.quit()
        (session,) = server.wait_closed()
    assert session.logins == []


def test_pop3_lists_shows_and_deletes_nothing(pki):
    with serving(Protocol.POP3, Security.NONE, pki) as server, pop3(server, pki.client_context()) as client:
        assert client.capa()["SASL"] == ["PLAIN", "LOGIN", "CRAM-MD5"]
        POP3_LOGINS["USER"](client, SECRET)
        assert client.uidl()[1] == [b"1 101", b"2 102", b"3 104"]
        assert client.top(3, 0)[1][2] == b"Subject: Third"
        assert client.retr(1)[1][-1] == b"Invoice 101."
        client.dele(1)
        assert client.stat()[0] == 3


def test_a_reply_can_be_given_for_any_command(pki):
    behaviour = Behaviour(
        greeting="* OK hello",
        capabilities_clear=("IMAP4rev1",),
        login_accepted="OK in",
        replies={"EXAMINE": "NO [NOPERM] not you"},
    )
    with serving(Protocol.IMAP, Security.NONE, pki, behaviour=behaviour) as server:
        with imap(server, pki.client_context()) as client:
            client.login("alice", SECRET)
            assert client.select(readonly=True) == ("NO", [b"[NOPERM] not you"])
        server.wait_closed()
