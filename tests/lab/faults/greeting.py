"""Greetings that are none, or that say no."""

from collections.abc import Iterator, Sequence

from tests.lab.dialects import Moment
from tests.lab.facts import Security
from tests.lab.faults.acts import Lines, closes, lines, patience, says, sends
from tests.lab.faults.fault import EVERY, IMAP, MAIL, POP3, SMTP, Fault
from tests.lab.faults.scene import Scene

_AT = Moment.GREETING
_PATIENCE = 3.5
"""Seconds of silence after which a probe looks whether the port speaks TLS."""

UNAVAILABLE: tuple[tuple[str, Lines], ...] = (
    ("says that it is not available", lines("421 4.3.2 Too busy", "* BYE Too busy", "-ERR [SYS/TEMP] Too busy")),
    (
        "is overloaded, with a reason for people",
        lines("451 4.7.1 Greylisted", "* BYE [UNAVAILABLE] Later", "-ERR Later"),
    ),
)
DENIED = (("554 5.7.1 Your address is listed", "refuses the caller"), ("550-Go\n550 away", "refuses over two lines"))
OTHERS = (
    ("HTTP", b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n", EVERY),
    ("SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n", EVERY),
    ("VNC", b"RFB 003.008\n", EVERY),
    ("SMTP", b"220 mail.lab.test ESMTP\r\n", MAIL),
    ("IMAP", b"* OK IMAP4rev1 ready\r\n", (*SMTP, *POP3)),
    ("POP3", b"+OK POP3 ready\r\n", (*SMTP, *IMAP)),
)
GARBAGE = (
    ("garbage", b"\x00\xff\x13garbage\r\n"),
    ("bytes of no kind without an end", b"\xff\xff\xff\xff"),
    ("an empty line", b"\r\n"),
    ("8-bit text", "Grüß Gott\r\n".encode("latin-1")),
)


def faults() -> Iterator[Fault]:
    """Yield them."""
    for name, said in UNAVAILABLE:
        yield Fault(name=name, at=_AT, code="service_unavailable", act=says(said))
    for text, name in DENIED:
        yield Fault(name=name, at=_AT, code="access_denied", protocols=SMTP, act=says(lines(text)))
    for other, data, protocols in OTHERS:
        yield Fault(
            name=f"speaks {other}",
            at=_AT,
            code="wrong_protocol",
            protocols=protocols,
            act=sends(data),
            evidence={"looks_like": other},
        )
    yield Fault(
        name="answers clear text with a TLS alert",
        at=_AT,
        code="wrong_protocol",
        securities=(Security.NONE, Security.STARTTLS),
        act=sends(b"\x15\x03\x01\x00\x02\x02\x46"),
        evidence={"looks_like": "TLS", "suggestion": {"connection_security": "SSL_TLS"}},
    )
    for what, data in GARBAGE:
        yield Fault(name=f"greets with {what}", at=_AT, code="protocol_error", act=sends(data))
    yield from _of_one_protocol()
    for how, act in (("waits for a ClientHello", _waits_for_tls), ("hangs up on clear text", _drops_clear_text)):
        yield Fault(
            name=f"speaks TLS at once and {how}",
            at=_AT,
            code="tls_expected",
            securities=(Security.NONE, Security.STARTTLS),
            act=act,
            evidence={"suggestion": {"connection_security": "SSL_TLS"}},
        )


def _of_one_protocol() -> Iterator[Fault]:
    yield Fault(
        name="greets without asking for a login",
        at=_AT,
        code="preauthenticated",
        protocols=IMAP,
        act=says(lines(imap="* PREAUTH welcome")),
    )
    for name, said in (
        ("greets with a NUL", lines("220 mail\0.lab.test", "* OK IMAP\0", "+OK POP\0")),
        ("greets with another good code", lines("250 mail.lab.test")),
        ("greets with a code of the first hundred", lines("120 soon")),
        ("greets with two codes in one reply", lines("220-mail\n250 lab")),
        ("greets with a tagged answer", lines(imap="a001 OK ready")),
        ("greets with NO", lines(imap="* NO ready")),
        ("greets with a continuation", lines(imap="+ go on", pop3="+ go on")),
    ):
        yield Fault(name=name, at=_AT, code="protocol_error", protocols=tuple(said), act=says(said))


async def _waits_for_tls(scene: Scene, _: Sequence[str]) -> None:
    if scene.number == 0:
        await patience(scene, _PATIENCE)
        raise EOFError
    await scene.peer.start_tls()


async def _drops_clear_text(scene: Scene, _: Sequence[str]) -> None:
    if scene.number == 0:
        await closes(scene, _)
    await scene.peer.start_tls()
