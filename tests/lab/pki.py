"""A public key infrastructure made at run time: root, intermediate, leaf, and every way in which a leaf can be wrong.

Nothing here is stored in the repository, so nothing here can expire in it. Elliptic curve keys are the default because
a whole infrastructure then costs milliseconds; RSA is there for the tests that look at key types.
"""

import ipaddress
import os
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | dsa.DSAPrivateKey
Extension = tuple[x509.ExtensionType, bool]

LOCAL_NAMES = ("localhost", "mail.lab.test", "127.0.0.1", "::1")
DAY = timedelta(days=1)


class KeyType(Enum):
    """Name the kinds of key a certificate can be made with."""

    EC_P256 = "ec-p256"
    RSA_2048 = "rsa-2048"
    RSA_1024 = "rsa-1024"  # below what OpenSSL accepts at its default security level
    DSA_2048 = "dsa-2048"  # takes a second to make


class Purpose(Enum):
    """Name what the extended key usage of a leaf allows (RFC 5280, 4.2.1.12); the value is its list of OIDs."""

    SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)
    CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)
    SERVER_AND_CLIENT = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    EMAIL = (ExtendedKeyUsageOID.EMAIL_PROTECTION,)
    UNRESTRICTED = ()  # no extension at all


@dataclass(frozen=True, slots=True)
class Files:
    """Name the files that `Issued.write` made."""

    certificate: Path  # the leaf alone
    chain: Path  # the leaf and what a server sends after it
    key: Path
    combined: Path  # key first, then the chain: the order Postfix wants


@dataclass(frozen=True, slots=True)
class Issued:
    """Hold a certificate, its private key and the intermediates that belong behind it (never the root)."""

    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)
    issuers: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        """Return the certificate alone, as PEM."""
        return pem_of(self.certificate)

    @property
    def der(self) -> bytes:
        """Return the certificate alone, as DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def chain_pem(self) -> bytes:
        """Return the certificate and its intermediates as PEM, leaf first."""
        return b"".join(pem_of(certificate) for certificate in self.chain)

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """Return the certificates as a server presents them, leaf first, root left out."""
        return (self.certificate, *self.issuers)

    @property
    def key_pem(self) -> bytes:
        """Return the private key as unencrypted PKCS#8 PEM."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 fingerprint of the certificate as 64 lower-case hexadecimal digits."""
        return fingerprint_of(self.certificate)

    def write(self, folder: Path, name: str = "server") -> Files:
        """Write certificate, chain and key into `folder`; what holds the key has mode 0600 from its first byte."""
        folder.mkdir(parents=True, exist_ok=True)
        files = Files(
            certificate=folder / f"{name}.pem",
            chain=folder / f"{name}-chain.pem",
            key=folder / f"{name}-key.pem",
            combined=folder / f"{name}-combined.pem",
        )
        files.certificate.write_bytes(self.pem)
        files.chain.write_bytes(self.chain_pem)
        write_private(files.key, self.key_pem)
        write_private(files.combined, self.key_pem + self.chain_pem)
        return files

    def server_context(self) -> ssl.SSLContext:
        """Return a context for a TLS server that presents this chain."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._load_into(context)
        return context

    def client_context(self, *anchors: x509.Certificate) -> ssl.SSLContext:
        """Return a context for a TLS client that holds this certificate and trusts `anchors` alone."""
        context = client_context(*anchors)
        self._load_into(context)
        return context

    def _load_into(self, context: ssl.SSLContext) -> None:
        # load_cert_chain() takes file names only, so the key has to touch the disk for a moment.
        with tempfile.TemporaryDirectory(prefix="postern-pki-") as folder:
            context.load_cert_chain(self.write(Path(folder)).combined)


@dataclass(frozen=True, slots=True)
class Authority:
    """Hold a certificate authority and issue from it."""

    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)
    issuers: tuple[x509.Certificate, ...] = ()  # what a server has to send so that a client reaches the root

    @classmethod
    def root(
        cls, name: str = "Lab Root CA", *, path_length: int | None = None, key_type: KeyType = KeyType.EC_P256
    ) -> "Authority":
        """Make a self-signed root."""
        key = _new_key(key_type)
        certificate = _sign(
            subject=_name(name),
            public_of=key,
            issuer=None,
            signing_key=key,
            window=(None, None),
            extensions=_ca_extensions(path_length),
        )
        return cls(certificate, key)

    def intermediate(
        self,
        name: str = "Lab Intermediate CA",
        *,
        path_length: int | None = 0,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        extra: Iterable[Extension] = (),
    ) -> "Authority":
        """Make an authority below this one; its issues carry it in their chain."""
        key = _new_key(KeyType.EC_P256)
        certificate = _sign(
            subject=_name(name),
            public_of=key,
            issuer=self.certificate,
            signing_key=self.key,
            window=(not_before, not_after),
            extensions=[*_ca_extensions(path_length), *extra],
        )
        return Authority(certificate, key, (certificate, *self.issuers))

    def issue(
        self,
        *names: str,
        cn: str | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        purpose: Purpose = Purpose.SERVER,
        key_type: KeyType = KeyType.EC_P256,
        extra: Iterable[Extension] = (),
    ) -> Issued:
        """Issue a leaf for `names` (DNS names, wildcards and IP addresses; default `LOCAL_NAMES`).

        `cn` defaults to the first name. `issue(cn="x")` alone makes a leaf without any subject alternative name.
        `extra` are extensions with whether they are critical.
        """
        names, cn = _names_and_cn(names, cn)
        key = _new_key(key_type)
        certificate = _sign(
            subject=_name(cn),
            public_of=key,
            issuer=self.certificate,
            signing_key=self.key,
            window=(not_before, not_after),
            extensions=[*_leaf_extensions(names, purpose), *extra],
        )
        return Issued(certificate, key, self.issuers)

    @property
    def pem(self) -> bytes:
        """Return the certificate of this authority as PEM."""
        return pem_of(self.certificate)


class Pki:
    """Hold one root with one intermediate, a second root that nobody trusts, and name the usual bad leaves."""

    def __init__(self) -> None:
        """Make both authorities; costs a few milliseconds."""
        self.root = Authority.root()
        self.intermediate = self.root.intermediate()
        self.unknown_root = Authority.root("Unknown Root CA")
        self.unknown_intermediate = self.unknown_root.intermediate("Unknown Intermediate CA")

    def leaf(
        self,
        *names: str,
        cn: str | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        purpose: Purpose = Purpose.SERVER,
        key_type: KeyType = KeyType.EC_P256,
    ) -> Issued:
        """Issue from the intermediate; see `Authority.issue`."""
        return self.intermediate.issue(
            *names, cn=cn, not_before=not_before, not_after=not_after, purpose=purpose, key_type=key_type
        )

    def expired(self, *names: str) -> Issued:
        """Issue a leaf whose validity ended yesterday."""
        return self.leaf(*names, not_before=_now() - 30 * DAY, not_after=_now() - DAY)

    def not_yet_valid(self, *names: str) -> Issued:
        """Issue a leaf whose validity begins tomorrow."""
        return self.leaf(*names, not_before=_now() + DAY, not_after=_now() + 30 * DAY)

    def wrong_host(self) -> Issued:
        """Issue a leaf for a name that no server of the lab has."""
        return self.leaf("elsewhere.example")

    def unknown(self, *names: str) -> Issued:
        """Issue a flawless leaf from the authority that nobody trusts."""
        return self.unknown_intermediate.issue(*names)

    def without_intermediate(self, *names: str) -> Issued:
        """Issue a leaf whose server forgets to send the intermediate."""
        leaf = self.leaf(*names)
        return Issued(leaf.certificate, leaf.key)

    def behind_expired_intermediate(self, *names: str) -> Issued:
        """Issue a valid leaf below an intermediate whose validity ended yesterday."""
        stale = self.root.intermediate("Expired Intermediate CA", not_before=_now() - 30 * DAY, not_after=_now() - DAY)
        return stale.issue(*names)

    def self_signed(
        self,
        *names: str,
        cn: str | None = None,
        ca: bool = False,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        key_type: KeyType = KeyType.EC_P256,
    ) -> Issued:
        """Make a certificate that signed itself; with `ca` it is CA:TRUE as well, as `openssl req -x509` makes them."""
        names, cn = _names_and_cn(names, cn)
        key = _new_key(key_type)
        certificate = _sign(
            subject=_name(cn),
            public_of=key,
            issuer=None,
            signing_key=key,
            window=(not_before, not_after),
            extensions=_self_signed_ca_extensions(names) if ca else _leaf_extensions(names, Purpose.SERVER),
        )
        return Issued(certificate, key)

    def client_context(self) -> ssl.SSLContext:
        """Return a context for a TLS client that trusts the root of this PKI and nothing else."""
        return client_context(self.root.certificate)


def client_context(*anchors: x509.Certificate) -> ssl.SSLContext:
    """Return a verifying context for a TLS client that trusts `anchors` alone; none at all trusts nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if anchors:
        context.load_verify_locations(cadata=b"".join(pem_of(anchor) for anchor in anchors).decode("ascii"))
    return context


def fingerprint_of(certificate: x509.Certificate) -> str:
    """Return a SHA-256 fingerprint as 64 lower-case hexadecimal digits."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def pem_of(certificate: x509.Certificate) -> bytes:
    """Return one certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, and that only its owner could ever read."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    unfinished.replace(path)


def _now() -> datetime:
    return datetime.now(UTC)


def _name(cn: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])


def _names_and_cn(names: tuple[str, ...], cn: str | None) -> tuple[tuple[str, ...], str]:
    if not names and cn is None:
        names = LOCAL_NAMES
    return names, names[0] if cn is None else cn


def _new_key(key_type: KeyType) -> PrivateKey:
    if key_type is KeyType.EC_P256:
        return ec.generate_private_key(ec.SECP256R1())
    if key_type is KeyType.DSA_2048:
        return dsa.generate_private_key(key_size=2048)
    return rsa.generate_private_key(public_exponent=65537, key_size=2048 if key_type is KeyType.RSA_2048 else 1024)


def _alternative_names(names: Iterable[str]) -> x509.SubjectAlternativeName:
    entries: list[x509.GeneralName] = []
    for name in names:
        try:
            entries.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            entries.append(x509.DNSName(name))
    return x509.SubjectAlternativeName(entries)


def _key_usage(*, signs_certificates: bool, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=signs,  # RSA key exchange of TLS 1.2; harmless with an EC key
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _ca_extensions(path_length: int | None) -> list[tuple[x509.ExtensionType, bool]]:
    return [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (_key_usage(signs_certificates=True, signs=False), True),
    ]


def _leaf_extensions(names: tuple[str, ...], purpose: Purpose) -> list[tuple[x509.ExtensionType, bool]]:
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(signs_certificates=False, signs=True), True),
    ]
    if names:
        extensions.append((_alternative_names(names), False))
    if purpose is not Purpose.UNRESTRICTED:
        extensions.append((x509.ExtendedKeyUsage(purpose.value), False))
    return extensions


def _self_signed_ca_extensions(names: tuple[str, ...]) -> list[tuple[x509.ExtensionType, bool]]:
    # No key usage: with keyCertSign alone OpenSSL would refuse it as a server certificate for its purpose,
    # and the test would prove the wrong refusal.
    extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(ca=True, path_length=None), True)]
    if names:
        extensions.append((_alternative_names(names), False))
    return extensions


def _sign(
    *,
    subject: x509.Name,
    public_of: PrivateKey,
    issuer: x509.Certificate | None,
    signing_key: PrivateKey,
    window: tuple[datetime | None, datetime | None],
    extensions: list[tuple[x509.ExtensionType, bool]],
) -> x509.Certificate:
    # Valid since yesterday, so that a clock a little behind ours does not refuse what was made a moment ago.
    not_before, not_after = window[0] or _now() - DAY, window[1] or _now() + 90 * DAY
    public_key = public_of.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signing_key, hashes.SHA256())
