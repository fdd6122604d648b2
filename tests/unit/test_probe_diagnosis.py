"""The diagnosis of chains, on chains that no server has to present."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from steng.codes import CATALOGUE
from steng.probe import path as paths
from steng.probe import trust
from steng.probe.names import matches
from steng.wire import StageName, TrustSet
from tests.lab.asking import anchored

NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Made:
    """A certificate with its key."""

    def __init__(
        self, name, issuer=None, *, ca=False, path_length=None, key=None, digest=None, days=365, extensions=()
    ):
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(signer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=1))
            .not_valid_after(NOW + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        self.der = builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)


class Old(Made):
    """A certificate signed with ECDSA and SHA-1, which nothing makes any more: the signature is put in by hand."""

    def __init__(self, name, issuer=None, **how):
        super().__init__(name, issuer, **how)
        sha256, sha1 = bytes.fromhex("300a06082a8648ce3d040302"), bytes.fromhex("300906072a8648ce3d0401")
        tbs = x509.load_der_x509_certificate(self.der).tbs_certificate_bytes
        _, content = parts(tbs)
        tbs = wrapped(0x30, content.replace(sha256, sha1))
        signature = (issuer or self).key.sign(tbs, ec.ECDSA(hashes.SHA1()))
        self.der = wrapped(0x30, tbs + sha1 + wrapped(0x03, b"\0" + signature))


def wrapped(tag, content):
    """Return one DER element."""
    size = len(content)
    digits = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
    return bytes([tag]) + (digits if size < 128 else bytes([0x80 | len(digits)]) + digits) + content


def parts(element):
    """Return tag and content of one DER element of up to 64 kB."""
    start = 2 + (element[1] & 0x7F if element[1] & 0x80 else 0)
    return element[0], element[start:]


def names(*values):
    return (x509.SubjectAlternativeName([x509.DNSName(value) for value in values]), False)


ROOT = Made("Root", ca=True)
MIDDLE = Made("Middle", ROOT, ca=True)
LEAF = Made("mail.test", MIDDLE, extensions=[names("mail.test")])
TRUSTED = anchored(ROOT.der)


def diagnose(*chain, trusted=TRUSTED, host=None, code=0, now=NOW):
    return trust.diagnose([each.der for each in chain], trusted, host, now, code)


def test_a_good_chain_has_no_fault():
    assert diagnose(LEAF, MIDDLE, host="mail.test").code is None


def test_a_chain_in_any_order_is_understood():
    assert diagnose(LEAF, ROOT, MIDDLE).code is None


def limited(permitted=None, excluded=None):
    def subtrees(values):
        return [x509.DNSName(value) for value in values] if values else None

    return (x509.NameConstraints(subtrees(permitted), subtrees(excluded)), True)


def below(extension):
    middle = Made("Limited", ROOT, ca=True, extensions=[extension])
    return Made("mail.test", middle, extensions=[names("mail.test")]), middle


def purpose(*oids):
    return (x509.ExtendedKeyUsage(oids), False)


UNKNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
KNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), False)

FAULTS = {
    "a leaf alone": ((LEAF,), "certificate_missing_intermediate"),
    "a leaf with something else": ((LEAF, Made("Other", ROOT, ca=True)), "certificate_unknown_issuer"),
    "a self-signed leaf": ((Made("mail.test"),), "certificate_self_signed"),
    "names outside what is permitted": (below(limited(permitted=["other.test"])), "certificate_name_constraint"),
    "names inside what is permitted": (below(limited(permitted=["test"])), None),
    "names that are excluded": (below(limited(excluded=[".test"])), "certificate_name_constraint"),
    "names that are not excluded": (below(limited(excluded=["other.test"])), None),
    "an unknown critical extension": ((Made("a", ROOT, extensions=[UNKNOWN]),), "certificate_critical_extension"),
    "an unknown extension": ((Made("a", ROOT, extensions=[KNOWN]),), None),
    "another purpose": (
        (Made("a", ROOT, extensions=[purpose(ExtendedKeyUsageOID.EMAIL_PROTECTION)]),),
        "certificate_wrong_purpose",
    ),
    "this purpose among others": (
        (
            Made(
                "a",
                ROOT,
                extensions=[purpose(ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)],
            ),
        ),
        None,
    ),
    "a signature with SHA-1": ((Old("a", ROOT),), "certificate_weak"),
    "a small RSA key": ((Made("a", ROOT, key=rsa.generate_private_key(65537, 1024)),), "certificate_weak"),
    "a weak curve": ((Made("a", ROOT, key=ec.generate_private_key(ec.SECP192R1())),), "certificate_weak"),
}


@pytest.mark.parametrize(("chain", "code"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_a_chain_is_found(chain, code):
    assert diagnose(*chain).code == code


def test_authorities_below_a_limit_are_counted_without_the_leaf():
    limit = Made("Limit", ROOT, ca=True, path_length=0)
    assert diagnose(Made("a", limit), limit).code is None
    middle = Made("Below", limit, ca=True)
    assert diagnose(Made("a", middle), middle, limit).code == "certificate_path_length"


def test_a_signature_of_a_trusted_certificate_proves_nothing_so_its_hash_does_not_count():
    middle = Old("Old", ROOT, ca=True)
    leaf = Made("a", middle)
    assert diagnose(leaf, middle).code == "certificate_weak"
    assert diagnose(leaf, middle, trusted=anchored(middle.der)).code is None


def test_the_faults_are_told_in_their_order():
    bad = Made("a.test", Made("Stranger", ca=True), days=-0.5, extensions=[purpose(ExtendedKeyUsageOID.CLIENT_AUTH)])
    found = diagnose(bad, host="b.test", trusted=anchored(pins=(LEAF.der,)))
    assert found.code == "certificate_changed"
    assert found.also == [
        "certificate_missing_intermediate",
        "certificate_wrong_purpose",
        "certificate_expired",
        "hostname_mismatch",
    ]


def test_rubbish_in_a_chain_is_malformed():
    found = trust.diagnose([LEAF.der, b"rubbish", MIDDLE.der], TRUSTED, None, NOW)
    assert found.code == "certificate_malformed"


def test_rubbish_alone_is_malformed():
    assert trust.diagnose([b"rubbish"], TRUSTED, None, NOW).code == "certificate_malformed"


def test_more_than_a_hundred_certificates_are_too_many():
    assert diagnose(LEAF, MIDDLE, *[ROOT] * 99).code == "chain_too_long"
    assert diagnose(LEAF, MIDDLE, *[ROOT] * 98).code is None


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (10, "certificate_expired"),
        (20, "certificate_unknown_issuer"),
        (26, "certificate_wrong_purpose"),
        (34, "certificate_critical_extension"),
        (62, "hostname_mismatch"),
        (66, "certificate_weak"),
        (999, "certificate_unknown_issuer"),
    ],
)
def test_what_openssl_found_alone_is_believed(number, code):
    assert diagnose(LEAF, MIDDLE, code=number).code == code


def test_openssl_does_not_say_again_that_nothing_vouches():
    assert diagnose(LEAF, code=20).also == []


def test_every_code_of_the_diagnosis_is_in_the_catalogue():
    for code in trust.ORDER:
        stage = StageName.HOSTNAME if code == "hostname_mismatch" else StageName.TRUST
        assert (stage, code) in CATALOGUE


def test_a_chain_of_namesakes_costs_a_bounded_number_of_signatures(monkeypatch):
    checked = []
    monkeypatch.setattr(paths, "issued", lambda child, parent: checked.append(child))
    other = Made("Same", ca=True)
    links, _ = paths.read_chain([Made("Same", other, ca=True).der for _ in range(40)])
    assert len(paths.build_path(links * 10, [])) == 1
    assert len(checked) <= paths.MAX_CHECKS


def test_what_openssl_verified_is_not_verified_again(monkeypatch):
    monkeypatch.setattr(paths, "issued", lambda *_: pytest.fail("a signature was verified again"))
    verified = [LEAF.der, MIDDLE.der, ROOT.der]
    assert trust.complete_to_root([LEAF.der, MIDDLE.der], TRUSTED, verified)
    assert trust.warnings_of([LEAF.der, MIDDLE.der], verified, NOW, verified) == {}


def test_a_namesake_of_what_openssl_verified_is_verified():
    namesake = Made("Middle", ROOT, ca=True)
    links, _ = paths.read_chain([LEAF.der, namesake.der])
    assert paths.build_path(links, [], [LEAF.der, MIDDLE.der, ROOT.der]) == links[:1]


def test_a_voucher_is_the_pin_of_the_leaf_or_an_anchor_of_the_chain():
    verified = [LEAF.der, MIDDLE.der, ROOT.der]
    assert trust.voucher_of(verified, anchored(pins=(LEAF.der,))).kind == "pin"
    assert trust.voucher_of(verified, anchored(MIDDLE.der)).kind == "anchor"
    assert trust.voucher_of(verified, anchored(pins=(MIDDLE.der, ROOT.der))) is None
    assert trust.voucher_of(verified, TrustSet()) is None
    assert trust.voucher_of([], anchored(ROOT.der)) is None


@pytest.mark.parametrize(
    ("pattern", "host", "fits"),
    [
        ("mail.test", "mail.test", True),
        ("MAIL.test", "mail.TEST", True),
        ("*.mail.test", "a.mail.test", True),
        ("*.mail.test", "mail.test", False),
        ("*.mail.test", "a.b.mail.test", False),
        ("*.test", "mail.test", False),
        ("*", "test", False),
        ("m*.mail.test", "mx.mail.test", False),
        ("a.*.test", "a.b.test", False),
        ("*.mail.test", ".mail.test", False),
    ],
)
def test_a_name_covers_a_host(pattern, host, fits):
    assert matches(pattern, host) is fits
