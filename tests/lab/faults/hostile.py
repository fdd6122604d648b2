"""Servers that mean harm: floods, giants and forgeries. The probe keeps little of them, and names what they did."""

from collections.abc import Iterator, Sequence

from tests.lab.dialects import Moment
from tests.lab.facts import Protocol
from tests.lab.faults.acts import Lines, adds, floods, lines, patience, says
from tests.lab.faults.course import CREDENTIAL
from tests.lab.faults.fault import CLEAR, EITHER, EVERY, IMAP, POP3, SMTP, TLS, Act, Fault
from tests.lab.faults.scene import Scene

_GREETING, _CAPABILITIES, _AUTH = Moment.GREETING, Moment.CAPABILITIES, Moment.AUTH
_LINE = b"2" * 65_536
"""Digits: the beginning of an SMTP reply may be part of an endless line, and of other protocols the rest."""

UGLY = "X-\x1b[31mred\u202ekcab\u200bhid\x07\x9b"
"""An escape sequence, a bidi override, a zero width space, a bell and a C1 control."""


def faults() -> Iterator[Fault]:
    """Yield them."""
    yield from _endless_lines()
    yield from _endless_answers()
    yield from _one_hundred_thousand()
    yield from _literals()
    yield from _drops()
    yield from _goodbyes()
    yield from _ugly()
    yield Fault(
        name="sends clear text in the midst of TLS", at=_CAPABILITIES, code="protocol_error", securities=TLS[1:],
        act=_breaks_tls,
    )  # fmt: skip


def _endless_lines() -> Iterator[Fault]:
    for at, name, heads in (
        (_GREETING, "greets", (b"", b"* OK ", b"+OK ")),
        (_CAPABILITIES, "tells its capabilities", (b"", b"* CAPABILITY ", b"+OK\r\n")),
        (_AUTH, "judges the sign-in", (b"", b"* OK ", b"+OK ")),
    ):
        for protocol, head in zip(Protocol, heads, strict=True):
            yield Fault(
                name=f"{name} with an endless line",
                at=at,
                code="too_much_data",
                protocols=(protocol,),
                act=floods(_LINE, head=head),
                floods=True,
            )


def _endless_answers() -> Iterator[Fault]:
    for at, name, protocols, head, data, code in (
        (_GREETING, "greets without end", SMTP, b"", b"220-more\r\n", "too_much_data"),
        (_CAPABILITIES, "offers capabilities without end", SMTP, b"", b"250-X\r\n", "too_much_data"),
        (_CAPABILITIES, "offers capabilities without end", IMAP, b"", b"* CAPABILITY X\r\n", "too_much_data"),
        (_CAPABILITIES, "offers capabilities without end", POP3, b"+OK\r\n", b"X\r\n", "too_much_data"),
        (_AUTH, "judges the sign-in without end", SMTP, b"", b"235-welcome\r\n", "too_much_data"),
        (_AUTH, "judges the sign-in without end", IMAP, b"", b"* OK welcome\r\n", "too_much_data"),
        (_GREETING, "greets with endless NULs", EVERY, b"\0", b"\0" * 8, "protocol_error"),
    ):
        yield Fault(
            name=name,
            at=at,
            code=code,
            protocols=protocols,
            act=floods(data * (65_536 // len(data)), head=head),
            floods=True,
        )


def _one_hundred_thousand() -> Iterator[Fault]:
    for protocols, head, data, tail in (
        (SMTP, "", "250-X\r\n", "250 X\r\n"),
        (IMAP, "* CAPABILITY IMAP4rev1\r\n", "* 1 EXISTS\r\n", "{tag} OK done\r\n"),
        (POP3, "+OK\r\n", "X\r\n", ".\r\n"),
    ):
        yield Fault(
            name="tells its capabilities in 100,000 lines",
            at=_CAPABILITIES,
            code="too_much_data",
            protocols=protocols,
            act=_sends_many(head, data * 1_000, 100, tail),
            floods=True,
        )


def _literals() -> Iterator[Fault]:
    for at, name, head in (
        (_CAPABILITIES, "among its capabilities", b"* CAPABILITY {2147483647}\r\n"),
        (Moment.FOLDER, "where it opens the folder", b'* LIST () "/" {2147483647}\r\n'),
    ):
        yield Fault(
            name=f"announces a literal of two gigabytes {name}",
            at=at,
            code="too_much_data",
            protocols=IMAP,
            act=floods(b"* 1 EXISTS\r\n" * 8_192, head=head),
            floods=True,
        )
    asked = ("CAPABILITY", "STATUS", "MYRIGHTS", "EXAMINE")
    for name, protocols, head, data, here in (
        ("lists folders without end", IMAP, b"", b'* LIST () "/" "folder"\r\n', asked),
        ("tells of messages without end", IMAP, b"", b"* 1 FETCH (FLAGS ())\r\n", asked),
        ("counts its messages with an endless line", POP3, b"+OK ", b"2" * 1_024, ("STAT",)),
    ):
        yield Fault(
            name=name,
            at=Moment.FOLDER,
            code="too_much_data",
            protocols=protocols,
            act=floods(data * (65_536 // len(data)), head=head),
            here=here,
            floods=True,
        )
    for name, protocols, head, data, here in (
        ("tells a message with an endless line", IMAP, b"", b"* 2 FETCH (" + b"x" * 1_000, (*asked, "FETCH")),
        ("tells a message without end", IMAP, b"", b"* 2 FETCH (UID 102)\r\n", (*asked, "FETCH")),
        ("shows a header without end", POP3, b"+OK\r\n", b"X: y\r\n", ("STAT", "LIST", "UIDL", "TOP")),
    ):
        yield Fault(
            name=name,
            at=Moment.FOLDER,
            when=Moment.MESSAGE,
            code="too_much_data",
            protocols=protocols,
            act=floods(data * (65_536 // len(data)), head=head),
            here=here,
            floods=True,
        )
    for protocols, prompt, here, parting in (
        (SMTP, b"334 ", ("AUTH CRAM-MD5", CREDENTIAL), True),
        (IMAP, b"+ ", ("AUTHENTICATE CRAM-MD5", CREDENTIAL, "*"), False),
        (POP3, b"+ ", ("AUTH CRAM-MD5", CREDENTIAL), False),
    ):
        yield Fault(
            name="asks for more without end",
            at=_AUTH,
            when=Moment.CHALLENGE,
            code="protocol_error",
            protocols=protocols,
            securities=CLEAR,
            request={"mechanism": "CRAM_MD5"},
            act=floods((prompt + b"\r\n") * 8_192, head=prompt + b"PDFAbWFpbD4=\r\n"),
            here=here,
            parting=parting,
            floods=True,
        )


def _drops() -> Iterator[Fault]:
    for at in (_GREETING, _CAPABILITIES, _AUTH):
        yield Fault(name=f"sends each byte for itself at the stage {at}", at=at, code=None, act=_byte_by_byte)
    yield Fault(
        name="drips one byte each second and never ends", at=_GREETING, code="timeout", act=_drips, securities=CLEAR
    )


def _goodbyes() -> Iterator[Fault]:
    """Yield servers that say goodbye unasked, in the segment of their answer to something else."""
    for at, when, securities, here in (
        (_CAPABILITIES, _GREETING, EITHER, ("CAPABILITY",)),
        (_AUTH, _CAPABILITIES, (*CLEAR, *TLS[1:]), ()),
        (Moment.STARTTLS, _CAPABILITIES, TLS[:1], ("STARTTLS",)),
    ):
        yield Fault(
            name=f"says goodbye unasked behind its answer at the stage {when}",
            at=at,
            when=when,
            code="closed",
            protocols=IMAP,
            securities=securities,
            act=adds(lines(imap="* BYE Autologout")),
            here=here,
        )
    for at, when in ((_CAPABILITIES, _GREETING), (_AUTH, _CAPABILITIES), (Moment.FOLDER, _AUTH)):
        yield Fault(
            name=f"says an error unasked behind its answer at the stage {when}",
            at=at,
            when=when,
            code="protocol_error",
            protocols=POP3,
            securities=CLEAR,
            act=adds(lines(pop3="-ERR Autologout")),
            here=(),
            parting=True,
        )
    for at, when, code in (
        (_CAPABILITIES, _GREETING, "closed"),
        (_AUTH, _CAPABILITIES, "rate_limited"),
        (Moment.SENDER, _AUTH, "closed"),
    ):
        yield Fault(
            name=f"shuts down unasked behind its answer at the stage {when}",
            at=at,
            when=when,
            code=code,
            protocols=SMTP,
            securities=CLEAR,
            act=adds(lines("421 4.3.2 Shutting down")),
            here=(),
            parting=True,
        )


def _ugly() -> Iterator[Fault]:
    said: Lines = lines(f"250-mail.lab.test\n250-{UGLY}\n250 AUTH CRAM-MD5")
    yield Fault(
        name="offers capabilities with control characters",
        at=_CAPABILITIES,
        code=None,
        protocols=SMTP,
        securities=CLEAR,
        act=says(said),
    )
    yield Fault(
        name="denies access with control characters",
        at=_GREETING,
        code="access_denied",
        protocols=SMTP,
        act=says(lines(f"554 {UGLY}")),
    )
    yield Fault(
        name="is not available, with control characters",
        at=_GREETING,
        code="service_unavailable",
        act=says(lines(f"421 {UGLY}", f"* BYE {UGLY}", f"-ERR {UGLY}")),
    )


async def _byte_by_byte(scene: Scene, usual: Sequence[str]) -> None:
    for byte in "".join(f"{line}\r\n" for line in usual).encode():
        await scene.peer.send(bytes([byte]))
        await patience(scene, 0.0)


async def _drips(scene: Scene, _: Sequence[str]) -> None:
    head = {Protocol.SMTP: b"220 ", Protocol.IMAP: b"* OK ", Protocol.POP3: b"+OK "}[scene.protocol]
    await scene.peer.send(head)
    while True:
        await scene.peer.send(b"x")
        await patience(scene, 1.0)


async def _breaks_tls(scene: Scene, _: Sequence[str]) -> None:
    await scene.peer.send_beside_tls(b"250 mail.lab.test\r\n")
    raise EOFError


def _sends_many(head: str, data: str, times: int, tail: str) -> Act:
    async def act(scene: Scene, _: Sequence[str]) -> None:
        await scene.peer.send(head.encode())
        for _turn in range(times):
            await scene.peer.send(data.encode())
        await scene.peer.send(tail.replace("{tag}", scene.tag).encode())

    return act
