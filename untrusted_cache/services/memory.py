"""Remember what servers presented, within bounds that a hostile server cannot push."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Sequence

from django.db import IntegrityError, transaction
from django.db.models import Sum

from core import audit
from core.errors import Refused
from core.net import canonical_host
from steng import x509
from untrusted_cache.models import MAX_DER, CachedCertificate, Chain, ChainLink
from untrusted_cache.services.facts import columns
from untrusted_cache.services.vouchers import link_chain

MAX_CERTIFICATES = 100
"""Certificates of one chain; the probe stops at the same number (`chain_too_long`)."""

MAX_CHAIN_BYTES = 400_000
"""Bytes of one chain that are kept; of the certificates beyond them only the fingerprint is."""

MAX_CHAINS_PER_ENDPOINT = 20
"""A server that makes a new certificate for every handshake pushes out its own chains only."""

MAX_CHAINS = 20_000
"""Chains of all endpoints: twice the connections of a large installation."""

MAX_BYTES = 256 * 1024 * 1024
"""Bytes of all cached certificates; beyond them, the chains that were not seen for longest go."""


def remember(
    *,
    chain: Sequence[bytes],
    code: str,
    host: str,
    port: int,
    now: dt.datetime,
    steng: str = "",
    requested_by: str = "",
    connection_id: uuid.UUID | None = None,
    connection_kind: str = "smtp",
    connection_name: str = "",
) -> Chain:
    """Store that this endpoint presented this chain (DER, leaf first), or count it once more.

    `connection_id` is None for the test of a draft.

    Raises ValueError for an empty chain or a host that is none.
    """
    kept = list(dict.fromkeys(chain))[:MAX_CERTIFICATES]
    if not kept:
        raise ValueError("a chain has at least its leaf")
    values = {
        "host": canonical_host(host),
        "port": port,
        "digest": hashlib.sha256("".join(map(x509.fingerprint_of, kept)).encode()).hexdigest(),
    }
    latest = {
        "code": code[:60],
        "last_seen": now,
        "last_by": requested_by[:150],
        "steng": steng[:128],
        "connection_id": connection_id,
        "connection_kind": connection_kind[:20] if connection_id else "",
        "connection_name": connection_name[:128],
    }
    with transaction.atomic():
        seen = _count(values, latest)
        if seen is not None:
            return seen
        try:
            with transaction.atomic():
                return _store(kept, Chain(**values, **latest, first_seen=now, first_by=requested_by[:150]))
        except IntegrityError:
            # Another process stored the same chain between our look and our insert: it is there to be counted now.
            seen = _count(values, latest)
            if seen is None:
                raise
            return seen


def forget(certificate: CachedCertificate) -> None:
    """Remove a certificate and the chains it stood in; raise Refused `conflict` while it is rejected.

    The next test that meets it remembers it again. A rejection is a decision and is withdrawn, not deleted by the way.
    """
    with transaction.atomic():
        current = CachedCertificate.objects.select_for_update().filter(pk=certificate.pk).first()
        if current is None:
            return
        if current.rejected_at is not None:
            raise Refused("conflict", "This certificate is rejected: withdraw the rejection first.")
        subject, before = audit.thing(current), audit.snapshot(current)
        Chain.objects.filter(links__certificate=current).delete()
        current.delete()
        audit.record("trust.forgotten", subject, before=before)
        _drop_orphans()


def _count(values: dict[str, object], latest: dict[str, object]) -> Chain | None:
    chain = Chain.objects.select_for_update().filter(**values).first()
    if chain is None:
        return None
    for name, value in latest.items():
        setattr(chain, name, value)
    chain.count += 1
    chain.full_clean(validate_unique=False, validate_constraints=False)
    chain.save()
    chain.certificates.update(last_seen=latest["last_seen"])
    return chain


def _store(ders: Sequence[bytes], chain: Chain) -> Chain:
    chain.full_clean(validate_unique=False, validate_constraints=False)
    chain.save(force_insert=True)
    budget = MAX_CHAIN_BYTES
    for position, der in enumerate(ders):
        budget -= len(der)
        certificate = _certificate(der, chain.last_seen, keep=budget >= 0)
        link = ChainLink(chain=chain, certificate=certificate, position=position)
        link.full_clean(validate_unique=False, validate_constraints=False)
        link.save(force_insert=True)
    link_chain(chain)
    _make_room(chain)
    return chain


def _certificate(der: bytes, now: dt.datetime, *, keep: bool) -> CachedCertificate:
    fingerprint = x509.fingerprint_of(der)
    known = CachedCertificate.objects.select_for_update().filter(fingerprint=fingerprint).first()
    if known is None:
        known = CachedCertificate(fingerprint=fingerprint, first_seen=now)
    if not known.der and keep:
        _describe(known, der)
    known.malformed = not known.der
    known.last_seen = now
    known.full_clean(validate_unique=False, validate_constraints=False)
    known.save()
    return known


def _describe(certificate: CachedCertificate, der: bytes) -> None:
    if len(der) > MAX_DER:
        return
    try:
        facts = x509.describe(der)
    except x509.UnreadableCertificate:
        return
    for name, value in columns(facts).items():
        setattr(certificate, name, value)
    certificate.size = len(der)


def _make_room(newest: Chain) -> None:
    others = Chain.objects.exclude(pk=newest.pk).order_by("-last_seen", "id")
    surplus = list(
        others.filter(host=newest.host, port=newest.port).values_list("pk", flat=True)[MAX_CHAINS_PER_ENDPOINT - 1 :]
    )
    surplus += list(others.exclude(pk__in=surplus).values_list("pk", flat=True)[MAX_CHAINS - 1 :])
    _drop(surplus)
    while _stored_bytes() > MAX_BYTES:
        oldest = list(others.reverse().values_list("pk", flat=True)[:50])
        if not oldest:
            return
        _drop(oldest)


def _drop(chains: Iterable[uuid.UUID]) -> None:
    doomed = list(chains)
    if doomed:
        Chain.objects.filter(pk__in=doomed).delete()
        _drop_orphans()


def _drop_orphans() -> None:
    # What an admin rejected stays known, whether or not anybody still presents it.
    CachedCertificate.objects.filter(links=None, rejected_at=None).delete()


def _stored_bytes() -> int:
    return int(CachedCertificate.objects.aggregate(total=Sum("size"))["total"] or 0)
