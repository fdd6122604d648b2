"""Certificates as facts."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from steng.x509 import (
    MAX_INPUT,
    UnreadableCertificate,
    describe,
    fingerprint_of,
    issued_by,
    parse_fingerprint,
    read_certificates,
    title,
)

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def make(cn="Root", *, key=None, names=(), digest=hashes.SHA256(), ca=None, organisation=None):  # noqa: B008
    key = key or ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, cn)] if cn else []
    if organisation:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    name = x509.Name(attributes)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0xABC)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=90))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else digest)


def der(certificate):
    return certificate.public_bytes(Encoding.DER)


def pem(certificate):
    return certificate.public_bytes(Encoding.PEM)


def test_the_facts_of_a_certificate_are_these():
    certificate = make("mail.test", names=[x509.DNSName("mail.test"), x509.DNSName("*.mail.test")], ca=True)
    facts = describe(der(certificate))
    assert facts.fingerprint == fingerprint_of(der(certificate)) == certificate.fingerprint(hashes.SHA256()).hex()
    assert (facts.subject, facts.issuer, facts.common_name) == ("CN=mail.test", "CN=mail.test", "mail.test")
    assert (facts.serial, facts.names) == ("abc", ("mail.test", "*.mail.test"))
    assert (facts.not_before, facts.not_after) == (NOW, NOW + timedelta(days=90))
    assert (facts.key, facts.signature) == ("EC P-256", "SHA-256 with ECDSA")
    assert (facts.is_ca, facts.self_signed) == (True, True)


KINDS = {
    "RSA": (lambda: rsa.generate_private_key(65537, 2048), "RSA 2048", "SHA-256 with RSA"),
    "P-384": (lambda: ec.generate_private_key(ec.SECP384R1()), "EC P-384", "SHA-256 with ECDSA"),
    "Ed25519": (ed25519.Ed25519PrivateKey.generate, "Ed25519", "Ed25519"),
}


@pytest.mark.parametrize(("key", "kind", "signature"), KINDS.values(), ids=KINDS)
def test_keys_and_signatures_are_named(key, kind, signature):
    facts = describe(der(make(key=key())))
    assert (facts.key, facts.signature) == (kind, signature)


def test_an_address_stands_among_the_names():
    import ipaddress

    names = [x509.IPAddress(ipaddress.ip_address("::1")), x509.DNSName("a.test")]
    assert describe(der(make(names=names))).names == ("a.test", "::1")


def test_invisible_characters_are_shown():
    facts = describe(der(make("evil\u202e\x1b[2J.test")))
    assert facts.common_name == "evil\\u202e\\x1b[2J.test"
    assert "\u202e" not in facts.subject
    assert "\x1b" not in facts.issuer


def test_a_certificate_that_only_says_so_is_not_self_signed(pki):
    forged = make("Root")
    issuer = make("Root")
    assert describe(der(forged)).self_signed
    assert not issued_by(der(forged), der(issuer))


def test_who_issued_whom_is_told_by_name_and_signature(pki):
    leaf, intermediate = (der(certificate) for certificate in pki.leaf().chain)
    root = der(pki.root.certificate)
    assert issued_by(leaf, intermediate)
    assert issued_by(intermediate, root)
    assert not issued_by(leaf, root)
    assert not issued_by(intermediate, leaf)
    assert not issued_by(b"", root)


TITLES = {
    "its common name": (make("a.test", names=[x509.DNSName("b.test")]), "a.test"),
    "else its first name": (make("", names=[x509.DNSName("b.test")], organisation="Org"), "b.test"),
    "else its subject": (make("", organisation="Org"), "O=Org"),
}


@pytest.mark.parametrize(("certificate", "expected"), TITLES.values(), ids=TITLES)
def test_a_certificate_is_called_by(certificate, expected):
    assert title(describe(der(certificate))) == expected


def test_a_certificate_without_any_name_is_called_by_its_fingerprint():
    facts = describe(der(make("")))
    assert title(facts) == facts.fingerprint[:16]


def test_a_fingerprint_is_understood_however_it_was_typed():
    stored = "ab" * 32
    assert parse_fingerprint(" AB:" + "ab:" * 30 + " aB\n") == stored
    assert parse_fingerprint(stored[:-1]) is None
    assert parse_fingerprint("g" * 64) is None


ONE, TWO = make("One"), make("Two")
FILES = {
    "PEM": (pem(ONE), 1),
    "PEM with several": (b"some words\n" + pem(ONE) + b"\r\nmore\n" + pem(TWO), 2),
    "PEM with the same twice": (pem(ONE) + pem(ONE), 1),
    "DER": (der(ONE), 1),
    "base64 of DER": (base64.encodebytes(der(ONE)), 1),
    "PKCS#7 in PEM": (pkcs7.serialize_certificates([ONE, TWO], Encoding.PEM), 2),
    "PKCS#7 in DER": (pkcs7.serialize_certificates([ONE, TWO], Encoding.DER), 2),
    "base64 of PKCS#7": (base64.b64encode(pkcs7.serialize_certificates([ONE, TWO], Encoding.DER)), 2),
}


@pytest.mark.parametrize(("data", "count"), FILES.values(), ids=FILES)
def test_certificates_are_read_from(data, count):
    assert set(read_certificates(data)) == {der(ONE), der(TWO)} if count == 2 else {der(ONE)}


NOT_FILES = {
    "nothing": b"",
    "words": b"hello",
    "a sequence of nothing": b"\x30\x00",
    "half a certificate": der(ONE)[:-9],
    "a PEM block of rubbish": b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "a key": b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
    "a good and a bad one": pem(ONE) + b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "too much": b"\n" * (MAX_INPUT + 1),
    "nested lengths": b"\x30\x80" * 5_000,
}


@pytest.mark.parametrize("data", NOT_FILES.values(), ids=NOT_FILES)
def test_no_certificates_are_read_from(data):
    with pytest.raises(UnreadableCertificate):
        read_certificates(data)


def test_a_flipped_bit_is_read_or_refused_and_never_breaks():
    whole = der(make("mail.test", names=[x509.DNSName("mail.test")], ca=True))
    for place in range(len(whole)):
        damaged = bytes([*whole[:place], whole[place] ^ 0x20, *whole[place + 1 :]])
        try:
            assert describe(damaged).der == damaged
        except UnreadableCertificate:
            continue
