"""Servers that go away, say nothing, or say goodbye, at every moment."""

from collections.abc import Iterator

from tests.lab.dialects import Moment
from tests.lab.faults.acts import closes, is_silent, resets
from tests.lab.faults.fault import IMAP, POP3, SMTP, Fault

_INSTEAD_OF = {
    Moment.GREETING: "greeting",
    Moment.CAPABILITIES: "telling its capabilities",
    Moment.STARTTLS: "agreeing to TLS",
    Moment.TLS: "shaking hands",
    Moment.CAPABILITIES_AGAIN: "telling its capabilities after TLS",
    Moment.AUTH: "judging the sign-in",
    Moment.SENDER: "taking the sender",
    Moment.FOLDER: "opening the folder",
}
SOURCE = {"source_address": "127.0.0.1"}


def faults() -> Iterator[Fault]:
    """Yield them."""
    for at, duty in _INSTEAD_OF.items():
        yield Fault(name=f"hangs up instead of {duty}", at=at, code="closed", act=closes, evidence=SOURCE)
        yield Fault(name=f"resets instead of {duty}", at=at, code="reset", act=resets, evidence=SOURCE)
        for protocols in (SMTP, IMAP, POP3):
            yield Fault(
                name=f"says nothing instead of {duty}",
                at=at,
                code="timeout",
                protocols=protocols,
                act=is_silent,
                evidence=SOURCE,
                # IMAP's tags tell answers apart, so a goodbye is understood also amid a command.
                parting=at is Moment.FOLDER and protocols == IMAP,
            )
    for act, how in ((closes, "hangs up"), (resets, "resets"), (is_silent, "says nothing")):
        yield Fault(name=f"{how} instead of saying goodbye", at=Moment.QUIT, code=None, act=act)
