"""The single faults a path can have, whoever vouches for it: pure functions (RFC 5280 sections 4.2, 6.1)."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from steng.probe.names import addresses_of, common_names_of, names_of
from steng.probe.path import Link

Kind = TypeVar("Kind", bound=x509.ExtensionType)

_WEAK_HASHES = frozenset({"md5", "sha1"})
_MIN_RSA = 2048
_MIN_EC = 224


def of_path(path: Sequence[Link], now: datetime, anchors: Collection[bytes]) -> dict[str, str]:
    """Return code and sentence of every fault of a path, leaf first."""
    found: dict[str, str] = {}
    for depth, link in enumerate(path):
        for code, text in _of_link(link, depth, path, now):
            found.setdefault(code, text)
        weak = weakness(link.certificate, signed=link.der not in anchors)
        if weak:
            found.setdefault("certificate_weak", f"{link.title}: {weak}.")
    return found


def weakness(certificate: x509.Certificate, *, signed: bool) -> str | None:
    """Return why key or signature are too weak, None where they are not.

    `signed` is False for an anchor: it is trusted for itself, whatever hash its issuer used.
    A root's own signature proves nothing, so it may be weak.
    """
    try:
        key = certificate.public_key()
        digest = certificate.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return "its key or signature is of an unknown kind"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _MIN_RSA:
        return f"its RSA key has only {key.key_size} bits"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size < _MIN_EC:
        return f"its key is on the weak curve {key.curve.name}"
    if isinstance(key, dsa.DSAPublicKey):
        return "it has a DSA key"
    if signed and digest is not None and digest.name in _WEAK_HASHES and certificate.issuer != certificate.subject:
        return f"it is signed with {digest.name.upper()}"
    return None


def day(moment: datetime) -> str:
    """Return a date as people read it, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _of_link(link: Link, depth: int, path: Sequence[Link], now: datetime) -> list[tuple[str, str]]:
    found = []
    if depth:
        found += _of_issuer(link, depth, path)
    elif not _is_for_servers(link.certificate):
        found.append(("certificate_wrong_purpose", f"{link.title} is not meant for servers."))
    unknown = [
        extension.oid.dotted_string
        for extension in link.certificate.extensions
        if extension.critical and isinstance(extension.value, x509.UnrecognizedExtension)
    ]
    if unknown:
        text = f"{link.title} holds the critical extension {unknown[0]}, which this STENG does not know."
        found.append(("certificate_critical_extension", text))
    if link.facts.not_after < now:
        found.append(("certificate_expired", f"{link.title} expired on {day(link.facts.not_after)}."))
    if link.facts.not_before > now:
        text = f"{link.title} is valid only from {day(link.facts.not_before)} on; it is {day(now)} on this STENG."
        found.append(("certificate_not_yet_valid", text))
    return found


def _of_issuer(link: Link, depth: int, path: Sequence[Link]) -> list[tuple[str, str]]:
    found = []
    usage = _extension(link.certificate, x509.KeyUsage)
    if not link.facts.is_ca or (usage is not None and not usage.key_cert_sign):
        text = f"{link.title} signs {path[depth - 1].title} without being an authority."
        found.append(("certificate_not_a_ca", text))
    limits = _extension(link.certificate, x509.BasicConstraints)
    # Certificates that an authority gives to itself do not count (RFC 5280 section 4.2.1.9), nor does the leaf.
    below = sum(1 for other in path[1:depth] if other.certificate.issuer != other.certificate.subject)
    if limits is not None and limits.path_length is not None and below > limits.path_length:
        text = f"{link.title} allows {limits.path_length} authorities below it; there are {below}."
        found.append(("certificate_path_length", text))
    names = _extension(link.certificate, x509.NameConstraints)
    if names is not None and not _permits(names, path[0].certificate):
        found.append(("certificate_name_constraint", f"{link.title} may not issue certificates for this name."))
    return found


def _is_for_servers(certificate: x509.Certificate) -> bool:
    purposes = _extension(certificate, x509.ExtendedKeyUsage)
    if purposes is not None and ExtendedKeyUsageOID.SERVER_AUTH not in purposes:
        return False
    usage = _extension(certificate, x509.KeyUsage)
    return usage is None or usage.digital_signature or usage.key_encipherment or usage.key_agreement


def _permits(limits: x509.NameConstraints, leaf: x509.Certificate) -> bool:
    names = names_of(leaf) or common_names_of(leaf)
    for subtrees, wanted in ((limits.excluded_subtrees, False), (limits.permitted_subtrees, True)):
        domains = [tree.value for tree in subtrees or () if isinstance(tree, x509.DNSName)]
        networks = [tree.value for tree in subtrees or () if isinstance(tree, x509.IPAddress)]
        # A kind of name that no subtree speaks of is not limited (RFC 5280 section 4.2.1.10).
        if domains and any(_within(name, domains) is not wanted for name in names):
            return False
        if networks and any(_inside(address, networks) is not wanted for address in addresses_of(leaf)):
            return False
    return True


def _within(name: str, domains: Sequence[str]) -> bool:
    name = name.lower()
    bases = [domain.lower().removeprefix(".") for domain in domains]
    return any(not base or name == base or name.endswith(f".{base}") for base in bases)


def _inside(address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: Sequence[object]) -> bool:
    return any(
        address in network for network in networks if isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network)
    )


def _extension(certificate: x509.Certificate, kind: type[Kind]) -> Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
