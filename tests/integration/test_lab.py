"""The lab keeps its promises: what the other tests take for granted about Postfix and Dovecot is proved here."""

import base64
import hmac
import imaplib
import json
import poplib
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509

from tests.lab.daemon import Daemon, LabError, wait_for
from tests.lab.dovecot import Dovecot
from tests.lab.lab import Lab, check_folder, temporary_folder
from tests.lab.pki import KeyType, Pki
from tests.lab.ports import HOST, Ports
from tests.lab.postfix import Postfix

ROOT = Path(__file__).resolve().parents[2]
MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")
TLS_SERVICES = ("submission", "smtps")
SERVICES = (*TLS_SERVICES, "plain")


@contextmanager
def connected(postfix: Postfix, service: str, context: ssl.SSLContext) -> Iterator[smtplib.SMTP]:
    """Connect to one service of Postfix, with TLS where it has TLS, and say EHLO."""
    port = getattr(postfix, service)
    if service == "smtps":
        client: smtplib.SMTP = smtplib.SMTP_SSL(timeout=10, context=context)
    else:
        client = smtplib.SMTP(timeout=10)
    client._host = "localhost"  # the name to match: connect() alone does not set it for implicit TLS
    try:
        client.connect("localhost", port)
        if service == "submission":
            client.starttls(context=context)
        client.ehlo()
        yield client
    finally:
        client.close()


def log_in(client: smtplib.SMTP, mechanism: str, user: str, password: str) -> int:
    """Try exactly one mechanism once, and return the reply code."""
    client.user, client.password = user, password  # type: ignore[attr-defined]
    steps: dict[str, Callable[..., str]] = {
        "PLAIN": client.auth_plain,
        "LOGIN": client.auth_login,
        "CRAM-MD5": client.auth_cram_md5,
    }
    try:
        return client.auth(mechanism, steps[mechanism])[0]
    except smtplib.SMTPAuthenticationError as error:
        return error.smtp_code


@pytest.mark.postfix
@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("service", SERVICES)
def test_right_password_logs_in_by_every_mechanism_on_every_service(lab: Lab, service: str, mechanism: str) -> None:
    with connected(lab.postfix, service, lab.client_context()) as client:
        assert log_in(client, mechanism, "alice", lab.users["alice"]) == 235


@pytest.mark.postfix
@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("service", SERVICES)
def test_wrong_password_is_answered_535_at_once(lab: Lab, service: str, mechanism: str) -> None:
    with connected(lab.postfix, service, lab.client_context()) as client:
        client.sock.settimeout(1)  # Dovecot's own delay for a wrong password would be two seconds
        assert log_in(client, mechanism, "bob", "wrong") == 535


@pytest.mark.postfix
def test_submission_offers_no_auth_before_tls_and_refuses_it(lab: Lab) -> None:
    with smtplib.SMTP(HOST, lab.postfix.submission, timeout=10) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        assert not client.has_extn("auth")
        code, text = client.docmd("AUTH", "PLAIN AGFsaWNlAHg=")
    assert (code, text) == (530, b"5.7.0 Must issue a STARTTLS command first")


@pytest.mark.postfix
def test_plain_service_offers_auth_and_no_starttls(lab: Lab) -> None:
    with smtplib.SMTP(HOST, lab.postfix.plain, timeout=10) as client:
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.esmtp_features["auth"].split() == list(MECHANISMS)


@pytest.mark.postfix
@pytest.mark.parametrize("service", TLS_SERVICES)
def test_server_presents_leaf_and_intermediate_but_not_the_root(lab: Lab, service: str) -> None:
    with connected(lab.postfix, service, lab.client_context()) as client:
        presented = [
            x509.load_pem_x509_certificate(certificate.public_bytes().encode())
            for certificate in client.sock._sslobj.get_unverified_chain()  # type: ignore[union-attr]
        ]
    assert [certificate.subject.rfc4514_string() for certificate in presented] == [
        "CN=localhost",
        "CN=Lab Intermediate CA",
    ]
    assert presented[1] == lab.pki.intermediate.certificate


@pytest.mark.postfix
@pytest.mark.parametrize("service", TLS_SERVICES)
def test_client_that_trusts_another_root_refuses_the_server(lab: Lab, service: str) -> None:
    stranger = Pki().client_context()
    with pytest.raises(ssl.SSLCertVerificationError) as caught, connected(lab.postfix, service, stranger):
        pass
    assert caught.value.verify_code == 20  # unable to get local issuer certificate


@pytest.mark.postfix
def test_mail_for_the_lab_is_taken_and_mail_for_elsewhere_is_not_relayed(lab: Lab) -> None:
    with connected(lab.postfix, "submission", lab.client_context()) as client:
        log_in(client, "PLAIN", "alice", lab.users["alice"])
        assert client.mail("alice@lab.test")[0] == 250
        assert client.rcpt("someone@elsewhere.example") == (
            554,
            b"5.7.1 <someone@elsewhere.example>: Relay access denied",
        )
        assert client.rcpt("bob@lab.test")[0] == 250
        assert client.data(b"Subject: lab\r\n\r\nnothing\r\n")[0] == 250


@pytest.mark.postfix
def test_every_decided_login_is_counted_whoever_asked_and_however_it_ended(lab: Lab) -> None:
    before = lab.dovecot.login_attempts("agent01"), lab.dovecot.logins("agent01")
    with connected(lab.postfix, "plain", lab.client_context()) as client:
        assert log_in(client, "PLAIN", "agent01", "wrong") == 535
        assert log_in(client, "CRAM-MD5", "agent01", lab.users["agent01"]) == 235
    with imaplib.IMAP4(HOST, lab.dovecot.imap, timeout=10) as mailbox:
        mailbox.login("agent01", lab.users["agent01"])
    after = lab.dovecot.login_attempts("agent01"), lab.dovecot.logins("agent01")
    assert (after[0] - before[0], after[1] - before[1]) == (3, 2)


@pytest.mark.postfix
def test_logins_of_one_user_are_not_counted_for_another(lab: Lab) -> None:
    before = lab.dovecot.login_attempts("agent0")
    with connected(lab.postfix, "plain", lab.client_context()) as client:
        assert log_in(client, "PLAIN", "agent02", lab.users["agent02"]) == 235
    assert lab.dovecot.login_attempts("agent0") == before == 0


@pytest.mark.postfix
def test_unknown_user_is_refused_and_counted(lab: Lab) -> None:
    before = lab.dovecot.login_attempts("mallory")
    with connected(lab.postfix, "submission", lab.client_context()) as client:
        assert log_in(client, "PLAIN", "mallory", "guess") == 535
    assert lab.dovecot.login_attempts("mallory") - before == 1


@pytest.mark.postfix
def test_mailbox_opens_by_imap_and_pop3_with_starttls_and_with_implicit_tls(lab: Lab) -> None:
    context, user, password = lab.client_context(), "bob", lab.users["bob"]
    with imaplib.IMAP4("localhost", lab.dovecot.imap, timeout=10) as imap:
        imap.starttls(context)
        imap.login_cram_md5(user, password)
        assert imap.select(readonly=True)[0] == "OK"
    with imaplib.IMAP4_SSL("localhost", lab.dovecot.imaps, ssl_context=context, timeout=10) as imap:
        imap.login(user, password)
        assert imap.select(readonly=True)[0] == "OK"
    pop3 = poplib.POP3("localhost", lab.dovecot.pop3, timeout=10)
    pop3.stls(context)
    for mailbox in (pop3, poplib.POP3_SSL("localhost", lab.dovecot.pop3s, context=context, timeout=10)):
        mailbox.user(user)
        mailbox.pass_(password)
        assert mailbox.stat() == (0, 0)
        mailbox.quit()


@pytest.mark.postfix
def test_right_password_is_answered_at_once_after_many_wrong_ones(lab: Lab) -> None:
    for password in ("wrong", "wrong", "wrong", lab.users["bob"]):
        with imaplib.IMAP4(HOST, lab.dovecot.imap, timeout=1) as mailbox:
            if password == "wrong":
                with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
                    mailbox.login("bob", password)
            else:
                assert mailbox.login("bob", password)[0] == "OK"


@pytest.mark.postfix
def test_restricted_instances_run_beside_the_lab_with_their_own_mechanisms_users_and_certificate(pki: Pki) -> None:
    password = "p:ä ss'\"|\\ word"
    certificate = pki.leaf("localhost", key_type=KeyType.RSA_2048)
    with Lab(pki=pki, certificate=certificate, users={"zoë x": password}, mechanisms=("CRAM-MD5",)) as restricted:
        with connected(restricted.postfix, "submission", restricted.client_context()) as client:
            assert client.esmtp_features["auth"].split() == ["CRAM-MD5"]
            assert client.docmd("AUTH", "PLAIN")[0] == 535
            assert client.sock.getpeercert(binary_form=True) == certificate.der  # type: ignore[attr-defined]
            # By hand, because smtplib knows ASCII names and passwords only.
            challenge = base64.b64decode(client.docmd("AUTH", "CRAM-MD5")[1])
            digest = hmac.new(password.encode(), challenge, "md5").hexdigest()
            assert client.docmd(_base64(f"zoë x {digest}".encode()))[0] == 235
        assert restricted.dovecot.login_attempts("zoë x") == 1
    with (
        Lab(pki=pki, users={"zoë x": password}) as other,
        connected(other.postfix, "plain", other.client_context()) as client,
    ):
        message = f"\0zoë x\0{password}".encode()
        assert client.docmd("AUTH", f"PLAIN {_base64(message)}")[0] == 235
        assert other.dovecot.logins("zoë x") == 1


@pytest.mark.postfix
def test_second_postfix_with_an_expired_certificate_shares_the_accounts_of_the_lab(lab: Lab, pki: Pki) -> None:
    folder = temporary_folder()
    try:
        with Postfix(
            folder / "expired",
            certificate=pki.expired(),
            auth_socket=lab.dovecot.auth_socket,
            mechanisms=lab.dovecot.mechanisms,
        ) as expired:
            with (
                pytest.raises(ssl.SSLCertVerificationError) as caught,
                connected(expired, "submission", lab.client_context()),
            ):
                pass
            assert caught.value.verify_code == 10  # certificate has expired
            with connected(expired, "plain", lab.client_context()) as client:
                assert log_in(client, "PLAIN", "alice", lab.users["alice"]) == 235
    finally:
        shutil.rmtree(folder)


@pytest.mark.postfix
def test_stopped_lab_leaves_no_port_no_process_and_no_folder(pki: Pki) -> None:
    running = Lab(pki=pki).start()
    folder, ports = running.folder, [endpoint.port for endpoint in running.facts().endpoints]
    daemons = (running.postfix._daemon.pid, running.dovecot._daemon.pid)
    running.stop()
    assert folder is not None
    assert not folder.exists()
    assert [port for port in ports if _listens(port)] == []
    assert [pid for pid in daemons if Path(f"/proc/{pid}").exists()] == []


@pytest.mark.postfix
def test_killed_lab_command_takes_its_servers_with_it(tmp_path: Path) -> None:
    written = tmp_path / "facts.json"
    with (tmp_path / "output").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.lab", "--json", str(written)], cwd=ROOT, stdout=output, stderr=output
        )
    try:
        wait_for(lambda: written.exists() or process.poll() is not None, "the lab's facts", 30)
        facts = json.loads(written.read_text())
    finally:
        process.kill()
        process.wait()
    ports = [endpoint["port"] for endpoint in facts["endpoints"]]
    wait_for(lambda: not any(_listens(port) for port in ports), "every port to be closed", 10)
    shutil.rmtree(facts["folder"])


@pytest.mark.postfix
def test_broken_configuration_is_reported_with_the_end_of_the_log(tmp_path: Path, pki: Pki) -> None:
    folder = temporary_folder()
    broken = Dovecot(folder / "dovecot", certificate=pki.leaf(), users={}, mechanisms=("NONSENSE",))
    try:
        with pytest.raises(LabError, match=r"^Dovecot decides no logins\. Its log ends with:\n"):
            broken.start()
    finally:
        broken.stop()
        shutil.rmtree(folder)


def test_daemon_that_dies_while_it_starts_is_reported_with_its_last_words(tmp_path: Path) -> None:
    daemon = Daemon("Sickly", ["/bin/sh", "-c", "echo out of luck; exit 3"], tmp_path / "log")
    with pytest.raises(LabError, match=r"^Sickly ended while it started\. Its log ends with:\nout of luck$"):
        daemon.start([(HOST, 1)])


def test_two_owners_never_hold_the_same_port() -> None:
    one, other = Ports(), Ports()
    try:
        port = one.reserve()
        assert other.reserve(preferred=port) != port
        one.release()
        assert other.reserve(preferred=port) == port
    finally:
        one.release()
        other.release()


def test_folder_with_a_name_too_long_for_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="too long for unix sockets"):
        check_folder(tmp_path / ("x" * 80))


def test_folder_that_the_servers_cannot_enter_is_refused() -> None:
    folder = temporary_folder()
    try:
        folder.chmod(0o700)
        with pytest.raises(LabError, match="cannot enter"):
            check_folder(folder / "lab")
    finally:
        shutil.rmtree(folder)


@pytest.mark.postfix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_lab_command_tells_people_and_scripts_how_to_log_in_and_ends_cleanly(
    tmp_path: Path, number: signal.Signals
) -> None:
    output, facts, code = _run_command(tmp_path, number, ["-m", "tests.lab", "--json", str(tmp_path / "facts.json")])
    assert code == 0
    assert facts["servers"] == "Postfix and Dovecot"
    assert f"CA file: {facts['ca_file']}" in output
    assert f"SHA-256: {facts['ca_fingerprint']}" in output
    assert "alice has 3 messages in INBOX and in Orders/Incoming" in output
    assert "Stop it with Ctrl-C" in output
    assert {endpoint["service"]: endpoint["security"] for endpoint in facts["endpoints"]} == {
        "submission": "STARTTLS",
        "smtps": "SSL_TLS",
        "plain": "NONE",
        "imap": "STARTTLS",
        "imaps": "SSL_TLS",
        "pop3": "STARTTLS",
        "pop3s": "SSL_TLS",
    }


def test_lab_command_without_root_says_so_and_runs_the_python_servers(tmp_path: Path) -> None:
    program = (
        "import sys; from tests.lab import __main__, debian; debian.is_root = lambda: False;"
        "raise SystemExit(__main__.main(['--json', sys.argv[1]]))"
    )
    output, facts, code = _run_command(tmp_path, signal.SIGTERM, ["-c", program, str(tmp_path / "facts.json")])
    assert code == 0
    assert output.startswith("Postfix and Dovecot cannot run here (not root): the Python servers of the test suite run")
    assert {endpoint["service"] for endpoint in facts["endpoints"]} == {*SERVICES, "imap", "imaps", "pop3", "pop3s"}


def test_lab_command_runs_without_pytest() -> None:
    program = "import sys; sys.modules['pytest'] = None; import tests.lab.__main__; print('loaded')"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "loaded\n"


def test_lab_command_that_cannot_use_its_folder_says_one_sentence_and_exits_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    command = [sys.executable, "-m", "tests.lab", "--folder", str(tmp_path / "file" / "lab")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("The lab cannot start: ")


def _run_command(
    folder: Path, number: signal.Signals, arguments: list[str]
) -> tuple[str, dict[str, list[dict[str, str]]], int]:
    """Run the lab command until its facts are there, log in once, signal it; return output, facts and exit status."""
    written = folder / "facts.json"
    with (folder / "output").open("w+") as output:
        process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: written.exists() or process.poll() is not None, "the lab's facts", 30)
            facts = json.loads(written.read_text())
            assert written.stat().st_mode & 0o777 == 0o600
            _log_in_as_told(facts)
            wait_for(lambda: "Ctrl-C" in (folder / "output").read_text(), "the table")
            process.send_signal(number)
            code = process.wait(20)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        output.seek(0)
        assert not written.exists()
        assert not Path(facts["ca_file"]).exists()
        return output.read(), facts, code


def _log_in_as_told(facts: dict) -> None:
    context = ssl.create_default_context(cafile=facts["ca_file"])
    port = next(endpoint["port"] for endpoint in facts["endpoints"] if endpoint["service"] == "submission")
    with smtplib.SMTP("localhost", port, timeout=10) as client:
        client.starttls(context=context)
        assert client.login("alice", facts["users"]["alice"])[0] == 235


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _base64(message: bytes) -> str:
    return base64.b64encode(message).decode()
