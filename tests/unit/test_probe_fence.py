"""The bounds of what a probe costs, tells and reaches, whatever a server makes up."""

import ipaddress
import ssl
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from steng import x509 as certificates
from steng.codes import find
from steng.offer import ALL
from steng.probe import path as paths
from steng.probe import trust
from steng.probe.egress import refusal
from steng.probe.fence import fenced
from steng.probe.tls import build
from steng.text import brief
from steng.wire import Egress, Stage, StageName, StageOutcome
from steng.x509 import describe
from tests.lab.asking import der_of


def stage(**values):
    return fenced(Stage(StageName.AUTH, StageOutcome.FAILED, 1.0, "auth_failed", **values))


def test_no_stage_tells_a_surrogate_or_a_nul():
    told = stage(detail="a\udcff", advice="b\0", evidence={"k\udcff": ["c\udcfe", {"d": ("e\0",)}], "n": 7, "b": True})
    assert (told.detail, told.advice) == ("a\\xff", "b\\x00")
    assert told.evidence == {"k\\xff": ["c\\xfe", {"d": ["e\\x00"]}], "n": 7, "b": True}


def test_no_text_of_a_stage_is_longer_than_a_thousand_characters():
    told = stage(detail="x" * 1_001, advice="\udcff" * 900, evidence={"deep": [{"text": "\0" * 5_000}]})
    lengths = [len(told.detail), len(told.advice), len(told.evidence["deep"][0]["text"])]
    assert lengths == [1_000, 1_000, 1_000]


def test_no_list_of_a_stage_is_longer_than_fifty():
    told = stage(evidence={"list": list(range(51)), "map": {str(n): n for n in range(51)}})
    assert (told.evidence["list"], len(told.evidence["map"])) == (list(range(50)), 50)


@pytest.mark.parametrize(("text", "shown"), [("abc", "abc"), ("abcd", "ab…"), ("a\x1b", "a\\…"), ("", "")])
def test_a_brief_text_keeps_its_limit_with_its_escapes(text, shown):
    assert brief(text, 3) == shown


def test_the_advice_for_an_unclear_refusal_promises_no_words_of_the_server():
    assert "words are in the transcript" not in find(StageName.AUTH, "auth_failed").advice


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("fd00:ec2::1", "metadata"),
        ("fd00:ec2:ffff::9", "metadata"),
        ("64:ff9b:1::192.0.2.1", "translated"),
        ("64:ff9b:1:7f00:0:100::", "translated"),
        ("::ffff:0:192.0.2.1", "translated"),
        ("2001:db8::5efe:169.254.169.254", "link-local"),
        ("2001:db8::200:5efe:127.0.0.1", "loopback"),
        ("2001:db8::200:5efe:192.0.2.1", None),
        ("fd00:ec3::1", None),
        ("64:ff9b:2::1", None),
    ],
)
def test_no_clothes_hide_an_address_that_is_refused(address, reason):
    assert refusal(ipaddress.ip_address(address), Egress()) == reason


def test_a_server_cannot_ask_for_another_handshake():
    assert build((), ALL, match_hostname=True).options & ssl.OP_NO_RENEGOTIATION


def rsa_key(bits, exponent=65_537):
    return rsa.RSAPublicNumbers(exponent, (1 << bits - 1) + 1).public_key()


KEYS = {
    "RSA of 8192 bits": (rsa_key(8_192), True),
    "RSA of more bits": (rsa_key(8_200), False),
    "RSA with a large exponent": (rsa_key(2_048, (1 << 32) + 1), False),
    "an elliptic curve": (ec.derive_private_key(5, ec.SECP521R1()).public_key(), True),
    "Ed25519": (ed25519.Ed25519PrivateKey.generate().public_key(), True),
    "Ed448": (ed448.Ed448PrivateKey.generate().public_key(), True),
    "DSA": (dsa.DSAPublicNumbers(4, dsa.DSAParameterNumbers((1 << 2_047) + 1, (1 << 255) + 1, 2)).public_key(), False),
}


@pytest.mark.parametrize(("key", "verified"), KEYS.values(), ids=KEYS)
def test_a_signature_is_verified_only_where_its_key_is_cheap(key, verified):
    calls = []
    parent = SimpleNamespace(subject="A", public_key=lambda: key)
    child = SimpleNamespace(issuer="A", signature_hash_algorithm=None, verify_directly_issued_by=calls.append)
    assert certificates._signed_by(child, parent) is verified
    assert bool(calls) is verified


def test_one_path_costs_sixty_signatures_at_most(monkeypatch):
    checked = []
    monkeypatch.setattr(paths, "issued", lambda *pair: checked.append(pair))
    links = [
        SimpleNamespace(
            certificate=SimpleNamespace(subject="A", issuer="A"),
            facts=SimpleNamespace(self_signed=False),
            der=bytes([n]),
        )
        for n in range(100)
    ]
    assert len(paths.build_path(links, [])) == 1
    assert len(checked) <= 60


def test_a_giant_certificate_is_read_and_checked_once(monkeypatch):
    ders = [b"giant child" * 1_000, b"giant parent" * 1_000]
    calls = []
    monkeypatch.setattr(paths, "issued_by", lambda *pair: calls.append(pair) or True)
    monkeypatch.setattr(paths, "load", calls.append)
    monkeypatch.setattr(paths, "facts_of", lambda certificate, der: SimpleNamespace(der=der))
    for _ in range(3):
        assert paths.issued(*map(paths.read, ders))
    assert calls == [*ders, tuple(ders)]


def test_of_a_certificate_its_first_names_and_their_beginnings_are_told(pki):
    leaf = pki.leaf(*[f"{'a' * 1_000}{number}.test" for number in range(30)], cn="long")
    (told,) = trust.evidence_of([der_of(leaf)])
    assert {len(name) for name in told["names"]} == {trust.MAX_NAME}
    assert len(told["names"]) == 10
    assert len(trust.named(describe(der_of(leaf)))) == 600
