"""The multi-row reads of trust: what vouches for an endpoint, what waits for a decision, what is trusted."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.db.models import Case, CharField, Exists, Max, OuterRef, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Concat
from django.utils import timezone

from core.net import canonical_host
from steng.wire import TrustedCertificate, TrustSet
from untrusted_cache.choices import Kind, Status
from untrusted_cache.models import CachedCertificate, Chain, ChainLink, TrustChange, TrustEntry
from untrusted_cache.validators import read_fingerprint

MAX_PRESENTATIONS = 100
"""Presentations listed with a certificate, latest first: an intermediate of a public CA may have thousands."""


@dataclass(slots=True)
class Presentations:
    """Where a certificate was presented, latest first, and the ids of the latest chain, leaf first."""

    links: list[ChainLink] = field(default_factory=list)
    chain: list[uuid.UUID] = field(default_factory=list)


_Remembered = dict[tuple[str, int], TrustSet]
_remembered: ContextVar[_Remembered | None] = ContextVar("postern_trust", default=None)


@contextmanager
def remembering(known: _Remembered) -> Iterator[None]:
    """Read what vouches for an endpoint once, however often it is asked for: for many tests in one transaction."""
    token = _remembered.set(known)
    try:
        yield
    finally:
        _remembered.reset(token)


def trust_set_for(host: str, port: int, now: dt.datetime) -> TrustSet:
    """Return what vouches for this endpoint at this moment, and what is rejected everywhere, in three queries.

    Raises ValueError where the host is none.
    """
    host, known = canonical_host(host), _remembered.get()
    if known is None:
        return _trust_set(host, port, now)
    if (host, port) not in known:
        known[host, port] = _trust_set(host, port, now)
    return known[host, port]


def _trust_set(host: str, port: int, now: dt.datetime) -> TrustSet:
    # The version is read first: a change between the reads makes the verdict stale too early, never too late.
    version = trust_version()
    anchors: list[TrustedCertificate] = []
    pins: list[TrustedCertificate] = []
    covering = Q(kind=Kind.PIN, host=host, port=port) | _anchors_for(f"\n{host}\n")
    for entry in TrustEntry.objects.filter(_in_force(now), covering):
        trusted = TrustedCertificate(id=str(entry.id), name=entry.name, der=bytes(entry.der))
        (anchors if entry.kind == Kind.ANCHOR else pins).append(trusted)
    rejected = CachedCertificate.objects.filter(rejected_at__isnull=False).order_by("fingerprint")
    return TrustSet(
        version=version,
        anchors=tuple(anchors),
        pins=tuple(pins),
        rejected=tuple(rejected.values_list("fingerprint", flat=True)),
    )


def trust_version() -> int:
    """Return the number of the last change of trust, 0 for none.

    That an entry came into force or expired is no change: compare dates where that matters.
    """
    return int(TrustChange.objects.aggregate(last=Max("id"))["last"] or 0)


def untrusted_count(now: dt.datetime | None = None) -> int:
    """Return how many presented chains wait for a decision."""
    return chains(now or timezone.now(), Status.UNTRUSTED).count()


def status_counts(now: dt.datetime) -> dict[str, int]:
    """Return how many chains wait, how many are vouched for, and how many certificates are rejected."""
    return {
        Status.UNTRUSTED.value: untrusted_count(now),
        Status.TRUSTED.value: chains(now, Status.TRUSTED).count(),
        Status.REJECTED.value: CachedCertificate.objects.filter(rejected_at__isnull=False).count(),
    }


def chains(now: dt.datetime, status: Status | None = None) -> QuerySet[Chain]:
    """Return presented chains with their `status`: rejected where a certificate is, trusted where an entry vouches."""
    rejected = ChainLink.objects.filter(chain=OuterRef("pk"), certificate__rejected_at__isnull=False)
    found = Chain.objects.annotate(
        status=Case(
            When(Exists(rejected), then=Value(Status.REJECTED.value)),
            When(Exists(_vouchers(now, "")), then=Value(Status.TRUSTED.value)),
            default=Value(Status.UNTRUSTED.value),
            output_field=CharField(),
        )
    )
    return found if status is None else found.filter(status=status.value)


def chains_matching(now: dt.datetime, status: Status, q: str = "") -> QuerySet[Chain]:
    """Return the chains of a status, latest first; `q` is searched in endpoint, connection and certificates."""
    found = chains(now, status)
    if q:
        named = ChainLink.objects.filter(
            Q(certificate__title__icontains=q)
            | Q(certificate__subject__icontains=q)
            | Q(certificate__fingerprint=read_fingerprint(q) or ""),
            chain=OuterRef("pk"),
        )
        found = found.filter(Q(host__icontains=q) | Q(connection_name__icontains=q) | Exists(named))
    return found


def with_members(found: QuerySet[Chain], now: dt.datetime) -> QuerySet[Chain]:
    """Return the chains with their links, certificates and the entries that are in force (as `in_force`)."""
    entries = TrustEntry.objects.filter(_in_force(now)).defer("der")
    links = ChainLink.objects.order_by("position").select_related("certificate").defer("certificate__der")
    return found.prefetch_related(Prefetch("links", links), Prefetch("vouchers", entries, to_attr="in_force"))


def certificates(
    now: dt.datetime, *, status: str = "", host: str = "", fingerprint: str = "", q: str = ""
) -> QuerySet[CachedCertificate]:
    """Return cached certificates with their `status`, latest first; a filter that cannot match finds nothing.

    A certificate is trusted where an entry of its own, or an anchor above it, vouches for it at every endpoint
    that presented it.
    """
    at_links = ChainLink.objects.filter(certificate=OuterRef("pk"))
    own = TrustEntry.objects.filter(_in_force(now), fingerprint=OuterRef("fingerprint"))
    below_anchor = at_links.filter(Exists(_vouchers(now, "chain_id").filter(kind=Kind.ANCHOR)))
    waiting = at_links.filter(~Exists(_vouchers(now, "chain_id")))
    found = CachedCertificate.objects.annotate(
        status=Case(
            When(rejected_at__isnull=False, then=Value(Status.REJECTED.value)),
            When((Exists(own) | Exists(below_anchor)) & ~Exists(waiting), then=Value(Status.TRUSTED.value)),
            default=Value(Status.UNTRUSTED.value),
            output_field=CharField(),
        )
    )
    if status:
        found = found.filter(status=status)
    if fingerprint:
        found = found.filter(fingerprint=read_fingerprint(fingerprint) or "")
    if host:
        found = found.filter(Exists(at_links.filter(chain__host=_host_or_nothing(host))))
    if q:
        at_host = Exists(at_links.filter(chain__host__icontains=q))
        found = found.filter(Q(title__icontains=q) | Q(subject__icontains=q) | Q(issuer__icontains=q) | at_host)
    return found


def presentations(found: Iterable[CachedCertificate]) -> dict[uuid.UUID, Presentations]:
    """Return for each certificate where it was presented and its latest chain, in two queries for all of them."""
    result = {certificate.pk: Presentations() for certificate in found}
    latest = ChainLink.objects.select_related("chain", "certificate").order_by("-chain__last_seen", "chain_id")
    listed = CachedCertificate.objects.filter(pk__in=result).only("pk")
    for certificate in listed.prefetch_related(Prefetch("links", latest[:MAX_PRESENTATIONS], to_attr="latest")):
        result[certificate.pk].links = list(getattr(certificate, "latest", ()))
    members: defaultdict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    last = {entry.links[0].chain_id for entry in result.values() if entry.links}
    for chain_id, member in (
        ChainLink.objects.filter(chain__in=last).order_by("position").values_list("chain_id", "certificate_id")
    ):
        members[chain_id].append(member)
    for entry in result.values():
        if entry.links:
            entry.chain = members[entry.links[0].chain_id]
    return result


def members_of_chains(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, str]]]:
    """Return the certificates of chains, leaf first, as jobs show them; a chain that was dropped since is absent."""
    found: defaultdict[uuid.UUID, list[dict[str, str]]] = defaultdict(list)
    links = ChainLink.objects.filter(chain__in=set(keys)).order_by("chain", "position")
    for link in links.select_related("certificate").defer("certificate__der"):
        certificate = link.certificate
        found[link.chain_id].append(
            {
                "id": str(certificate.id),
                "role": link.role.value,
                "subject": certificate.subject,
                "fingerprint": certificate.fingerprint,
            }
        )
    return dict(found)


def entries(*, q: str = "", kind: str = "", host: str = "", fingerprint: str = "") -> QuerySet[TrustEntry]:
    """Return the trust store by name; `host` finds pins for it and the anchors whose scope covers it."""
    found = TrustEntry.objects.all()
    if kind:
        found = found.filter(kind=kind)
    if fingerprint:
        found = found.filter(fingerprint=read_fingerprint(fingerprint) or "")
    if host:
        canonical = _host_or_nothing(host)
        found = found.filter(Q(kind=Kind.PIN, host=canonical) | _anchors_for(f"\n{canonical}\n"))
    if q:
        texts = ("name", "title", "subject", "issuer", "host", "reason")
        found = found.filter(Q(*((f"{name}__icontains", q) for name in texts), _connector=Q.OR))
    return found


def entries_of(fingerprints: Iterable[str], now: dt.datetime) -> dict[str, list[TrustEntry]]:
    """Return the entries in force that trust each of these certificates itself."""
    found: defaultdict[str, list[TrustEntry]] = defaultdict(list)
    for entry in TrustEntry.objects.filter(_in_force(now), fingerprint__in=set(fingerprints)).defer("der"):
        found[entry.fingerprint].append(entry)
    return found


def leaf_endpoints(certificate: CachedCertificate) -> list[Chain]:
    """Return one chain for every endpoint that presented the certificate as its leaf, latest first."""
    found: dict[tuple[str, int], Chain] = {}
    leading = Chain.objects.filter(links__certificate=certificate, links__position=0)
    for chain in leading.order_by("-last_seen", "id")[:MAX_PRESENTATIONS]:
        found.setdefault((chain.host, chain.port), chain)
    return list(found.values())


def _in_force(now: dt.datetime) -> Q:
    return (Q(starts=None) | Q(starts__lte=now)) & (Q(expires=None) | Q(expires__gt=now))


def _anchors_for(host_line: str | Concat) -> Q:
    """Return the condition of anchors that may vouch for a host, given as it stands in a stored scope."""
    return Q(kind=Kind.ANCHOR) & (Q(scope="") | Q(scope__contains=host_line))


def _vouchers(now: dt.datetime, path: str) -> QuerySet[TrustEntry]:
    """Return the entries in force for the outer chain; `path` leads from the outer row to the chain's id."""
    prefix = "chain__" if path else ""
    host_line = Concat(Value("\n"), OuterRef(f"{prefix}host"), Value("\n"))
    return TrustEntry.objects.filter(
        _in_force(now), Q(kind=Kind.PIN) | _anchors_for(host_line), chains=OuterRef(path or "pk")
    )


def _host_or_nothing(text: str) -> str:
    try:
        return canonical_host(text)
    except ValueError:
        return "/"  # no stored host holds it
