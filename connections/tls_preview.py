"""What a test would offer in its handshake: what a definition allows, by what each STENG says that it can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cluster import selectors
from connections import rules
from connections.choices import Security
from core.rules import Values
from steng.offer import Abilities, NotAvailableError, Offer, names, offer_of
from steng.wire import TlsPolicy

_POLICY = ("ssl_protocol_mode", "ssl_protocols", "cipher_suite_mode", "cipher_suites")
FIELDS = ("connection_security", *_POLICY, "cluster", "steng")
"""The fields of a definition on which a preview depends."""

MOST = 5
"""STENGs that are looked at where a definition may run on any of many: they are made alike."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What one STENG would offer; `offer` is None where a test from it would end before the handshake."""

    steng: str
    offer: Offer | None
    text: str


def previews(values: Values) -> list[Preview]:
    """Return the previews of a definition; none without TLS, and none where a selection is still empty."""
    policy = TlsPolicy(protocols=rules.chosen_protocols(values), cipher_suites=rules.chosen_suites(values))
    if values.get("connection_security") == Security.NONE or () in (policy.protocols, policy.cipher_suites):
        return []
    return [_preview(able, policy) for able in _able(values)]


def _able(values: Values) -> Iterator[Abilities]:
    found = selectors.stengs().filter(enabled=True).order_by("name_key")
    for field, lookup in (("steng", "name"), ("cluster", "cluster__name")):
        if values.get(field):
            found = found.filter(**{lookup: str(values[field])})
            break
    for steng in found[:MOST]:
        if steng.capabilities.get("suites"):
            yield Abilities.heard(steng.name, steng.capabilities)


def _preview(able: Abilities, policy: TlsPolicy) -> Preview:
    try:
        offer = offer_of(policy, able)
    except NotAvailableError as missing:
        return Preview(able.who, None, f"{missing.detail} A test from it ends before the handshake.")
    suites = f"with {names(offer.suites, 'and')}" if offer.suites else "with every suite that its OpenSSL holds safe"
    return Preview(able.who, offer, f"{able.who} would offer {' and '.join(offer.versions)} {suites}.")
