"""What is wrong with a chain: pure functions over what the server presented (RFC 5280 section 6).

OpenSSL decides, in the handshake. It names one fault only, and not always the one that helps:
an expired certificate with a wrong name reads "name mismatch". So the chain is diagnosed again
here: every fault is looked for, the first of `ORDER` is the verdict, the others are told beside it.
What OpenSSL found and this module did not is believed too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from steng.codes import find
from steng.probe import faults
from steng.probe.path import Link, build_path, read, read_chain
from steng.text import brief
from steng.wire import StageName, TrustSet
from steng.x509 import CertificateFacts, UnreadableCertificate, fingerprint_of

ORDER = (
    "chain_too_long",
    "certificate_rejected",
    "certificate_changed",
    "certificate_malformed",
    "certificate_self_signed",
    "certificate_unknown_issuer",
    "certificate_missing_intermediate",
    "certificate_not_a_ca",
    "certificate_path_length",
    "certificate_name_constraint",
    "certificate_critical_extension",
    "certificate_wrong_purpose",
    "certificate_expired",
    "certificate_not_yet_valid",
    "certificate_weak",
    "hostname_mismatch",
)
"""The first fault that applies is the verdict: what makes the others pointless comes first."""

SOON = timedelta(days=30)
MAX_CHAIN = 100
"""Certificates of a chain that are looked at: each costs time in the one thread that all probes share."""

_SHOWN = 10
"""Certificates and names that evidence holds; the report carries the whole chain beside it."""

_SHOWN_SUBJECT = 400
_SHOWN_NAMES = 600
MAX_NAME = 253
"""Characters of a subject, of all names in a sentence, and of one name: no host has a longer one (RFC 1035)."""

_UNTRUSTED = frozenset(ORDER[4:7])

_OPENSSL = {
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    13: "certificate_malformed",
    14: "certificate_malformed",
    22: "chain_too_long",
    24: "certificate_not_a_ca",
    25: "certificate_path_length",
    26: "certificate_wrong_purpose",
    32: "certificate_not_a_ca",
    34: "certificate_critical_extension",
    47: "certificate_name_constraint",
    48: "certificate_name_constraint",
    62: "hostname_mismatch",
    64: "hostname_mismatch",
    66: "certificate_weak",
    67: "certificate_weak",
    68: "certificate_weak",
    79: "certificate_not_a_ca",
}
"""X509_V_ERR numbers (openssl/x509_vfy.h) as our codes; the other numbers mean that no issuer was found."""


@dataclass(frozen=True, slots=True)
class Voucher:
    """The entry of the trust store that let a chain pass."""

    kind: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that is wrong: `code` is the verdict, None where nothing is; `faults` maps each code to its sentence."""

    code: str | None
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def detail(self) -> str:
        """Return the sentence of the verdict."""
        return self.faults[self.code] if self.code else ""

    @property
    def also(self) -> list[str]:
        """Return the other codes, in their order."""
        return [code for code in ORDER if code in self.faults and code != self.code]


def voucher_of(verified: Sequence[bytes], trust: TrustSet) -> Voucher | None:
    """Return what vouches for a chain that OpenSSL verified, leaf first; None where nothing does.

    OpenSSL knows trusted certificates only, no pins: for it a self-signed pin that is marked
    CA:TRUE could vouch for whatever it signs. So a pin counts only where it is the leaf itself.
    """
    if not verified:
        return None
    for pin in trust.pins:
        if pin.der == verified[0]:
            return Voucher("pin", pin.id, pin.name)
    anchors = {anchor.der: anchor for anchor in trust.anchors}
    for der in verified:
        if der in anchors:
            return Voucher("anchor", anchors[der].id, anchors[der].name)
    return None


def likely_voucher(chain: Sequence[bytes], trust: TrustSet) -> Voucher | None:
    """Return what would vouch for a presented chain whose only fault is its name; for people, not for decisions."""
    links, _ = read_chain(chain[:MAX_CHAIN])
    anchors, _ = read_chain([anchor.der for anchor in trust.anchors])
    return voucher_of([link.der for link in build_path(links, anchors)], trust) if links else None


def refusal_of(chain: Sequence[bytes], verified: Sequence[bytes], trust: TrustSet) -> str | None:
    """Return the code that refuses a chain although OpenSSL accepted it, None where there is none."""
    if len(chain) > MAX_CHAIN:
        return "chain_too_long"
    if trust.rejected and not set(trust.rejected).isdisjoint(map(fingerprint_of, (*chain, *verified))):
        return "certificate_rejected"
    anchors = {anchor.der for anchor in trust.anchors}
    try:
        weak = any(faults.weakness(read(der).certificate, signed=der not in anchors) for der in verified)
    except UnreadableCertificate:
        return "certificate_malformed"
    return "certificate_weak" if weak else None


def diagnose(
    chain: Sequence[bytes], trust: TrustSet, host: str | None, now: datetime, verify_code: int = 0
) -> Diagnosis:
    """Return everything that is wrong with a presented chain, leaf first.

    `host` is None where the name is not to match; `verify_code` is what OpenSSL said.
    """
    links, unreadable = read_chain(chain[:MAX_CHAIN])
    anchors = {anchor.der for anchor in trust.anchors}
    path = build_path(links, read_chain([anchor.der for anchor in trust.anchors])[0]) if links else []
    found: dict[str, str] = {}
    if len(chain) > MAX_CHAIN:
        found["chain_too_long"] = ""
    rejected = [link for link in (*links, *path) if link.fingerprint in trust.rejected]
    if rejected:
        found["certificate_rejected"] = f"An admin has rejected {rejected[0].title}."
    if unreadable or not links:
        found["certificate_malformed"] = f"A certificate of the chain cannot be read: {unreadable or 'none was sent'}."
    if path:
        pinned = any(pin.der == path[0].der for pin in trust.pins)
        found |= _standing(path, links, pinned=pinned, anchored=any(link.der in anchors for link in path), trust=trust)
        found |= faults.of_path(path, now, anchors)
        if host is not None:
            found |= _name_fault(path[0], host)
    return _verdict(found, verify_code)


def evidence_of(chain: Sequence[bytes]) -> list[dict[str, Any]]:
    """Return the first certificates of a chain as evidence, leaf first."""
    links, _ = read_chain(chain[:_SHOWN])
    return [_facts(link) for link in links]


def warnings_of(
    chain: Sequence[bytes], verified: Sequence[bytes], now: datetime, checked: Sequence[bytes] = ()
) -> dict[str, str]:
    """Return what is worth knowing about an accepted chain: its next expiry, and its order.

    `checked` as for `build_path`.
    """
    found: dict[str, str] = {}
    links, _ = read_chain(verified)
    soon = [link for link in links if link.facts.not_after - now < SOON]
    if soon:
        first = min(soon, key=lambda link: link.facts.not_after)
        found["certificate_expires_soon"] = f"{first.title} expires on {faults.day(first.facts.not_after)}."
    presented, _ = read_chain(chain[:MAX_CHAIN])
    path = build_path(presented, [], checked)
    if path != presented[: len(path)]:
        found["chain_order"] = ""
    return found


def complete_to_root(chain: Sequence[bytes], trust: TrustSet, checked: Sequence[bytes] = ()) -> bool:
    """Tell whether the chain, with the help of the trust store, leads to a self-signed certificate.

    `checked` as for `build_path`.
    """
    links, _ = read_chain(chain[:MAX_CHAIN])
    anchors, _ = read_chain([anchor.der for anchor in trust.anchors])
    return bool(links) and build_path(links, anchors, checked)[-1].facts.self_signed


def _standing(path: list[Link], links: list[Link], *, pinned: bool, anchored: bool, trust: TrustSet) -> dict[str, str]:
    """Return why nothing vouches for the chain; empty where something does."""
    if pinned or anchored:
        return {}
    found: dict[str, str] = {}
    leaf, last = path[0], path[-1]
    if trust.pins:
        found["certificate_changed"] = (
            f"The server presents {leaf.title} (SHA-256 {leaf.fingerprint}), another certificate than the one "
            "trusted for it."
        )
    if leaf.facts.self_signed:
        found["certificate_self_signed"] = f"{leaf.title} is self-signed and not trusted."
    elif len(links) == 1:
        found["certificate_missing_intermediate"] = (
            f"The server sent its own certificate alone. Missing: its issuer {leaf.facts.issuer}."
        )
    elif last.facts.self_signed:
        found["certificate_unknown_issuer"] = f"The chain ends in {last.title}, which is not trusted here."
    else:
        found["certificate_unknown_issuer"] = (
            f"{last.title} is signed by an authority that is not trusted here. Missing: {last.facts.issuer}."
        )
    return found


def _name_fault(leaf: Link, host: str) -> dict[str, str]:
    if leaf.names_host(host):
        return {}
    names = named(leaf.facts)
    return {"hostname_mismatch": f"The certificate is made for {names}, not for {host}."}


def named(facts: CertificateFacts, count: int = _SHOWN) -> str:
    """Return the first names that a certificate is made for, short enough for a sentence."""
    return brief(", ".join(facts.names[:count]) or facts.common_name or "no name at all", _SHOWN_NAMES)


def _verdict(found: dict[str, str], verify_code: int) -> Diagnosis:
    if verify_code:
        code = _OPENSSL.get(verify_code, "certificate_unknown_issuer")
        if code not in found and not (code in _UNTRUSTED and not _UNTRUSTED.isdisjoint(found)):
            found[code] = ""
    told = {code: text or find(_stage_of(code), code).detail for code, text in found.items()}
    return Diagnosis(next((code for code in ORDER if code in told), None), told)


def _stage_of(code: str) -> StageName:
    return StageName.HOSTNAME if code == "hostname_mismatch" else StageName.TRUST


def _facts(link: Link) -> dict[str, Any]:
    facts = link.facts
    return {
        "subject": brief(facts.subject, _SHOWN_SUBJECT),
        "issuer": brief(facts.issuer, _SHOWN_SUBJECT),
        "fingerprint": facts.fingerprint,
        "serial": facts.serial,
        "names": [brief(name, MAX_NAME) for name in facts.names[:_SHOWN]],
        "not_before": facts.not_before.isoformat(),
        "not_after": facts.not_after.isoformat(),
        "key": facts.key,
        "signature": facts.signature,
        "is_ca": facts.is_ca,
        "self_signed": facts.self_signed,
    }
