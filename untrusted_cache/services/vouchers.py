"""Which entries of the trust store could vouch for which chains: the signatures are checked here, once.

A link says "this entry stands in that chain, or signed one of its certificates". Whether the entry is
in force for the endpoint is asked at reading, so dates and scopes need no writing.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from steng import x509
from untrusted_cache.choices import Kind
from untrusted_cache.models import CachedCertificate, Chain, ChainLink, TrustEntry


def link_chain(chain: Chain) -> None:
    """Find the entries that could vouch for a new chain."""
    links = list(chain.links.select_related("certificate"))
    certificates = [link.certificate for link in links]
    entries = TrustEntry.objects.filter(
        Q(kind=Kind.PIN, fingerprint=certificates[0].fingerprint, host=chain.host, port=chain.port)
        | Q(kind=Kind.ANCHOR, fingerprint__in=[certificate.fingerprint for certificate in certificates])
        | Q(kind=Kind.ANCHOR, subject_digest__in=[c.issuer_digest for c in certificates if c.issuer_digest])
    )
    chain.vouchers.set(entry for entry in entries if _covers_any(entry, certificates))


def link_entry(entry: TrustEntry) -> None:
    """Find the chains for which a new entry could vouch."""
    if entry.kind == Kind.PIN:
        found = ChainLink.objects.filter(
            position=0, certificate__fingerprint=entry.fingerprint, chain__host=entry.host, chain__port=entry.port
        )
    else:
        certificates = CachedCertificate.objects.filter(
            Q(fingerprint=entry.fingerprint) | Q(issuer_digest=entry.subject_digest), malformed=False
        )
        covered = [certificate.pk for certificate in certificates if _covers_any(entry, [certificate])]
        found = ChainLink.objects.filter(certificate__in=covered)
    entry.chains.set(Chain.objects.filter(pk__in=found.values("chain_id")))


def _covers_any(entry: TrustEntry, certificates: Iterable[CachedCertificate]) -> bool:
    return any(
        entry.fingerprint == certificate.fingerprint
        or (
            entry.subject_digest == certificate.issuer_digest
            and bool(certificate.der)
            and x509.issued_by(bytes(certificate.der), bytes(entry.der))
        )
        for certificate in certificates
    )
