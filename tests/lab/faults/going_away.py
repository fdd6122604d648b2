"""Servers that go away, say nothing, or say goodbye, at every moment."""

from collections.abc import Iterator

from tests.lab.dialects import Moment
from tests.lab.faults.acts import closes, is_silent, resets
from tests.lab.faults.fault import Fault

MOMENTS = (
    Moment.GREETING,
    Moment.CAPABILITIES,
    Moment.STARTTLS,
    Moment.TLS,
    Moment.CAPABILITIES_AGAIN,
    Moment.AUTH,
    Moment.SENDER,
    Moment.FOLDER,
)
SOURCE = {"source_address": "127.0.0.1"}


def faults() -> Iterator[Fault]:
    """Yield them."""
    for at in MOMENTS:
        yield Fault(name=f"hangs up instead of {_did(at)}", at=at, code="closed", act=closes, evidence=SOURCE)
        yield Fault(name=f"resets instead of {_did(at)}", at=at, code="reset", act=resets, evidence=SOURCE)
        yield Fault(name=f"says nothing instead of {_did(at)}", at=at, code="timeout", act=is_silent, evidence=SOURCE)
    for act, how in ((closes, "hangs up"), (resets, "resets"), (is_silent, "says nothing")):
        yield Fault(name=f"{how} instead of saying goodbye", at=Moment.QUIT, code=None, act=act)


_WORDS = {
    Moment.GREETING: "greeting",
    Moment.CAPABILITIES: "telling its capabilities",
    Moment.STARTTLS: "agreeing to TLS",
    Moment.TLS: "shaking hands",
    Moment.CAPABILITIES_AGAIN: "telling its capabilities after TLS",
    Moment.AUTH: "judging the sign-in",
    Moment.SENDER: "taking the sender",
    Moment.FOLDER: "opening the folder",
}


def _did(at: Moment) -> str:
    return _WORDS[at]
