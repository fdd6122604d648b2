"""What a server of the table presents, by name: a certificate, how it shakes hands, and what the client trusts."""

import ssl
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from steng.wire import TrustSet
from steng.x509 import fingerprint_of
from tests.lab.asking import anchored, der_of
from tests.lab.pki import Authority, Issued, KeyType, Pki, Purpose

_SOON = timedelta(days=10)
_UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
_GARBAGE = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\x05\x00")
_ELSEWHERE = x509.NameConstraints([x509.DNSName("elsewhere.example")], None)

Tune = Callable[[ssl.SSLContext], None]


@dataclass(frozen=True, slots=True)
class Presented:
    """A certificate and whom the client trusts; `tune` changes how the server shakes hands."""

    issued: Issued
    trust: TrustSet
    tune: Tune = field(default=lambda _: None)

    def context(self) -> ssl.SSLContext:
        """Return a server's context that minds no weakness: the client has to."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        self.issued._load_into(context)
        self.tune(context)
        return context


@cache
def pki() -> Pki:
    """Return the authorities of this process."""
    return Pki()


@cache
def presented(name: str) -> tuple[ssl.SSLContext, TrustSet]:
    """Return context and trust by the name of what is presented."""
    found = _PRESENTED[name](pki())
    return found.context(), found.trust


def _by_root(made: Callable[[Pki], Issued], tune: Tune | None = None) -> Callable[[Pki], Presented]:
    """Present what `made` returns to a client that trusts the root."""
    if tune is None:
        return lambda own: Presented(made(own), anchored(der_of(own.root)))
    return lambda own: Presented(made(own), anchored(der_of(own.root)), tune)


def _signed_by_a_leaf(own: Pki) -> Issued:
    leaf = own.leaf("not-a-ca.test")
    return Authority(leaf.certificate, leaf.key, leaf.chain).issue()


def _muddled(own: Pki) -> Issued:
    issued = own.root.intermediate("First", path_length=1).intermediate("Second").issue()
    return Issued(issued.certificate, issued.key, tuple(reversed(issued.issuers)))


def _endless(own: Pki) -> Issued:
    leaf = own.leaf()
    return Issued(leaf.certificate, leaf.key, leaf.issuers * 101)


def _rejected(own: Pki) -> Presented:
    leaf = own.leaf()
    return Presented(leaf, anchored(der_of(own.root), rejected=(fingerprint_of(leaf.der),)))


def _old_versions(context: ssl.SSLContext) -> None:
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1


def _old_suites(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ADH-AES128-SHA:@SECLEVEL=0")


def _asks_for_a_certificate(version: ssl.TLSVersion) -> Tune:
    def tune(context: ssl.SSLContext) -> None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=der_of(pki().root))
        context.minimum_version = context.maximum_version = version

    return tune


_PRESENTED: dict[str, Callable[[Pki], Presented]] = {
    "good": _by_root(lambda own: own.leaf()),
    "nobody trusted": lambda own: Presented(own.leaf(), TrustSet()),
    "unknown root": _by_root(lambda own: own.unknown()),
    "self-signed": _by_root(lambda own: own.self_signed()),
    "self-signed CA": _by_root(lambda own: own.self_signed(ca=True)),
    "without intermediate": _by_root(lambda own: own.without_intermediate()),
    "expired": _by_root(lambda own: own.expired()),
    "expired intermediate": _by_root(lambda own: own.behind_expired_intermediate()),
    "not yet valid": _by_root(lambda own: own.not_yet_valid()),
    "for clients": _by_root(lambda own: own.leaf(purpose=Purpose.CLIENT)),
    "for mail": _by_root(lambda own: own.leaf(purpose=Purpose.EMAIL)),
    "weak key": _by_root(lambda own: own.leaf(key_type=KeyType.RSA_1024)),
    "signed by a leaf": _by_root(_signed_by_a_leaf),
    "path too long": _by_root(lambda own: own.root.intermediate("One", path_length=0).intermediate("Two").issue()),
    "constrained": _by_root(lambda own: own.root.intermediate("Limited", extra=[(_ELSEWHERE, True)]).issue()),
    "critical extension": _by_root(lambda own: own.root.issue(extra=[(_UNKNOWN, True)])),
    "malformed": _by_root(lambda own: own.root.intermediate("Broken", extra=[(_GARBAGE, False)]).issue()),
    "chain of 102": _by_root(_endless),
    "rejected": _rejected,
    "another than the pinned": lambda own: Presented(own.leaf(), anchored(pins=(own.leaf().der,))),
    "expired and wrong": _by_root(lambda own: own.expired("elsewhere.example")),
    "wrong host": _by_root(lambda own: own.wrong_host()),
    "soon expired": _by_root(lambda own: own.leaf(not_after=datetime.now(UTC) + _SOON)),
    "wrong order": _by_root(_muddled),
    "old versions": _by_root(lambda own: own.leaf(), _old_versions),
    "old suites": _by_root(lambda own: own.leaf(), _old_suites),
    "asks, TLS 1.2": _by_root(lambda own: own.leaf(), _asks_for_a_certificate(ssl.TLSVersion.TLSv1_2)),
    "asks, TLS 1.3": _by_root(lambda own: own.leaf(), _asks_for_a_certificate(ssl.TLSVersion.TLSv1_3)),
}
