"""Trust: whose certificate lets the conversation go on, what is said where none does, and that nothing is sent then."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from steng.probe import probe
from steng.wire import TlsPolicy, TrustSet
from steng.x509 import fingerprint_of
from tests.lab.asking import USER, anchored, ask, der_of, outcomes, run, stage_of
from tests.lab.facts import Security
from tests.lab.pki import Authority, Issued, KeyType, Purpose
from tests.lab.pyserver import RecordingSmtpServer

DER = Encoding.DER
MODES = ["STARTTLS", "SSL_TLS"]
LATER = datetime.now(UTC) + timedelta(days=90)
IN_CLEAR = {"STARTTLS": b"EHLO [127.0.0.1]\r\nSTARTTLS\r\n", "SSL_TLS": b""}


@pytest.fixture(scope="module", params=MODES)
def mode(request):
    return request.param


@pytest.fixture(scope="module")
def good(pki):
    """Return a leaf of an intermediate that does not expire soon."""
    return pki.root.intermediate("Lasting CA", not_after=LATER).issue(not_after=LATER)


def examine(issued, mode, trust, host="127.0.0.1", *, match=False):
    """Probe a recording server that presents `issued`; return the report and what the server received."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # A server that does not mind weak keys: the client has to.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    issued._load_into(context)
    with RecordingSmtpServer(Security[mode], tls_context=context, users={USER: "another"}) as server:

        async def resolver(name):
            return ["127.0.0.1"]

        async def look():
            return await probe(ask(server.port, mode, match=match, trust=trust, host=host), resolver=resolver)

        report = run(look())
        sessions = server.wait_closed()
        if told(report)[0] in {"trust", "hostname"} and report.verdict == "failure":
            # Refused within the handshake: the server never saw it end.
            assert [session.tls_version for session in sessions] == [None]
        return report, b"".join(session.received for session in sessions)


def told(report):
    stage = report.telling_stage
    return (stage.name.value, stage.code) if stage else (None, None)


# -- what vouches ------------------------------------------------------------


def vouchers(pki, good):
    return {
        "the root as anchor": (anchored(der_of(pki.root)), ("anchor", "a1"), True),
        "the intermediate as anchor": (anchored(good.chain[1].public_bytes(DER)), ("anchor", "a1"), False),
        "the leaf as pin": (anchored(pins=(good.der,)), ("pin", "p1"), False),
    }


@pytest.mark.parametrize("which", ["the root as anchor", "the intermediate as anchor", "the leaf as pin"])
def test_one_certificate_is_enough_and_is_named(which, mode, pki, good):
    trust, voucher, complete = vouchers(pki, good)[which]
    report, received = examine(good, mode, trust)
    assert stage_of(report, "trust").outcome.value == "ok"
    evidence = stage_of(report, "trust").evidence
    assert (evidence["accepted_by"]["kind"], evidence["accepted_by"]["id"]) == voucher
    assert evidence["complete_to_root"] is complete
    assert told(report) == ("auth", "credentials_refused")
    assert b"AUTH PLAIN" in received


def test_the_stages_stand_in_the_order_of_their_security(mode, pki, good):
    report, _ = examine(good, mode, anchored(der_of(pki.root)))
    assert [stage.split(":")[0] for stage in outcomes(report)] == {
        "STARTTLS": [
            *("resolve", "connect", "greeting", "capabilities", "starttls", "tls", "trust", "hostname"),
            *("capabilities", "auth", "quit"),
        ],
        "SSL_TLS": ["resolve", "connect", "tls", "trust", "hostname", "greeting", "capabilities", "auth", "quit"],
    }[mode]


def test_the_handshake_is_told(mode, pki, good):
    report, _ = examine(good, mode, anchored(der_of(pki.root)))
    evidence = stage_of(report, "tls").evidence
    assert (evidence["version"], evidence["key"]) == ("TLSv1.3", "EC P-256")
    assert evidence["cipher_suite"].startswith("TLS_")
    assert report.chain == tuple(certificate.public_bytes(DER) for certificate in good.chain)


# -- what does not -----------------------------------------------------------


def self_signed_weak(pki):
    return pki.self_signed(key_type=KeyType.RSA_1024)


def signed_by_a_leaf(pki):
    leaf = pki.leaf("not-a-ca.test")
    return Authority(leaf.certificate, leaf.key, leaf.chain).issue()


REFUSALS = {
    "nothing is trusted": (lambda pki: pki.leaf(), "none", "certificate_unknown_issuer"),
    "another root is trusted": (lambda pki: pki.unknown(), "root", "certificate_unknown_issuer"),
    "it is self-signed": (lambda pki: pki.self_signed(), "root", "certificate_self_signed"),
    "the intermediate is missing": (
        lambda pki: pki.without_intermediate(),
        "root",
        "certificate_missing_intermediate",
    ),
    "it has expired": (lambda pki: pki.expired(), "root", "certificate_expired"),
    "it is not valid yet": (lambda pki: pki.not_yet_valid(), "root", "certificate_not_yet_valid"),
    "its intermediate has expired": (lambda pki: pki.behind_expired_intermediate(), "root", "certificate_expired"),
    "it is made for clients": (lambda pki: pki.leaf(purpose=Purpose.CLIENT), "root", "certificate_wrong_purpose"),
    "its key is weak": (lambda pki: pki.leaf(key_type=KeyType.RSA_1024), "root", "certificate_weak"),
    "its pin is weak": (self_signed_weak, "pin", "certificate_weak"),
    "its pin has expired": (lambda pki: pki.expired(), "pin", "certificate_expired"),
    "its pin is made for clients": (lambda pki: pki.leaf(purpose=Purpose.CLIENT), "pin", "certificate_wrong_purpose"),
    "an authority too many stands in it": (
        lambda pki: pki.root.intermediate("One", path_length=0).intermediate("Two").issue(),
        "root",
        "certificate_path_length",
    ),
    "a leaf signed it": (signed_by_a_leaf, "root", "certificate_not_a_ca"),
}


@pytest.mark.parametrize(("make", "trusted", "code"), REFUSALS.values(), ids=REFUSALS)
def test_an_untrusted_server_gets_no_credential(make, trusted, code, mode, pki):
    issued = make(pki)
    trust = {
        "none": TrustSet(),
        "root": anchored(der_of(pki.root)),
        "pin": anchored(pins=(issued.der,)),
    }[trusted]
    report, received = examine(issued, mode, trust)
    assert told(report) == ("trust", code)
    assert received == IN_CLEAR[mode]
    assert report.chain == tuple(certificate.public_bytes(DER) for certificate in issued.chain)
    assert stage_of(report, "tls").outcome.value == "ok"


def test_what_is_missing_is_named(pki):
    report, _ = examine(pki.without_intermediate(), "SSL_TLS", anchored(der_of(pki.root)))
    assert "Missing: its issuer CN=Lab Intermediate CA." in report.telling_stage.detail
    report, _ = examine(pki.leaf(), "SSL_TLS", TrustSet())
    assert "Missing: CN=Lab Root CA." in report.telling_stage.detail


def test_the_other_faults_stand_beside_the_first(mode, pki):
    issued = pki.unknown_intermediate.issue(
        "elsewhere.example",
        not_before=datetime.now(UTC) - timedelta(days=9),
        not_after=datetime.now(UTC) - timedelta(days=1),
        purpose=Purpose.CLIENT,
    )
    report, _ = examine(issued, mode, anchored(der_of(pki.root)), "mail.lab.test", match=True)
    assert told(report) == ("trust", "certificate_unknown_issuer")
    assert report.telling_stage.evidence["also"] == [
        "certificate_wrong_purpose",
        "certificate_expired",
        "hostname_mismatch",
    ]


def test_an_expired_certificate_with_a_wrong_name_is_expired(mode, pki):
    report, _ = examine(pki.expired("a.test"), mode, anchored(der_of(pki.root)), "b.test", match=True)
    assert told(report) == ("trust", "certificate_expired")
    assert report.telling_stage.evidence["also"] == ["hostname_mismatch"]


# -- pins, rejections, changes -----------------------------------------------


def test_a_self_signed_ca_that_is_pinned_passes_as_itself(mode, pki):
    own = pki.self_signed(ca=True, not_after=LATER)
    report, _ = examine(own, mode, anchored(pins=(own.der,)))
    assert stage_of(report, "trust").evidence["accepted_by"]["kind"] == "pin"
    assert told(report) == ("auth", "credentials_refused")


def test_a_self_signed_ca_that_is_pinned_vouches_for_nothing_else(mode, pki):
    own = pki.self_signed(ca=True)
    other = Authority(own.certificate, own.key).issue()
    for presented in (other, Issued(other.certificate, other.key, (own.certificate,))):
        report, received = examine(presented, mode, anchored(pins=(own.der,)))
        assert told(report) == ("trust", "certificate_changed")
        assert received == IN_CLEAR[mode]


def test_a_pin_beside_an_anchor_does_not_hide_what_the_anchor_vouches_for(mode, pki, good):
    own = pki.self_signed(ca=True)
    report, _ = examine(good, mode, anchored(der_of(pki.root), pins=(own.der,)))
    assert stage_of(report, "trust").evidence["accepted_by"]["kind"] == "anchor"
    assert told(report) == ("auth", "credentials_refused")


def test_another_certificate_than_the_pinned_one_has_changed(mode, pki):
    pinned, presented = pki.leaf(), pki.leaf()
    report, received = examine(presented, mode, anchored(pins=(pinned.der,)))
    assert told(report) == ("trust", "certificate_changed")
    assert report.telling_stage.evidence["also"] == ["certificate_unknown_issuer"]
    assert received == IN_CLEAR[mode]


@pytest.mark.parametrize("place", ["leaf", "intermediate", "root that was not sent"])
def test_a_rejected_certificate_is_refused_whoever_vouches_for_the_chain(place, mode, pki, good):
    ders = [*(certificate.public_bytes(DER) for certificate in good.chain), der_of(pki.root)]
    rejected = ders[["leaf", "intermediate", "root that was not sent"].index(place)]
    trust = anchored(der_of(pki.root), pins=(good.der,), rejected=(fingerprint_of(rejected),))
    report, received = examine(good, mode, trust)
    assert told(report) == ("trust", "certificate_rejected")
    assert received == IN_CLEAR[mode]


# -- names -------------------------------------------------------------------

NAMES = {
    "a name that it holds": (("mail.lab.test",), None, "mail.lab.test", True),
    "a name in other letters": (("MAIL.lab.test",), None, "mail.LAB.test", True),
    "a name under its star": (("*.lab.test",), None, "mail.lab.test", True),
    "a name two steps under its star": (("*.lab.test",), None, "a.b.lab.test", False),
    "another name": (("elsewhere.test",), None, "mail.lab.test", False),
    "its common name where it has no other": ((), "mail.lab.test", "mail.lab.test", True),
    "its common name where it has others": (("other.test",), "mail.lab.test", "mail.lab.test", False),
    "its address": (("127.0.0.1",), "x", "127.0.0.1", True),
    "an address in its common name": ((), "127.0.0.1", "127.0.0.1", False),
    "a name outside ASCII": (("xn--mnchen-3ya.test",), None, "münchen.test", True),
}


@pytest.mark.parametrize(("names", "cn", "host", "fits"), NAMES.values(), ids=NAMES)
def test_the_name_is_matched_where_it_is_asked_for(names, cn, host, fits, mode, pki):
    issued = pki.leaf(*names, cn=cn)
    report, received = examine(issued, mode, anchored(der_of(pki.root)), host, match=True)
    if fits:
        assert stage_of(report, "hostname").outcome.value == "ok"
        assert b"AUTH PLAIN" in received
    else:
        stage = next(stage for stage in report.stages if stage.outcome.value == "failed")
        assert (stage.name, stage.code) == ("hostname", "hostname_mismatch")
        assert stage_of(report, "trust").evidence["accepted_by"]["id"] == "a1"
        assert received == IN_CLEAR[mode]


@pytest.mark.parametrize(("names", "cn", "host", "fits"), NAMES.values(), ids=NAMES)
def test_a_name_that_would_not_match_is_a_warning_where_it_is_not_asked_for(names, cn, host, fits, pki):
    report, received = examine(pki.leaf(*names, cn=cn), "SSL_TLS", anchored(der_of(pki.root)), host)
    assert stage_of(report, "hostname").code == (None if fits else "hostname_mismatch_ignored")
    assert b"AUTH PLAIN" in received


def test_a_name_of_the_certificate_is_suggested(pki):
    issued = pki.leaf("*.lab.test", "mx.lab.test")
    report, _ = examine(issued, "SSL_TLS", anchored(der_of(pki.root)), "mail.example", match=True)
    assert stage_of(report, "hostname").evidence["suggestion"] == {"host": "mx.lab.test"}


def test_a_signature_that_openssl_did_not_come_to_is_not_believed(pki):
    # It looks at the name first and ends there, with a chain that is put together by names alone.
    honest = pki.root.issue("other.test")
    damaged = honest.der[:-1] + bytes([honest.der[-1] ^ 1])
    forged = Issued(x509.load_der_x509_certificate(damaged), honest.key)
    report, _ = examine(forged, "SSL_TLS", anchored(der_of(pki.root)), match=True)
    assert stage_of(report, "trust").evidence["complete_to_root"] is False


# -- warnings ----------------------------------------------------------------


def test_a_certificate_that_expires_soon_is_a_warning(mode, pki):
    soon = datetime.now(UTC) + timedelta(days=29)
    report, _ = examine(pki.root.issue(not_after=soon), mode, anchored(der_of(pki.root)))
    stage = stage_of(report, "trust")
    assert (stage.outcome.value, stage.code) == ("warning", "certificate_expires_soon")


def test_a_chain_in_the_wrong_order_is_a_warning(mode, pki):
    first = pki.root.intermediate("First", path_length=1, not_after=LATER)
    issued = first.intermediate("Second", not_after=LATER).issue(not_after=LATER)
    muddled = Issued(issued.certificate, issued.key, tuple(reversed(issued.issuers)))
    lasting = anchored(first.certificate.public_bytes(DER))
    report, _ = examine(muddled, mode, lasting)
    stage = stage_of(report, "trust")
    assert (stage.outcome.value, stage.code) == ("warning", "chain_order")


# -- what this agent cannot do -------------------------------------------

POLICIES = {
    "SSLv3": (TlsPolicy(protocols=("SSLv3",)), "protocol_not_available", "ssl_protocols"),
    "a suite with a shared key": (
        TlsPolicy(cipher_suites=("TLS_PSK_WITH_AES_128_CBC_SHA",)),
        "cipher_not_available",
        "cipher_suites",
    ),
}


@pytest.mark.parametrize(("policy", "code", "field"), POLICIES.values(), ids=POLICIES)
def test_a_policy_that_cannot_be_kept_ends_before_the_handshake(policy, code, field, mode, pki, good):
    with RecordingSmtpServer(Security[mode], certificate=good) as server:

        async def look():
            return await probe(ask(server.port, mode, tls=policy, trust=anchored(der_of(pki.root))))

        report = run(look())
        (session,) = server.wait_closed()
    assert told(report) == ("tls", code)
    assert report.telling_stage.field == field
    assert session.received == IN_CLEAR[mode]
    assert session.tls_version is None
