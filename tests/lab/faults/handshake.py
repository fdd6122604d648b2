"""Handshakes that fail before any certificate was judged."""

from collections.abc import Iterator, Sequence

from tests.lab.dialects import Moment
from tests.lab.facts import Security
from tests.lab.faults.acts import sends
from tests.lab.faults.fault import IMAP, POP3, SMTP, TLS, Act, Fault
from tests.lab.faults.scene import Scene

_AT = Moment.TLS
_ONLY_TLS = (Security.SSL_TLS,)
GREETINGS = ((SMTP, b"220 mail.lab.test ESMTP\r\n"), (IMAP, b"* OK IMAP4rev1 ready\r\n"), (POP3, b"+OK POP3 ready\r\n"))


def faults() -> Iterator[Fault]:
    """Yield them."""
    for protocols, greeting in GREETINGS:
        yield Fault(
            name="greets in clear text where TLS is expected",
            at=_AT,
            code="tls_not_spoken",
            protocols=protocols,
            securities=_ONLY_TLS,
            act=sends(greeting),
            evidence={"suggestion": {"connection_security": "STARTTLS"}},
        )
    for other, data in (("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n"), ("SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n")):
        yield Fault(
            name=f"speaks {other} where TLS is expected",
            at=_AT,
            code="wrong_protocol",
            securities=_ONLY_TLS,
            act=sends(data),
            evidence={"looks_like": other},
        )
    yield Fault(
        name="speaks text of no kind where TLS is expected",
        at=_AT,
        code="tls_not_spoken",
        securities=_ONLY_TLS,
        act=sends(b"what do you want?\r\n"),
    )
    for name, data, code in (
        ("sends a broken record", b"\x16\x03\x03\x00\x05\xff\xff\xff\xff\xff", "protocol_error"),
        ("sends a record longer than records are", b"\x16\x03\x03\xff\xff" + b"\0" * 200, "protocol_error"),
        ("ends the handshake with the alert internal_error", _alert(80), "handshake_failed"),
        ("ends the handshake with the alert handshake_failure", _alert(40), "cipher_not_accepted"),
        ("ends the handshake with the alert insufficient_security", _alert(71), "cipher_not_accepted"),
        ("ends the handshake with the alert protocol_version", _alert(70), "protocol_not_accepted"),
        ("ends the handshake with an alert that nobody knows", _alert(238), "handshake_failed"),
    ):
        yield Fault(name=name, at=_AT, code=code, securities=TLS, act=_answers(data))
    yield Fault(name="hangs up within a TLS record", at=_AT, code="closed", securities=TLS, act=_half)
    yield Fault(
        name="knows TLS 1.0 and 1.1 only", at=_AT, code="protocol_not_accepted", act=_aloud, presents="old versions"
    )
    yield Fault(
        name="has other cipher suites only", at=_AT, code="cipher_not_accepted", act=_aloud, presents="old suites"
    )
    for version in ("TLS 1.2", "TLS 1.3"):
        yield Fault(
            name=f"wants a client certificate over {version}",
            at=_AT,
            code="client_certificate_required",
            act=_aloud,
            presents=f"asks, {version}",
        )


def _alert(number: int) -> bytes:
    """Return a record with one fatal alert (RFC 8446 section 6)."""
    return bytes((0x15, 3, 3, 0, 2, 2, number))


def _answers(data: bytes) -> Act:
    async def act(scene: Scene, _: Sequence[str]) -> None:
        await scene.peer.client_hello()
        await scene.peer.send(data)
        await scene.peer.hang()
        raise EOFError

    return act


async def _half(scene: Scene, _: Sequence[str]) -> None:
    await scene.peer.client_hello()
    await scene.peer.send(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03")
    await scene.peer.close()
    raise EOFError


async def _aloud(scene: Scene, _: Sequence[str]) -> None:
    await scene.peer.handshake_aloud()
