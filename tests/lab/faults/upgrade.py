"""STARTTLS and STLS that go wrong; nothing may be said in clear text after them, and nothing fall back to it."""

from collections.abc import Iterator, Sequence

from tests.lab.dialects import Moment
from tests.lab.faults.acts import adds, last_words, lines, says
from tests.lab.faults.fault import UPGRADE, Fault
from tests.lab.faults.scene import Scene

_AT = Moment.STARTTLS
INJECTED = lines("250-mail.lab.test\n250 AUTH PLAIN", "* CAPABILITY IMAP4rev1 AUTH=PLAIN", "+OK\nSASL PLAIN\n.")


def faults() -> Iterator[Fault]:
    """Yield them."""
    for name, said in (
        ("offers TLS but cannot begin it", lines("454 4.7.0 TLS not available", "{tag} NO No TLS", "-ERR No TLS")),
        ("offers TLS but does not know the command", lines("502 5.5.1 What?", "{tag} BAD What?", "-ERR Unknown")),
    ):
        yield Fault(name=name, at=_AT, code="starttls_refused", act=says(said), parting=True)
    for name, said in (
        ("agrees to TLS with garbage", lines("go ahead", "go ahead", "go ahead")),
        ("agrees to TLS with a continuation", lines(imap="+ go on", pop3="+ go on")),
        ("agrees to TLS for another command", lines(imap="zzz OK Begin")),
    ):
        yield Fault(name=name, at=_AT, code="protocol_error", protocols=tuple(said), act=says(said))
    yield Fault(name="injects bytes with its agreement to TLS", at=_AT, code="injected_data", act=_injects_at_once)
    yield Fault(name="injects one byte with its agreement to TLS", at=_AT, code="injected_data", act=_injects_a_byte)
    yield Fault(
        name="injects bytes after the ClientHello", at=Moment.TLS, stage="starttls", code="injected_data",
        securities=UPGRADE, act=_injects_later,
    )  # fmt: skip
    for said, parting in ((lines("421 4.3.2 Shutting down"), True), (lines(imap="* BYE Shutting down"), False)):
        yield Fault(
            name="says that it shuts down when asked for TLS",
            at=_AT,
            code="closed",
            protocols=tuple(said),
            act=last_words(said),
            parting=parting,
        )


async def _injects_at_once(scene: Scene, usual: Sequence[str]) -> None:
    await adds(INJECTED)(scene, usual)
    await scene.peer.start_tls()


async def _injects_a_byte(scene: Scene, usual: Sequence[str]) -> None:
    await scene.peer.send("".join(f"{line}\r\n" for line in usual).encode() + b"\n")
    await scene.peer.start_tls()


async def _injects_later(scene: Scene, usual: Sequence[str]) -> None:
    await scene.peer.client_hello()
    await says(INJECTED)(scene, usual)
