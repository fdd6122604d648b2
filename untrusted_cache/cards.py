"""What the page draws: a presented chain from its root to its leaf, and what can be decided about each part."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from steng import codes
from steng.wire import StageName
from untrusted_cache import selectors
from untrusted_cache.choices import Kind, Role, Status
from untrusted_cache.models import EXPIRES_SOON, CachedCertificate, CertificateFacts, Chain, TrustEntry
from untrusted_cache.validators import read_fingerprint

_ADVISED_HERE = frozenset({"certificate_self_signed", "certificate_unknown_issuer"})
"""Codes whose advice is to come to this very page."""


@dataclass(frozen=True, slots=True)
class Validity:
    """How a certificate stands in time: `state` is ok, warning or failed, `words` says it."""

    state: str
    words: str


@dataclass(frozen=True, slots=True)
class Node:
    """One certificate of a drawn chain; `kind` is how it could be trusted here, empty where it could not."""

    certificate: CachedCertificate
    role: Role
    validity: Validity
    entries: Sequence[TrustEntry]
    kind: str

    @property
    def state(self) -> str:
        """Return the name of its state class."""
        if self.certificate.rejected_at is not None:
            return "failed"
        return "ok" if self.entries else ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of a pasted fingerprint: `state` is ok or failed."""

    typed: str
    state: str
    words: str


@dataclass(frozen=True, slots=True)
class Card:
    """One presented chain: `nodes` from root to leaf, `missing` names the issuer that the server did not send."""

    chain: Chain
    status: str
    nodes: Sequence[Node]
    missing: str
    above: Sequence[TrustEntry]
    label: str
    sentence: str
    advice: str
    comparison: Comparison | None

    @property
    def leaf(self) -> Node:
        """Return the server's own certificate."""
        return self.nodes[-1]


def cards(chains: Iterable[Chain], now: dt.datetime, typed: str = "") -> list[Card]:
    """Return the cards of chains that come from `selectors.with_members`; `typed` is compared with the first."""
    found = list(chains)
    fingerprints = {link.certificate.fingerprint for chain in found for link in chain.links.all()}
    entries = selectors.entries_of(fingerprints, now)
    return [_card(chain, entries, now, typed if place == 0 else "") for place, chain in enumerate(found)]


def validity(certificate: CertificateFacts, now: dt.datetime) -> Validity:
    """Return how a certificate stands in time: expired, not yet valid, expiring within 30 days, or valid."""
    if certificate.not_before is None or certificate.not_after is None:
        return Validity("failed", "unknown")
    if certificate.not_after < now:
        return Validity("failed", "expired")
    if certificate.not_before > now:
        return Validity("failed", "not valid yet")
    if certificate.not_after - now < EXPIRES_SOON:
        days = (certificate.not_after - now).days
        return Validity("warning", f"expires in {days} days" if days != 1 else "expires in 1 day")
    return Validity("ok", "")


def compare(typed: str, certificates: Iterable[CachedCertificate]) -> Comparison | None:
    """Return whether a pasted fingerprint is that of one of the certificates, None for an empty text."""
    if not typed.strip():
        return None
    wanted = read_fingerprint(typed)
    if wanted is None:
        return Comparison(typed, "failed", "This is no SHA-256 fingerprint: it has 64 hexadecimal digits.")
    for certificate in certificates:
        if certificate.fingerprint == wanted:
            return Comparison(typed, "ok", f"✓ Match: this is the fingerprint of {certificate}.")
    return Comparison(
        typed, "failed", "✗ No match: no certificate of this chain has this fingerprint. Do not trust it."
    )


def _card(chain: Chain, entries: Mapping[str, Sequence[TrustEntry]], now: dt.datetime, typed: str) -> Card:
    links = list(chain.links.all())
    certificates = [link.certificate for link in links]
    nodes = [
        Node(
            certificate=link.certificate,
            role=link.role,
            validity=validity(link.certificate, now),
            entries=[entry for entry in entries.get(link.certificate.fingerprint, ()) if _applies(entry, chain)],
            kind=_kind(link.certificate, link.role),
        )
        for link in links
    ]
    top = _top(certificates)
    in_force: Sequence[TrustEntry] = [e for e in getattr(chain, "in_force", ()) if e.kind == Kind.ANCHOR]
    above = [
        entry
        for entry in in_force
        if top is not None and entry.subject_digest == top.issuer_digest and _applies(entry, chain)
    ]
    outcome = _outcome(chain.code)
    return Card(
        chain=chain,
        status=getattr(chain, "status", Status.UNTRUSTED.value),
        nodes=nodes[::-1],
        missing="" if top is None or above else top.issuer,
        above=above,
        label=chain.code.removeprefix("certificate_").replace("_", " ").capitalize(),
        sentence=outcome.detail if outcome else "",
        advice=outcome.advice if outcome and chain.code not in _ADVISED_HERE else "",
        comparison=compare(typed, certificates),
    )


def _kind(certificate: CachedCertificate, role: Role) -> str:
    if certificate.malformed:
        return ""
    if role is Role.LEAF:
        return Kind.PIN.value
    return Kind.ANCHOR.value if certificate.is_ca else ""


def _applies(entry: TrustEntry, chain: Chain) -> bool:
    if entry.kind == Kind.PIN:
        return (entry.host, entry.port) == (chain.host, chain.port)
    return not entry.scope or chain.host in entry.scope


def _top(certificates: Sequence[CachedCertificate]) -> CachedCertificate | None:
    """Follow the issuers up from the leaf to the certificate whose issuer was not sent; None for a whole chain.

    The order in which a server sends them may be wrong, so it is not relied upon.
    """
    by_subject: defaultdict[str, list[CachedCertificate]] = defaultdict(list)
    for certificate in certificates:
        by_subject[certificate.subject_digest].append(certificate)
    current, seen = certificates[0], set[str]()
    while not current.malformed and not current.self_signed and current.fingerprint not in seen:
        seen.add(current.fingerprint)
        issuers = by_subject.get(current.issuer_digest)
        if not issuers:
            return current
        current = issuers[0]
    return None


def _outcome(code: str) -> codes.Outcome | None:
    for stage in (StageName.TRUST, StageName.HOSTNAME):
        if (stage, code) in codes.CATALOGUE:
            return codes.find(stage, code)
    return None
