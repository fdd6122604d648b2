"""Certificates as facts: pure functions over DER bytes (RFC 5280), shared by agent and console.

Nothing here decides on trust. Everything that comes out as text was cleaned, because the
one who made the certificate chose it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from steng.text import visible

MAX_INPUT = 1024 * 1024
"""Bytes that `read_certificates` looks at: a file of two hundred certificates has less than half of it."""

_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the parser raises for a certificate that is not one."""

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_BLANKS = re.compile(rb"\s+")
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_HASHES = {"sha1": "SHA-1", "md5": "MD5", "sha224": "SHA-224", "sha256": "SHA-256", "sha384": "SHA-384"}
_HASHES |= {"sha512": "SHA-512", "sha3-256": "SHA3-256", "sha3-384": "SHA3-384", "sha3-512": "SHA3-512"}
_MAX_RSA = 8192
_MAX_EXPONENT = 32
"""Bits of an RSA key with which signatures are verified here: the one who made it chose what that costs."""

_OLD_HASHES = frozenset({"sha1", "md5"})
_FAMILIES = (
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
    ("1.2.840.113549.1.1.", "RSA"),
    ("2.16.840.1.101.3.4.3.13", "RSA"),
    ("2.16.840.1.101.3.4.3.14", "RSA"),
    ("2.16.840.1.101.3.4.3.15", "RSA"),
    ("2.16.840.1.101.3.4.3.16", "RSA"),
    ("2.16.840.1.101.3.4.3.9", "ECDSA"),
    ("2.16.840.1.101.3.4.3.10", "ECDSA"),
    ("2.16.840.1.101.3.4.3.11", "ECDSA"),
    ("2.16.840.1.101.3.4.3.12", "ECDSA"),
    ("1.2.840.10045.4.", "ECDSA"),
)
"""Beginnings of signature algorithms' object identifiers (RFC 8017, RFC 5758, and NIST's for SHA-3)."""

_WITHOUT_HASH = {SignatureAlgorithmOID.ED25519: "Ed25519", SignatureAlgorithmOID.ED448: "Ed448"}


class UnreadableCertificate(ValueError):
    """The bytes are not a certificate, or not one that can be read."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says of itself; all text is cleaned, all times are UTC."""

    der: bytes
    fingerprint: str
    subject: str
    issuer: str
    common_name: str
    serial: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key: str
    signature: str
    is_ca: bool
    self_signed: bool


def describe(der: bytes) -> CertificateFacts:
    """Return the facts of one DER certificate; raise UnreadableCertificate."""
    return facts_of(load(der), der)


def facts_of(certificate: x509.Certificate, der: bytes) -> CertificateFacts:
    """Return the facts of a certificate that was parsed from `der`; raise UnreadableCertificate."""
    try:
        return CertificateFacts(
            der=der,
            fingerprint=fingerprint_of(der),
            subject=visible(certificate.subject.rfc4514_string()),
            issuer=visible(certificate.issuer.rfc4514_string()),
            common_name=_common_name(certificate),
            serial=f"{certificate.serial_number:x}",
            names=_names(certificate),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            key=_key(certificate),
            signature=_signature(certificate),
            is_ca=_is_ca(certificate),
            self_signed=certificate.issuer == certificate.subject and _signed_by(certificate, certificate),
        )
    except _UNREADABLE as error:
        raise UnreadableCertificate(visible(str(error), 200)) from error


def load(der: bytes) -> x509.Certificate:
    """Return the parsed certificate; raise UnreadableCertificate."""
    try:
        return x509.load_der_x509_certificate(der)
    except _UNREADABLE as error:
        raise UnreadableCertificate(visible(str(error), 200)) from error


def fingerprint_of(der: bytes) -> str:
    """Return the SHA-256 fingerprint as lower-case hex."""
    return hashlib.sha256(der).hexdigest()


def parse_fingerprint(text: str) -> str | None:
    """Return a typed SHA-256 fingerprint in its stored form, None if it is none; case, blanks, colons do not count."""
    bare = "".join(text.split()).replace(":", "").lower()
    return bare if _FINGERPRINT.fullmatch(bare) else None


def title(facts: CertificateFacts) -> str:
    """Return what people call the certificate: its common name, else its first name, else its whole subject."""
    return facts.common_name or next(iter(facts.names), "") or facts.subject or facts.fingerprint[:16]


def read_certificates(data: bytes) -> tuple[bytes, ...]:
    """Return the DER certificates in a PEM, DER or PKCS#7 file (or its bare base64), each once, in their order.

    Raises UnreadableCertificate where there is none, or where one of them cannot be read:
    half an authority imported without a word would be found out much later.
    """
    if len(data) > MAX_INPUT:
        raise UnreadableCertificate(f"more than {MAX_INPUT} bytes")
    try:
        found = _read_pem(data) if b"-----BEGIN " in data else _read_der(data)
    except _UNREADABLE as error:
        raise UnreadableCertificate(visible(str(error), 200)) from error
    return tuple(dict.fromkeys(describe(der).der for der in found))


def issued_by(child: bytes, parent: bytes) -> bool:
    """Tell whether `parent` is named as issuer by `child` and made its signature (RFC 5280 section 6.1.3)."""
    try:
        return _signed_by(load(child), load(parent))
    except UnreadableCertificate:
        return False


def _read_pem(data: bytes) -> list[bytes]:
    found: list[x509.Certificate] = []
    if b"-----BEGIN PKCS7-----" in data:
        found += _from_bag(pkcs7.load_pem_pkcs7_certificates, data)
    if b"-----BEGIN CERTIFICATE-----" in data or not found:
        found += x509.load_pem_x509_certificates(data)
    return [_encoded(certificate) for certificate in found]


def _read_der(data: bytes) -> list[bytes]:
    bare = _BLANKS.sub(b"", data)
    if data[:1] != b"\x30":
        try:
            data = base64.b64decode(bare, validate=True)
        except binascii.Error:
            raise UnreadableCertificate("neither PEM nor DER") from None
    try:
        return [_encoded(x509.load_der_x509_certificate(data))]
    except _UNREADABLE:
        # Not a certificate, perhaps a bag of them (RFC 5652 section 5.1); its own error is the one worth showing.
        found = _from_bag(pkcs7.load_der_pkcs7_certificates, data)
    if not found:
        raise UnreadableCertificate("no certificate inside")
    return [_encoded(certificate) for certificate in found]


def _from_bag(load_bag: Callable[[bytes], list[x509.Certificate]], data: bytes) -> list[x509.Certificate]:
    with warnings.catch_warnings():
        # OpenSSL writes the certificates in the order given, DER wants a SET sorted: it is read as BER, with a warning.
        warnings.simplefilter("ignore", UserWarning)
        return load_bag(data)


def _encoded(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _common_name(certificate: x509.Certificate) -> str:
    values = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return visible(_text(values[-1].value)) if values else ""


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return tuple(visible(name) for name in names.get_values_for_type(x509.DNSName) + addresses)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _key(certificate: x509.Certificate) -> str:
    try:
        key = certificate.public_key()
    except _UNREADABLE:
        return f"unknown ({certificate.public_key_algorithm_oid.dotted_string})"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {_CURVES.get(key.curve.name, key.curve.name)}"
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey):
        return f"{'RSA' if isinstance(key, rsa.RSAPublicKey) else 'DSA'} {key.key_size}"
    return type(key).__name__.removesuffix("PublicKey")


def _signature(certificate: x509.Certificate) -> str:
    oid = certificate.signature_algorithm_oid
    try:
        digest = certificate.signature_hash_algorithm
    except _UNREADABLE:
        return f"unknown ({oid.dotted_string})"
    if digest is None:
        return _WITHOUT_HASH.get(oid, f"unknown ({oid.dotted_string})")
    kind = next((name for prefix, name in _FAMILIES if oid.dotted_string.startswith(prefix)), "DSA")
    return f"{_HASHES.get(digest.name, digest.name.upper())} with {kind}"


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _signed_by(child: x509.Certificate, parent: x509.Certificate) -> bool:
    try:
        if child.issuer != parent.subject:
            return False
        digest = child.signature_hash_algorithm
        key = parent.public_key()
        if not _is_cheap(key):
            return False
        if digest is None or digest.name not in _OLD_HASHES:
            child.verify_directly_issued_by(parent)
        else:
            _verify_old(child, key, digest)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


def _is_cheap(key: object) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size <= _MAX_RSA and key.public_numbers().e.bit_length() <= _MAX_EXPONENT
    return isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)


def _verify_old(child: x509.Certificate, key: object, digest: hashes.HashAlgorithm) -> None:
    # The library refuses to check these for certificates. Who signed is a fact all the same: that nobody should
    # rely on it is for those to say who decide on trust.
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(child.signature, child.tbs_certificate_bytes, padding.PKCS1v15(), digest)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(child.signature, child.tbs_certificate_bytes, ec.ECDSA(digest))
    else:
        raise UnsupportedAlgorithm("neither RSA nor EC")
