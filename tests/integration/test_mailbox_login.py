"""IMAP and POP3 against a real Dovecot: each mechanism under each security, right and wrong."""

import shutil

import pytest

from steng.probe import probe
from steng.secret import Secret
from steng.wire import Authentication, Depth, Login, Mailbox, Mechanism, Protocol, Pull, TrustSet
from tests.lab.asking import anchored, ask, der_of, outcomes, run, stage_of
from tests.lab.dovecot import STRICT, Dovecot
from tests.lab.lab import temporary_folder

pytestmark = pytest.mark.postfix

MECHANISMS = {"IMAP": ["PLAIN", "LOGIN", "CRAM_MD5", "AUTO"]}
MECHANISMS["POP3"] = [*MECHANISMS["IMAP"], "USER_PASS", "APOP"]
SECURITIES = ["STARTTLS", "SSL_TLS", "NONE"]
WAYS = [
    (protocol, security, mechanism)
    for protocol, mechanisms in MECHANISMS.items()
    for security in SECURITIES
    for mechanism in mechanisms
]
CHOSEN = {
    ("IMAP", True): "PLAIN",
    ("IMAP", False): "CRAM-MD5",
    ("POP3", True): "PLAIN",
    ("POP3", False): "APOP",
}
NAMES = {"CRAM_MD5": "CRAM-MD5", "USER_PASS": "USER/PASS"}
HIDING = {"CRAM_MD5", "APOP", "AUTO"}


def port_of(lab, protocol, security):
    service = {"IMAP": "imap", "POP3": "pop3"}[protocol] + ("s" if security == "SSL_TLS" else "")
    return getattr(lab.dovecot, service)


def asked(lab, protocol, security, mechanism="AUTO", username="alice", password=None, **values):
    """Return a request to the lab's Dovecot; POP3 has no unread messages, so it asks for the first."""
    login = Login(Mechanism(mechanism), username, Secret(password or lab.users[username]))
    if protocol == "POP3":
        values = {"mailbox": Mailbox(pull=Pull.GET_FIRST_MESSAGE)} | values
    values = {"host": lab.name, "trust": anchored(der_of(lab.pki.root)), "match": True} | values
    return ask(port_of(lab, protocol, security), security, protocol=Protocol(protocol), login=login, **values)


def examine(*asking, **values):
    return run(probe(asked(*asking, **values)))


@pytest.mark.parametrize(("protocol", "security", "mechanism"), WAYS)
def test_the_right_password_signs_in(lab, protocol, security, mechanism):
    report = examine(lab, protocol, security, mechanism)
    clear = security == "NONE" and mechanism not in HIDING
    stage = stage_of(report, "auth")
    assert (stage.outcome.value, stage.code) == (("warning", "clear_text_login") if clear else ("ok", None))
    chosen = CHOSEN[protocol, security != "NONE"] if mechanism == "AUTO" else NAMES.get(mechanism, mechanism)
    assert stage.evidence["mechanism"] == chosen
    assert stage_of(report, "folder").outcome.value == "ok"
    assert report.verdict == ("warning" if clear else "success")


@pytest.mark.parametrize(("protocol", "security", "mechanism"), WAYS)
def test_the_wrong_password_is_refused_after_one_attempt(lab, protocol, security, mechanism):
    before = lab.dovecot.login_attempts("agent01")
    report = examine(lab, protocol, security, mechanism, username="agent01", password="wrong")
    stage = stage_of(report, "auth")
    assert (stage.outcome.value, stage.code) == ("failed", "credentials_refused")
    assert stage.evidence["response_code"] == {"IMAP": "AUTHENTICATIONFAILED", "POP3": "AUTH"}[protocol]
    assert lab.dovecot.login_attempts("agent01") == before + 1


@pytest.mark.parametrize("protocol", ["IMAP", "POP3"])
@pytest.mark.parametrize("security", ["STARTTLS", "SSL_TLS"])
def test_no_attempt_is_made_before_the_server_is_trusted(lab, protocol, security):
    before = lab.dovecot.login_attempts("agent02")
    report = examine(lab, protocol, security, username="agent02", trust=TrustSet(version=1))
    assert (report.telling_stage.name, report.telling_stage.code) == ("trust", "certificate_unknown_issuer")
    assert len(report.chain) == 2
    assert lab.dovecot.login_attempts("agent02") == before


STRICTLY = [
    ("IMAP", "PLAIN", "clear_text_login_disabled"),
    ("IMAP", "LOGIN", "clear_text_login_disabled"),
    ("POP3", "PLAIN", "clear_text_login_disabled"),
    ("POP3", "USER_PASS", "clear_text_login_disabled"),
    ("IMAP", "AUTO", None),
    ("POP3", "AUTO", None),
]


@pytest.mark.parametrize(("protocol", "mechanism", "code"), STRICTLY)
def test_a_server_that_takes_no_password_in_clear_text_gets_none(lab, protocol, mechanism, code):
    before = lab.dovecot.login_attempts("agent03")
    report = examine(lab, protocol, "NONE", mechanism, username="agent03", host=STRICT)
    stage = stage_of(report, "auth")
    assert stage.code == code
    assert stage.evidence.get("suggestion") == ({"connection_security": "STARTTLS"} if code else None)
    assert lab.dovecot.login_attempts("agent03") == before + (code is None)


CROSSED = {
    "clear text against the TLS port of IMAP": ("NONE", "IMAP", "imaps", "greeting", "tls_expected"),
    "clear text against the TLS port of POP3": ("NONE", "POP3", "pop3s", "greeting", "tls_expected"),
    "STARTTLS against the TLS port": ("STARTTLS", "IMAP", "imaps", "greeting", "tls_expected"),
    "TLS against a port in clear text of IMAP": ("SSL_TLS", "IMAP", "imap", "tls", "tls_not_spoken"),
    "TLS against a port in clear text of POP3": ("SSL_TLS", "POP3", "pop3", "tls", "tls_not_spoken"),
    "IMAP against POP3": ("STARTTLS", "IMAP", "pop3", "greeting", "wrong_protocol"),
    "POP3 against IMAP": ("STARTTLS", "POP3", "imap", "greeting", "wrong_protocol"),
    "IMAP against POP3 under TLS": ("SSL_TLS", "IMAP", "pop3s", "greeting", "wrong_protocol"),
    "TLS of IMAP against POP3 in clear text": ("SSL_TLS", "IMAP", "pop3", "tls", "wrong_protocol"),
}


@pytest.mark.parametrize(("security", "protocol", "service", "stage", "code"), CROSSED.values(), ids=CROSSED)
def test_a_wrong_port_is_told(lab, security, protocol, service, stage, code):
    request = ask(
        getattr(lab.dovecot, service),
        security,
        protocol=Protocol(protocol),
        trust=anchored(der_of(lab.pki.root)),
        timeout_ms=3_000,
    )
    report = run(probe(request))
    assert (report.telling_stage.name, report.telling_stage.code) == (stage, code)


ODD = {
    "blanks and quotes": ('my "user" name', 'p "w"\\ d '),
    "letters of all kinds": ("bjørn.山田", "pÄsswört-密码-😀"),
    "brackets and percents": ("a{5}b%c*(d)", "x{12}\\]"),
    "long": ("u" * 300, "p" * 700),
}


@pytest.fixture(scope="module")
def odd_lab(pki):
    folder = temporary_folder()
    try:
        with Dovecot(folder, certificate=pki.leaf(), users=dict(ODD.values())) as dovecot:
            yield dovecot
    finally:
        shutil.rmtree(folder, ignore_errors=True)


ODDLY = [
    (protocol, mechanism, kind)
    for protocol, mechanism in (
        *(("IMAP", name) for name in MECHANISMS["IMAP"]),
        *(("POP3", n) for n in MECHANISMS["POP3"]),
    )
    for kind in ODD
    if (mechanism, kind) != ("APOP", "blanks and quotes")
]


@pytest.mark.parametrize(("protocol", "mechanism", "kind"), ODDLY)
def test_user_names_and_passwords_with_anything_in_them_sign_in(odd_lab, pki, protocol, mechanism, kind):
    username, password = ODD[kind]
    port = odd_lab.imap if protocol == "IMAP" else odd_lab.pop3
    login = Login(Mechanism(mechanism), username, Secret(password))
    request = ask(
        port, "STARTTLS", protocol=Protocol(protocol), login=login, trust=anchored(der_of(pki.root)), depth=Depth.LOGIN
    )
    report = run(probe(request))
    assert (report.verdict, stage_of(report, "auth").outcome) == ("success", "ok")
    assert password not in str(report.transcript)


DEPTHS = {
    "connect": ["resolve", "connect", "greeting", "capabilities", "quit"],
    "tls": [
        *("resolve", "connect", "greeting", "capabilities", "starttls", "tls", "trust", "hostname", "capabilities"),
        "quit",
    ],
}
DEPTHS["login"] = [*DEPTHS["tls"][:-1], "auth", "quit"]
DEPTHS["full"] = [*DEPTHS["login"][:-1], "folder", "quit"]


def test_apop_cannot_carry_a_user_name_with_a_blank(lab):
    login = Login(Mechanism.APOP, "al ice", Secret("p"))
    report = run(probe(ask(lab.dovecot.pop3, "NONE", protocol=Protocol.POP3, login=login)))
    assert (report.telling_stage.name, report.telling_stage.code) == ("auth", "auth_failed")
    assert "APOP" not in str([line.text for line in report.transcript if line.direction == "sent"])


@pytest.mark.parametrize("protocol", ["IMAP", "POP3"])
@pytest.mark.parametrize(("depth", "stages"), DEPTHS.items())
def test_a_test_goes_as_far_as_it_is_asked_to(lab, protocol, depth, stages):
    assert outcomes(examine(lab, protocol, "STARTTLS", depth=Depth(depth))) == stages


def test_without_a_login_there_is_no_folder(lab):
    report = examine(lab, "IMAP", "SSL_TLS", authentication=Authentication.NONE)
    assert outcomes(report) == [*("resolve", "connect", "tls", "trust", "hostname"), "greeting", "capabilities", "quit"]
