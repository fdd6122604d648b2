"""What a STENG offers in a handshake: what a definition allows, of what the OpenSSL of this process can do.

Both halves are known before the first byte, so what cannot be offered is refused by name then, and nothing that
was not chosen is ever offered in its place (RFC 8446 section 4.2.1, appendix D).
"""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from steng.suites import BY_OPENSSL, SUITES, Suite, is_signal
from steng.wire import TlsPolicy

VERSIONS: Mapping[str, ssl.TLSVersion] = MappingProxyType(
    {
        "TLSv1": ssl.TLSVersion.TLSv1,
        "TLSv1_1": ssl.TLSVersion.TLSv1_1,
        "TLSv1_2": ssl.TLSVersion.TLSv1_2,
        "TLSv1_3": ssl.TLSVersion.TLSv1_3,
    }
)
"""The versions that are ever offered, oldest first. SSLv3 is not (RFC 7568), and SSLv2Hello is a form of greeting."""

SAFE = ("TLSv1_2", "TLSv1_3")
"""What ALL stands for: the older ones are deprecated (RFC 8996)."""

_TLS13 = "TLSv1_3"
_NAMED = 5
"""Names of a list that a sentence gives before it only counts."""

_SINCE = {"SSLv3": "TLSv1", "TLSv1.0": "TLSv1", "TLSv1.2": "TLSv1_2", "TLSv1.3": _TLS13}
"""In OpenSSL's words the oldest version that knows a suite, in ours. No suite came with TLS 1.1."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What `who` can offer: versions oldest first, and each suite by its IANA name with its first version.

    `one_by_one` tells whether the suites of TLS 1.3 can be chosen singly, and in which order.
    """

    who: str
    versions: tuple[str, ...]
    suites: Mapping[str, str]
    one_by_one: bool

    def told(self) -> dict[str, Any]:
        """Return what an agent says of itself to the console, as JSON."""
        return {"tls": list(self.versions), "suites": dict(self.suites), "tls13_one_by_one": self.one_by_one}

    @classmethod
    def heard(cls, who: str, told: Mapping[str, Any]) -> Abilities:
        """Return what an agent told; versions and suites that nobody knows here are left out."""
        versions, suites = told.get("tls"), told.get("suites")
        known = dict(suites) if isinstance(suites, dict) else {}
        return cls(
            who,
            tuple(name for name in VERSIONS if isinstance(versions, list) and name in versions),
            {name: known[name] for name in SUITES if known.get(name) in list(VERSIONS)},
            one_by_one=told.get("tls13_one_by_one") is True,
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """What a ClientHello holds: versions oldest first, with holes perhaps; suites in order, None for OpenSSL's own."""

    versions: tuple[str, ...]
    suites: tuple[str, ...] | None = None

    @property
    def loosened(self) -> bool:
        """Tell whether old versions need OpenSSL's level 0, which also lets SHA-1 sign the key exchange."""
        return self.versions[0] not in SAFE


ALL = Offer(SAFE)
"""What is offered where a definition restricts nothing."""


class NotAvailableError(Exception):
    """A policy asks for what the agent cannot offer; `keeps` is what would be left of the list without it."""

    def __init__(self, code: str, field: str, names: Iterable[str], detail: str, keeps: Iterable[str] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.names = tuple(names)
        self.detail = detail
        self.keeps = tuple(keeps)


def offer_of(policy: TlsPolicy, able: Abilities) -> Offer:
    """Return what to offer for a policy; raise NotAvailableError where that is not exactly what it allows."""
    versions = _versions(policy, able)
    if policy.cipher_suites is None:
        return Offer(versions)
    # A signal is no suite: OpenSSL always sends the one that old Java systems list (RFC 5746 section 3.3).
    suites = tuple(name for name in dict.fromkeys(policy.cipher_suites) if not is_signal(name))
    _refuse_unknown(suites, able)
    usable = tuple(version for version in versions if any(_fits(suite, version, able) for suite in suites))
    if not usable:
        raise NotAvailableError(
            "cipher_not_available", "cipher_suites", suites, f"None of the chosen suites belongs to {names(versions)}."
        )
    offered = tuple(suite for suite in suites if any(_fits(suite, version, able) for version in usable))
    if not able.one_by_one:
        _refuse_part_of_tls13(offered, suites, able)
    return Offer(usable, offered)


def everything(able: Abilities) -> Offer:
    """Return the offer that leaves nothing out: for a hello whose handshake is never to succeed."""
    return Offer(able.versions, tuple(able.suites))


@functools.cache
def widest() -> Abilities:
    """Return what the most able agent there is could offer: what is beyond this, no test can come by.

    A suite of TLS 1.2 names its hash or an AEAD mode (RFC 5246 section 1.2); the names of older ones end on SHA.
    """

    def since(suite: Suite) -> str:
        if suite.tls13:
            return _TLS13
        return "TLSv1" if suite.name.endswith("_SHA") else "TLSv1_2"

    usable = [suite for suite in SUITES.values() if suite.openssl and suite.protects and suite.certified]
    return Abilities("A STENG", tuple(VERSIONS), {suite.name: since(suite) for suite in usable}, one_by_one=True)


@functools.cache
def code_points() -> Mapping[int, str]:
    """Return the IANA names of the suites that this OpenSSL can offer, by the number that a ServerHello holds."""
    known = abilities().suites
    numbers = {int(cipher["id"]) & 0xFFFF: BY_OPENSSL.get(str(cipher["name"]), "") for cipher in _all_ciphers()}
    return MappingProxyType({number: name for number, name in numbers.items() if name in known})


@functools.cache
def abilities() -> Abilities:
    """Return what the OpenSSL of this process can offer, as it says itself."""
    since = {str(cipher["name"]): _SINCE.get(str(cipher["protocol"])) for cipher in _all_ciphers()}
    known = {suite.name: since.get(suite.openssl) for suite in SUITES.values() if suite.protects and suite.certified}
    return Abilities(
        who=f"This STENG ({ssl.OPENSSL_VERSION})",
        versions=tuple(name for name, version in VERSIONS.items() if getattr(ssl, f"HAS_{version.name}")),
        suites=MappingProxyType({name: version for name, version in known.items() if version is not None}),
        one_by_one=chooser(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) is not None,
    )


def _all_ciphers() -> Sequence[Mapping[str, Any]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context.get_ciphers()


def chooser(context: ssl.SSLContext) -> Callable[[str], None] | None:
    """Return what chooses the suites of TLS 1.3 one by one: Python has it from 3.15 on, None before."""
    found: Callable[[str], None] | None = getattr(context, "set_ciphersuites", None)
    return found


def _versions(policy: TlsPolicy, able: Abilities) -> tuple[str, ...]:
    chosen = SAFE if policy.protocols is None else policy.protocols
    missing = [name for name in chosen if name not in able.versions]
    if missing:
        raise NotAvailableError(
            "protocol_not_available",
            "ssl_protocols",
            missing,
            f"{able.who} cannot speak {names(missing)}, and nothing else is offered in its place.",
            keeps=[name for name in chosen if name in able.versions],
        )
    return tuple(name for name in able.versions if name in chosen)


def _refuse_unknown(suites: tuple[str, ...], able: Abilities) -> None:
    missing = [name for name in suites if name not in able.suites]
    if missing:
        raise NotAvailableError(
            "cipher_not_available",
            "cipher_suites",
            missing,
            f"{able.who} cannot offer {names(missing)}, and nothing else is offered in its place.",
            keeps=[name for name in suites if name in able.suites],
        )


def _refuse_part_of_tls13(offered: tuple[str, ...], suites: tuple[str, ...], able: Abilities) -> None:
    every = [name for name, since in able.suites.items() if since == _TLS13]
    chosen = [name for name in offered if name in every]
    if not chosen or set(chosen) == set(every):
        return
    raise NotAvailableError(
        "cipher_not_available",
        "cipher_suites",
        chosen,
        f"{able.who} cannot offer {names(chosen)} alone: before Python 3.15 it is all suites of TLS 1.3 or none.",
        keeps=[*(name for name in suites if name not in chosen), *every],
    )


def _fits(suite: str, version: str, able: Abilities) -> bool:
    since = able.suites[suite]
    order = list(VERSIONS)
    if _TLS13 in (since, version):
        return since == version
    return order.index(since) <= order.index(version)


def names(found: Sequence[str], joint: str = "or") -> str:
    """Return a list for a sentence: `a, b or c`, shortened where it is long."""
    shown = [*found[:_NAMED], *([f"{len(found) - _NAMED} more"] if len(found) > _NAMED else [])]
    *most, last = shown
    return f"{', '.join(most)} {joint} {last}" if most else last
