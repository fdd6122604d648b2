"""The handshake: it captures the chain that the server presents, and fails closed.

What may live here: contexts, the object that asyncio drives through a handshake, and the
reading of OpenSSL's errors. What is wrong with a chain is said in `trust`, which is pure.

How it works. asyncio gives no access to a handshake that failed, and a context is shared by
many probes. So `shaking_hands` puts a `Handshake` into the task's context, `wrap_bio` picks it
up, and `do_handshake` writes into it whatever it learns. Verification is OpenSSL's, within the
handshake; three rules that OpenSSL does not know are added before `do_handshake` returns, which
is before any application byte can be written: rejected certificates, pins, and weak keys.

To who edits this: never make a rule depend on something done after the handshake, and never
set CERT_NONE. A fault in here sends passwords to strangers.
"""

from __future__ import annotations

import asyncio.sslproto
import contextlib
import ssl
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol, cast

from steng.offer import ALL, VERSIONS, Offer, chooser
from steng.probe.failure import ProbeFailure
from steng.probe.lookalike import looks_like
from steng.probe.trust import MAX_CHAIN, Voucher, refusal_of, voucher_of
from steng.suites import BY_OPENSSL, SUITES
from steng.wire import TrustSet

# asyncio keeps a read buffer of this size for each TLS connection, 256 KiB by default (cpython #109534): with
# two thousand probes in flight that is half a gigabyte. A record has at most 16 KiB (RFC 8446 section 5.1).
asyncio.sslproto.SSLProtocol.max_size = 16 * 1024

_FIRST_BYTES = 200
_MAX_CONTEXTS = 256
_MAX_WEIGHT = 4_096
"""Contexts and certificates in them that are kept: one with 117 anchors takes 13 ms to build and a megabyte."""


class _Certificate(Protocol):
    def public_bytes(self, encoding: int, /) -> bytes: ...


class _Inner(Protocol):
    """What OpenSSL's object offers; part of ssl's public face from Python 3.13 on."""

    def get_unverified_chain(self) -> list[_Certificate] | None: ...
    def get_verified_chain(self) -> list[_Certificate] | None: ...


_DER = 2
"""`_ssl.ENCODING_DER` (the same numbers as X509_FILETYPE_ASN1)."""


class Distrusted(ssl.SSLError):
    """OpenSSL accepted the chain, the rules of this module did not."""


class Unselected(ssl.SSLError):
    """The server took a version that the definition leaves out, between two that it allows."""


@dataclass(slots=True)
class Handshake:
    """What one handshake learnt; filled in while it runs, also where it fails."""

    trust: TrustSet
    offer: Offer = ALL
    chain: tuple[bytes, ...] = ()
    verified: tuple[bytes, ...] = ()
    voucher: Voucher | None = None
    first_bytes: bytes = b""
    version: str | None = None
    cipher: str | None = None
    error: ssl.SSLError | None = None
    fault: Exception | None = None

    @property
    def verify_code(self) -> int:
        """Return OpenSSL's X509_V_ERR number, 0 where verification did not fail."""
        return self.error.verify_code if isinstance(self.error, ssl.SSLCertVerificationError) else 0


_current: ContextVar[Handshake] = ContextVar("steng_handshake")


@contextlib.contextmanager
def shaking_hands(handshake: Handshake) -> Iterator[None]:
    """Let the handshake that this task begins write into `handshake`."""
    token = _current.set(handshake)
    try:
        yield
    except ssl.SSLError as error:
        handshake.error = error
        raise
    finally:
        _current.reset(token)


class GuardedObject(ssl.SSLObject):
    """Capture the chain whatever happens, and refuse what OpenSSL alone would accept."""

    handshake: Handshake
    incoming: ssl.MemoryBIO

    def do_handshake(self) -> None:
        if not self.handshake.first_bytes and self.incoming.pending:
            # Taken out and put back: what answered a ClientHello that no TLS server answered is worth knowing.
            data = self.incoming.read()
            self.incoming.write(data)
            self.handshake.first_bytes = data[:_FIRST_BYTES]
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            self._guard(self._capture)
            raise
        self._guard(self._capture, self._refuse_unselected, self._judge)

    def _guard(self, *steps: Callable[[], None]) -> None:
        try:
            for step in steps:
                step()
        except ssl.SSLError:
            raise
        except Exception as error:
            # asyncio ends a handshake in order only for an SSLError; a fault of ours must end it too.
            self.handshake.fault = error
            raise Distrusted("fault") from error

    def _capture(self) -> None:
        inner = cast("_Inner", self._sslobj)  # type: ignore[attr-defined]
        self.handshake.chain = _encoded(inner.get_unverified_chain())
        self.handshake.verified = _encoded(inner.get_verified_chain())
        cipher = self.cipher()
        if cipher is not None:
            self.handshake.cipher = BY_OPENSSL.get(cipher[0], cipher[0])
            # A handshake that failed has no version, but its suite belongs to 1.3, or to what else was offered.
            self.handshake.version = self.version() or _only(cipher[1], self.handshake.offer)

    def _refuse_unselected(self) -> None:
        # OpenSSL offers all versions between two; with a hole in the choice the server may take one that is not in it.
        version = (self.handshake.version or "").replace(".", "_")
        if version not in self.handshake.offer.versions:
            raise Unselected("unselected version")

    def _judge(self) -> None:
        handshake = self.handshake
        code = refusal_of(handshake.chain, handshake.verified, handshake.trust)
        handshake.voucher = voucher_of(handshake.verified, handshake.trust)
        if code is not None or handshake.voucher is None:
            raise Distrusted(code or "no voucher")


class GuardedContext(ssl.SSLContext):
    """Hand the running handshake to the object that performs it."""

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        wrapped = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        guarded = cast("GuardedObject", wrapped)
        # A LookupError here means that nobody asked for a guarded handshake: then there is none.
        guarded.handshake, guarded.incoming = _current.get(), incoming
        return guarded


class Contexts:
    """Keep contexts by what they trust: building one costs more than the probe that uses it."""

    def __init__(self, entries: int = _MAX_CONTEXTS, weight: int = _MAX_WEIGHT) -> None:
        self._entries = entries
        self._limit = weight
        self._weight = 0
        self._kept: OrderedDict[tuple[tuple[bytes, ...], Offer, bool], GuardedContext] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, trust: TrustSet, offer: Offer, *, match_hostname: bool) -> GuardedContext:
        """Return the context for a trust set and policy."""
        ders = tuple(dict.fromkeys(item.der for item in (*trust.anchors, *trust.pins)))
        key = (ders, offer, match_hostname)
        with self._lock:
            context = self._kept.get(key)
            if context is None:
                context = self._kept[key] = build(ders, offer, match_hostname=match_hostname)
                self._weight += len(ders)
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and (len(self._kept) > self._entries or self._weight > self._limit):
                (oldest, *_), _ = self._kept.popitem(last=False)
                self._weight -= len(oldest)
            return context

    def __len__(self) -> int:
        return len(self._kept)


def build(trusted: tuple[bytes, ...], offer: Offer, *, match_hostname: bool) -> GuardedContext:
    """Return a context that offers exactly this, and trusts exactly these certificates, wherever they stand."""
    context = GuardedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslobject_class = GuardedObject
    context.check_hostname = match_hostname
    _restrict(context, offer)
    # A server could ask for handshake after handshake over TLS 1.2, and none but the first is judged here.
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for der in trusted:
        # A certificate that OpenSSL cannot read vouches for nothing; the others still do.
        with contextlib.suppress(ssl.SSLError):
            context.load_verify_locations(cadata=der)
    return context


def _restrict(context: ssl.SSLContext, offer: Offer) -> None:
    with warnings.catch_warnings():
        # Python warns of old versions; who selects them has been warned by the console.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = VERSIONS[offer.versions[0]], VERSIONS[offer.versions[-1]]
    named = [SUITES[name] for name in offer.suites or ()]
    older = ":".join(suite.openssl for suite in named if not suite.tls13)
    if offer.loosened:
        context.set_ciphers(f"{older or 'DEFAULT'}:@SECLEVEL=0")
    elif older:
        context.set_ciphers(older)
    choose = chooser(context)
    newer = ":".join(suite.openssl for suite in named if suite.tls13)
    if newer and choose is not None:
        choose(newer)


contexts = Contexts()


def certificate_failed(handshake: Handshake) -> bool:
    """Tell whether the handshake came as far as a certificate, and failed over it."""
    return isinstance(handshake.error, ssl.SSLCertVerificationError | Distrusted)


def failure_of(error: BaseException, handshake: Handshake, expected: str) -> ProbeFailure | None:
    """Return what a handshake that failed before its certificate says; None where it says nothing about TLS.

    `expected` is the protocol that was to be spoken over it: a greeting of that one asks for STARTTLS.
    """
    first = handshake.first_bytes
    if first and looks_like(first) != "TLS":
        return _not_tls(first, expected)
    if not isinstance(error, ssl.SSLError):
        return None
    if isinstance(handshake.error, Unselected):
        return _unselected(handshake)
    reason = error.reason or type(error).__name__
    evidence = {"tls_reason": reason}
    for applies, code in _READINGS:
        if applies(reason, handshake):
            return ProbeFailure(code, evidence=evidence)
    return ProbeFailure("handshake_failed", f"The TLS handshake failed: {reason}.", evidence=evidence)


def _only(family: str, offer: Offer) -> str | None:
    older = [name for name in offer.versions if name != "TLSv1_3"]
    if family == "TLSv1.3":
        return family
    return older[0].replace("_", ".") if len(older) == 1 else None


def _encoded(chain: list[_Certificate] | None) -> tuple[bytes, ...]:
    # One more than allowed is kept, to know that there were more.
    return tuple(certificate.public_bytes(_DER) for certificate in (chain or [])[: MAX_CHAIN + 1])


def _not_tls(first: bytes, expected: str) -> ProbeFailure:
    name = looks_like(first)
    if name == expected:
        return ProbeFailure(
            "tls_not_spoken",
            "The server greets in clear text on this port; it does not speak TLS at once.",
            evidence={"looks_like": name, "suggestion": {"connection_security": "STARTTLS"}},
        )
    if name is not None:
        return ProbeFailure("wrong_protocol", f"{name} answers on this port, not TLS.", evidence={"looks_like": name})
    return ProbeFailure("tls_not_spoken")


def _unselected(handshake: Handshake) -> ProbeFailure:
    took = (handshake.version or "").replace(".", "_")
    allowed = ", ".join(handshake.offer.versions)
    return ProbeFailure(
        "protocol_not_accepted",
        f"The server took {took}, which lies between the versions that are allowed ({allowed}) and is not one of them. "
        "The connection ended before anything was sent over it.",
        evidence={"server_chose": took},
    )


def _has(*words: str) -> Callable[[str, Handshake], bool]:
    return lambda reason, _: any(word in reason for word in words)


def _wants_client_certificate(reason: str, handshake: Handshake) -> bool:
    # TLS 1.2 servers answer the empty certificate with a plain handshake_failure, after their own was accepted.
    return "CERTIFICATE_REQUIRED" in reason or ("HANDSHAKE_FAILURE" in reason and bool(handshake.chain))


_READINGS: tuple[tuple[Callable[[str, Handshake], bool], str], ...] = (
    (_wants_client_certificate, "client_certificate_required"),
    (
        _has("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "WRONG_SSL_VERSION", "VERSION_TOO_LOW", "LEGACY_SIGALG"),
        "protocol_not_accepted",
    ),
    (_has("HANDSHAKE_FAILURE", "INSUFFICIENT_SECURITY", "SHARED_CIPHER", "WRONG_CIPHER"), "cipher_not_accepted"),
    (_has("EXCESSIVE_MESSAGE_SIZE"), "too_much_data"),
    (_has("EOF_OCCURRED", "SSLEOFError", "SSLZeroReturnError"), "closed"),
    (
        _has(
            "WRONG_VERSION_NUMBER", "UNEXPECTED", "BAD_RECORD", "DECODE", "LENGTH", "DECRYPTION_FAILED", "BAD_PACKET",
            "DATA_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "BAD_CHANGE_CIPHER_SPEC", "BAD_EXTENSION", "UNKNOWN_ALERT",
        ),
        "protocol_error",
    ),
)  # fmt: skip
"""OpenSSL's reasons in the order in which they are tried: the first that applies names the code."""
