"""Certification paths: who signed whom among certificates that a stranger chose (RFC 5280 section 6.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from cryptography import x509

from steng.probe.names import names_host
from steng.x509 import CertificateFacts, UnreadableCertificate, facts_of, issued_by, load, title

_KEPT = 512
_KEPT_SIZE = 4_096
"""Certificates that are kept read, and their size: authorities come again with every server, giants do not."""

_KEPT_GIANTS = 64
"""Larger ones are kept too, but a few: one probe asks for each several times. OpenSSL takes 100 kB per chain."""

MAX_CHECKS = 60
"""Signatures that are verified for one path: a hundred certificates of one name would make ten thousand."""


@dataclass(frozen=True, slots=True)
class Link:
    """One certificate of a chain, read."""

    certificate: x509.Certificate
    facts: CertificateFacts

    @property
    def der(self) -> bytes:
        """Return its bytes."""
        return self.facts.der

    @property
    def fingerprint(self) -> str:
        """Return its SHA-256 fingerprint."""
        return self.facts.fingerprint

    @property
    def title(self) -> str:
        """Return what people call it."""
        return title(self.facts)

    def names_host(self, host: str) -> bool:
        """Tell whether it is made for `host`."""
        return names_host(self.certificate, host)


def read_chain(chain: Sequence[bytes]) -> tuple[list[Link], str]:
    """Return the certificates that can be read, in their order, and what is wrong with the first that cannot."""
    links: list[Link] = []
    unreadable = ""
    for der in chain:
        try:
            links.append(read(der))
        except UnreadableCertificate as error:
            unreadable = unreadable or str(error) or "not a certificate"
    return links, unreadable


def read(der: bytes) -> Link:
    """Return one certificate, read; raises UnreadableCertificate."""
    return _read(der) if len(der) <= _KEPT_SIZE else _read_giant(der)


def issued(child: Link, parent: Link) -> bool:
    """Tell whether `parent` is named by `child` as its issuer and made its signature."""
    if len(child.der) <= _KEPT_SIZE and len(parent.der) <= _KEPT_SIZE:
        return _issued(child.der, parent.der)
    return _issued_giant(child.der, parent.der)


@lru_cache(maxsize=_KEPT)
def _read(der: bytes) -> Link:
    certificate = load(der)
    return Link(certificate, facts_of(certificate, der))


@lru_cache(maxsize=_KEPT_GIANTS)
def _read_giant(der: bytes) -> Link:
    return _read.__wrapped__(der)


@lru_cache(maxsize=_KEPT_GIANTS)
def _issued_giant(child: bytes, parent: bytes) -> bool:
    return issued_by(child, parent)


@lru_cache(maxsize=_KEPT)
def _issued(child: bytes, parent: bytes) -> bool:
    return issued_by(child, parent)


def build_path(links: Sequence[Link], others: Sequence[Link], checked: Sequence[bytes] = ()) -> list[Link]:
    """Return the path from the first of `links` upwards, as far as an issuer is found.

    The order in which a server sends its chain does not count. `others` (what is trusted
    here) come first where both hold an issuer, because that is where a path may end.
    `checked` is what OpenSSL verified in a handshake that passed, leaf first: its signatures need no
    second check. The chain of a handshake that failed may hold signatures that nobody looked at.
    """
    path = [links[0]]
    pairs = set(pairwise(checked))
    checks = MAX_CHECKS
    while not path[-1].facts.self_signed:
        child = path[-1].certificate
        candidates = [link for link in (*others, *links) if link.certificate.subject == child.issuer]
        for candidate in candidates:
            checks -= 1
            if candidate in path or checks < 0:
                continue
            if (path[-1].der, candidate.der) in pairs or issued(path[-1], candidate):
                path.append(candidate)
                break
        else:
            break
    return path
