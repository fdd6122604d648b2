"""The probe against a real Postfix with a Dovecot behind it: each mechanism under each security, right and wrong."""

import pytest

from steng.probe import probe
from steng.secret import Secret
from steng.wire import Login, Mechanism, TrustSet
from tests.lab.asking import anchored, ask, der_of, run, stage_of

pytestmark = pytest.mark.postfix

MECHANISMS = ["PLAIN", "LOGIN", "CRAM_MD5", "AUTO"]
SECURITIES = ["STARTTLS", "SSL_TLS", "NONE"]


def examine(lab, security, mechanism="AUTO", password=None, trust=None, **values):
    port = {"STARTTLS": lab.postfix.submission, "SSL_TLS": lab.postfix.smtps, "NONE": lab.postfix.plain}[security]
    login = Login(Mechanism(mechanism), "alice", Secret(password or lab.users["alice"]))
    trust = trust or anchored(der_of(lab.pki.root))
    return run(probe(ask(port, security, login=login, trust=trust, host=lab.name, match=True, **values)))


@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_right_password_signs_in(lab, security, mechanism):
    report = examine(lab, security, mechanism, sender_address="alice@lab.test")
    clear = security == "NONE" and mechanism in {"PLAIN", "LOGIN"}
    stage = stage_of(report, "auth")
    assert (stage.outcome.value, stage.code) == (("warning", "clear_text_login") if clear else ("ok", None))
    assert stage_of(report, "sender").outcome.value == "ok"
    assert report.verdict == ("warning" if clear else "success")


@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_wrong_password_is_refused(lab, security, mechanism):
    report = examine(lab, security, mechanism, password="wrong")
    stage = stage_of(report, "auth")
    assert (stage.outcome.value, stage.code) == ("failed", "credentials_refused")
    assert stage.evidence["reply_code"] == 535


@pytest.mark.parametrize("security", ["STARTTLS", "SSL_TLS"])
def test_nothing_is_trusted_by_default(lab, security):
    report = examine(lab, security, trust=TrustSet(version=1))
    assert (report.telling_stage.name, report.telling_stage.code) == ("trust", "certificate_unknown_issuer")
    assert len(report.chain) == 2


@pytest.mark.parametrize("security", ["STARTTLS", "SSL_TLS"])
@pytest.mark.parametrize("kind", ["pin", "anchor"])
def test_what_an_unknown_chain_brought_can_be_trusted(lab, security, kind):
    leaf, intermediate = examine(lab, security, trust=TrustSet(version=1)).chain
    trust = anchored(pins=(leaf,)) if kind == "pin" else anchored(intermediate)
    report = examine(lab, security, trust=trust)
    assert stage_of(report, "trust").evidence["accepted_by"]["kind"] == kind
    assert stage_of(report, "auth").outcome.value == "ok"


CROSSED = {
    "clear text against the TLS port": ("NONE", "smtps", "greeting", "tls_expected"),
    "STARTTLS against the TLS port": ("STARTTLS", "smtps", "greeting", "tls_expected"),
    "TLS against a port in clear text": ("SSL_TLS", "plain", "tls", "tls_not_spoken"),
    "STARTTLS where there is none": ("STARTTLS", "plain", "starttls", "starttls_not_offered"),
    "a login in clear where that is off": ("NONE", "submission", "auth", "clear_text_login_disabled"),
}


@pytest.mark.parametrize(("security", "service", "stage", "code"), CROSSED.values(), ids=CROSSED)
def test_a_wrong_security_is_told(lab, security, service, stage, code):
    port = getattr(lab.postfix, service)
    report = run(probe(ask(port, security, trust=anchored(der_of(lab.pki.root)), timeout_ms=3_000)))
    assert (report.telling_stage.name, report.telling_stage.code) == (stage, code)
