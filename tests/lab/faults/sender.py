"""Senders that a submission server does not want."""

from collections.abc import Iterator

from tests.lab.dialects import Moment
from tests.lab.faults.acts import lines, says
from tests.lab.faults.fault import SMTP, Fault

_AT = Moment.SENDER
REFUSALS = (
    "550 5.1.8 Sender address rejected: Domain not found",
    "553 5.7.1 Sender address rejected: not owned by user",
    "552 5.7.60 SMTP; Client does not have permissions to send as this sender",
    "501 5.1.7 Bad sender address syntax",
    "530 5.7.57 Client not authenticated to send mail",
    "451 4.1.8 Cannot resolve the domain now",
)


def faults() -> Iterator[Fault]:
    """Yield them."""
    for text in REFUSALS:
        yield Fault(
            name=f'refuses the sender: "{text}"',
            at=_AT,
            code="sender_refused",
            protocols=SMTP,
            act=says(lines(text)),
            parting=True,
        )
    for text in ("what?", "250 o\0k"):
        yield Fault(
            name=f"answers the sender with {'garbage' if text == 'what?' else 'a NUL'}",
            at=_AT,
            code="protocol_error",
            protocols=SMTP,
            act=says(lines(text)),
        )
    yield Fault(
        name="is asked to take a sender outside ASCII without SMTPUTF8",
        at=_AT,
        code="sender_refused",
        protocols=SMTP,
        request={"sender_address": "ä@lab.test"},
        here=(),
        parting=True,
    )
