"""The recording SMTP server is a witness in other tests, so its own testimony is checked here with other clients."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab.facts import Security
from tests.lab.pki import Pki, Purpose
from tests.lab.pyserver import RecordingSmtpServer
from tests.lab.recording import Behaviour, Login

USERS = {"alice": "s3cret: ü"}
ASCII_USERS = {"alice": "s3cret"}


@contextmanager
def connected(server: RecordingSmtpServer, context: ssl.SSLContext) -> Iterator[smtplib.SMTP]:
    """Connect as the server's security asks, and say EHLO."""
    client: smtplib.SMTP
    if server.security is Security.SSL_TLS:
        client = smtplib.SMTP_SSL("localhost", server.port, context=context, timeout=10)
    else:
        client = smtplib.SMTP("localhost", server.port, timeout=10)
    with client:
        if server.security is Security.STARTTLS:
            client.starttls(context=context)
        client.ehlo()
        yield client


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("security", list(Security))
def test_right_password_logs_in_by_every_mechanism_and_security(pki: Pki, security: Security, mechanism: str) -> None:
    behaviour = Behaviour.usual(security).offering(mechanism)
    with RecordingSmtpServer(security, certificate=pki.leaf(), users=ASCII_USERS, behaviour=behaviour) as server:
        with connected(server, pki.client_context()) as client:
            assert client.login("alice", ASCII_USERS["alice"])[0] == 235
        (session,) = server.wait_closed()
    assert session.logins == [Login(mechanism, "alice", accepted=True)]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_wrong_password_is_answered_with_the_refusal_it_was_given(pki: Pki, mechanism: str) -> None:
    usual = Behaviour.usual(Security.NONE).offering(mechanism)
    behaviour = Behaviour(capabilities_clear=usual.capabilities_clear, login_refused="454 4.7.0 Later")
    with RecordingSmtpServer(Security.NONE, users=ASCII_USERS, behaviour=behaviour) as server:
        with (
            connected(server, pki.client_context()) as client,
            pytest.raises(smtplib.SMTPAuthenticationError) as caught,
        ):
            client.login("alice", "wrong")
        server.wait_closed()
    assert (caught.value.smtp_code, caught.value.smtp_error) == (454, b"4.7.0 Later")
    assert (server.login_attempts("alice"), server.logins("alice")) == (1, 0)


def test_client_that_trusts_nobody_is_seen_to_send_only_the_upgrade(pki: Pki) -> None:
    stranger = Pki().client_context()
    with RecordingSmtpServer(Security.STARTTLS, certificate=pki.leaf(), users=USERS) as server:
        with pytest.raises(ssl.SSLCertVerificationError), connected(server, stranger):
            pass
        (session,) = server.wait_closed()
    assert session.commands[-1] == b"STARTTLS"
    assert (session.tls_started, session.tls_version, bytes(session.tls)) == (True, None, b"")
    assert session.tls_error is not None


def test_client_that_refuses_an_implicit_tls_server_is_recorded_too(pki: Pki) -> None:
    stranger = Pki().client_context()
    with RecordingSmtpServer(Security.SSL_TLS, certificate=pki.leaf(), users=USERS) as server:
        with pytest.raises(ssl.SSLCertVerificationError), connected(server, stranger):
            pass
        (session,) = server.wait_closed()
    assert (session.received, session.tls_version) == (b"", None)


def test_bytes_are_kept_apart_by_whether_tls_protected_them(pki: Pki) -> None:
    with RecordingSmtpServer(Security.STARTTLS, certificate=pki.leaf(), users=ASCII_USERS) as server:
        with connected(server, pki.client_context()) as client:
            client.login("alice", ASCII_USERS["alice"])
        (session,) = server.wait_closed()
    assert b"AUTH" not in session.clear
    assert b"AUTH" in session.tls
    assert session.tls_version == "TLSv1.3"


def test_half_a_line_is_recorded() -> None:
    with RecordingSmtpServer(Security.NONE) as server:
        with socket.create_connection((server.host, server.port), timeout=10) as client:
            client.sendall(b"EHLO with no en")
        (session,) = server.wait_closed()
    assert session.received == b"EHLO with no en"


def test_command_injected_behind_starttls_is_recorded_as_clear_and_never_obeyed(pki: Pki) -> None:
    with RecordingSmtpServer(Security.STARTTLS, certificate=pki.leaf()) as server:
        with socket.create_connection((server.host, server.port), timeout=10) as client:
            client.recv(1000)
            client.sendall(b"STARTTLS\r\nNOOP\r\n")
            assert client.recv(1000) == b"220 2.0.0 Ready to start TLS\r\n"
            with pki.client_context().wrap_socket(client, server_hostname="localhost") as tls:
                tls.sendall(b"QUIT\r\n")
                assert tls.recv(1000) == b"221 2.0.0 Bye\r\n"
        (session,) = server.wait_closed()
    assert (bytes(session.clear), bytes(session.tls)) == (b"STARTTLS\r\nNOOP\r\n", b"QUIT\r\n")


def test_greeting_and_replies_are_those_it_was_given() -> None:
    behaviour = Behaviour(greeting="220 one\n220 two", replies={"MAIL": "553 5.1.8 No"})
    with RecordingSmtpServer(Security.NONE, behaviour=behaviour) as server:
        with smtplib.SMTP() as client:
            assert client.connect(server.host, server.port) == (220, b"one\ntwo")
            client.ehlo()
            assert client.mail("a@lab.test") == (553, b"5.1.8 No")
        server.wait_closed()


def test_login_is_refused_where_it_is_not_offered(pki: Pki) -> None:
    with RecordingSmtpServer(Security.STARTTLS, certificate=pki.leaf(), users=USERS) as server:
        with smtplib.SMTP(server.host, server.port, timeout=10) as client:
            client.ehlo()
            assert client.docmd("AUTH", "PLAIN AGFsaWNlAHg=")[0] == 503
        (session,) = server.wait_closed()
    assert session.logins == []


def test_certificate_of_the_client_is_recorded_where_it_was_asked_for(pki: Pki) -> None:
    asking = pki.leaf().server_context()
    asking.load_verify_locations(cadata=pki.root.pem.decode())
    asking.verify_mode = ssl.CERT_REQUIRED
    badge = pki.leaf(cn="agent", purpose=Purpose.CLIENT)
    with RecordingSmtpServer(Security.SSL_TLS, tls_context=asking) as server:
        with connected(server, badge.client_context(pki.root.certificate)):
            pass
        (session,) = server.wait_closed()
    assert session.client_certificate == badge.der


def test_mail_is_taken_and_recorded() -> None:
    with RecordingSmtpServer(Security.NONE) as server:
        with smtplib.SMTP(server.host, server.port, timeout=10) as client:
            client.sendmail("a@lab.test", ["b@lab.test"], b"Subject: hi\r\n\r\nthere\r\n")
        (session,) = server.wait_closed()
    assert b"there\r\n.\r\n" in session.clear


def test_server_stops_while_clients_are_connected_and_in_the_middle_of_a_handshake(pki: Pki) -> None:
    server = RecordingSmtpServer(Security.STARTTLS, certificate=pki.leaf()).start()
    with (
        socket.create_connection((server.host, server.port), timeout=10) as idle,
        socket.create_connection((server.host, server.port), timeout=10) as upgrading,
    ):
        idle.recv(1000)
        upgrading.recv(1000)
        upgrading.sendall(b"STARTTLS\r\n")
        upgrading.recv(1000)
        server.stop()
        assert [session.closed for session in server.sessions] == [True, True]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((server.host, server.port), timeout=10)
    server.stop()


def test_client_that_hangs_up_within_the_handshake_is_a_closed_session(pki: Pki) -> None:
    with RecordingSmtpServer(Security.STARTTLS, certificate=pki.leaf()) as server:
        with socket.create_connection((server.host, server.port), timeout=10) as client:
            client.recv(1000)
            client.sendall(b"STARTTLS\r\n")
            client.recv(1000)
        (session,) = server.wait_closed()
    assert (session.tls_started, session.tls_version, session.tls_error) == (True, None, "ConnectionResetError")


def test_waiting_in_vain_tells_what_was_seen() -> None:
    with RecordingSmtpServer(Security.NONE) as server, pytest.raises(TimeoutError, match=r"the sessions are \[\]"):
        server.wait_for(bool, seconds=0.05)
