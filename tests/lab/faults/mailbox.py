"""Folders that are not there, not open to this account, or open in part; POP3 servers that will not count."""

from collections.abc import Iterator

from steng import wire
from tests.lab.dialects import Moment
from tests.lab.faults.acts import lines, says
from tests.lab.faults.fault import IMAP, MAIL, Fault

_AT = Moment.FOLDER
_ASKED = ("CAPABILITY", "STATUS", "MYRIGHTS", "EXAMINE")


def faults() -> Iterator[Fault]:
    """Yield them."""
    for text, code in (
        ("NO [NOPERM] Permission denied", "folder_not_permitted"),
        ("NO [AUTHORIZATIONFAILED] Not for you", "folder_not_permitted"),
        ("NO [UNAVAILABLE] The backend is down", "folder_unavailable"),
        ("NO [SERVERBUG] Internal error occurred", "folder_unavailable"),
        ("NO [INUSE] Mailbox is in use", "mailbox_in_use"),
    ):
        yield Fault(
            name=f'refuses the folder: "{text}"',
            at=_AT,
            code=code,
            protocols=IMAP,
            act=says(lines(imap=f"{{tag}} {text}")),
            parting=True,
        )
    yield from _not_found()
    yield from _rights()
    for name, said in (
        ("opens the folder with garbage", lines(imap="what?", pop3="what?")),
        ("opens the folder with a continuation", lines(imap="+ go on", pop3="+ go on")),
        ("opens a folder that nobody asked for", lines(imap="zzz OK done")),
        ("counts in words", lines(pop3="+OK three messages")),
        ("does not count", lines(pop3="-ERR Not now")),
    ):
        yield Fault(
            name=name,
            at=_AT,
            code="protocol_error",
            protocols=tuple(said),
            act=says(said),
        )
    said = lines(imap="* BYE Your session is over")
    yield Fault(
        name="says goodbye instead of opening the folder", at=_AT, code="closed", protocols=IMAP, act=says(said)
    )
    yield Fault(
        name="holds a mailbox without messages",
        at=_AT,
        code=None,
        protocols=MAIL,
        mailbox={"folders": {"INBOX": ()}},
        last=(),
    )


def _not_found() -> Iterator[Fault]:
    for name, text in (
        ("has no such folder", "NO [NONEXISTENT] Mailbox doesn't exist"),
        ("has no such folder and says it in its own words", "NO Mailbox does not exist, or must be subscribed to"),
        ("does not take the name of the folder", "NO [CANNOT] Invalid mailbox name"),
    ):
        yield Fault(
            name=name,
            at=_AT,
            code="folder_not_found",
            protocols=IMAP,
            act=says(lines(imap=f"{{tag}} {text}")),
            request={"mailbox": wire.Mailbox(folder="archive/2024")},
            here=(*_ASKED, "LIST"),
            parting=True,
            evidence={"suggestion": {"folder": "Archive/2024"}, "separator": "/"},
        )
    yield Fault(
        name="lists the folder that it refuses",
        at=_AT,
        code="folder_not_permitted",
        protocols=IMAP,
        act=says(lines(imap="{tag} NO You may not")),
        here=(*_ASKED, "LIST"),
        parting=True,
    )


def _rights() -> Iterator[Fault]:
    for disposition, rights, missing in (
        (wire.Disposition.SEEN, "lr", ["s"]),
        (wire.Disposition.DELETE, "lrswi", ["e", "t"]),
    ):
        yield Fault(
            name=f"grants the rights {rights} where messages shall be {_TREATED[disposition]}",
            at=_AT,
            code="folder_rights_missing",
            protocols=IMAP,
            mailbox={"rights": rights},
            request={"mailbox": wire.Mailbox(disposition=disposition)},
            evidence={"rights_missing": missing},
            warning=True,
        )


_TREATED = {wire.Disposition.SEEN: "marked as read", wire.Disposition.DELETE: "deleted"}
