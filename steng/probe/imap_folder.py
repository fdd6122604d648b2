"""The folder of IMAP: what is in it, which message a job would take, and whether it may do with it what it should.

It is opened with EXAMINE, which changes nothing (RFC 3501 section 6.3.2). All questions go out together where the
server's extensions allow it: ESEARCH (RFC 4731) tells the first or last match without the others, and SEARCHRES
(RFC 5182) lets the next command name it before we know it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from steng.probe import headers, told, utf7
from steng.probe.course import Running
from steng.probe.failure import ProbeFailure
from steng.probe.imap_values import Value
from steng.probe.mailbox import Mailboxes, Reply, together, values_of
from steng.probe.nearest import nearest, promising
from steng.probe.transcript import Redactor
from steng.wire import Disposition, Mailbox, ProbeRequest, Pull, Purpose

MAX_FOLDERS = 1_000
MAX_FOLDER_BYTES = 100_000
"""Folders that are told, and their bytes as JSON: a report as a whole is kept with 256,000."""

MAX_NAME = 500
"""Bytes of a folder's name that are decoded and shown: of a longer one only its begin, and it cannot be chosen."""

TURN = 100
"""Names after which everybody else has a turn: every test of this host runs in the same loop."""

WINDOW = 5_000
MAX_WINDOWS = 20
"""Messages searched at once where the server has no ESEARCH, and how often; their numbers fill 55,000 bytes."""

_ITEMS = ("UID", "INTERNALDATE", "RFC822.SIZE")
_SUBJECT = f"BODY.PEEK[HEADER.FIELDS (SUBJECT)]<0.{headers.MAX_FIELD}>"

_UNREAD = frozenset({Pull.GET_FIRST_UNREAD_MESSAGE, Pull.GET_LAST_UNREAD_MESSAGE})
_LAST = frozenset({Pull.GET_LAST_MESSAGE, Pull.GET_LAST_UNREAD_MESSAGE})

_NEEDS = {Disposition.KEEP: "", Disposition.SEEN: "s", Disposition.DELETE: "te"}
_ACTS = {Disposition.SEEN: "mark messages as read", Disposition.DELETE: "delete messages"}
"""Rights of RFC 4314 section 4 that a disposition needs; the older `d` of RFC 2086 stands for t and e."""

_UNSEEN = "UNSEEN"
"""The code with which most servers name the first unread message in answer to EXAMINE (RFC 3501 section 7.1)."""

_MISSING = frozenset({"NONEXISTENT", "TRYCREATE"})
_FORBIDDEN = frozenset({"NOPERM", "AUTHORIZATIONFAILED", "CONTACTADMIN", "PRIVACYREQUIRED"})
_CLOSED = frozenset({"UNAVAILABLE", "LIMIT", "SERVERBUG", "CORRUPTION"})


async def look_at(stage: Running, mailboxes: Mailboxes, request: ProbeRequest, redactor: Redactor) -> dict[str, str]:
    """Write into `stage` what the folder holds; return what is for who asked alone. Raises ProbeFailure."""
    look = _Look(stage, mailboxes, request.mailbox or Mailbox(), redactor)
    if request.purpose is Purpose.FOLDERS:
        await look.folders()
        return {}
    return await look.folder()


class _Look:
    def __init__(self, stage: Running, mailboxes: Mailboxes, mailbox: Mailbox, redactor: Redactor) -> None:
        self._stage = stage
        self._mailboxes = mailboxes
        self._mailbox = mailbox
        self._redactor = redactor
        self._items = (*_ITEMS, _SUBJECT) if mailbox.show_subject else _ITEMS

    def _has(self, capability: str) -> bool:
        return capability in self._mailboxes.capabilities

    # -- one folder ------------------------------------------------------

    async def folder(self) -> dict[str, str]:
        name = self._mailbox.folder
        evidence = self._stage.evidence
        evidence |= {
            "folder": name,
            "pull": self._mailbox.pull.value,
            "disposition": self._mailbox.disposition.value,
        }
        extended, saved = self._has("ESEARCH"), self._has("ESEARCH") and self._has("SEARCHRES")
        asked = {"examine": self._mailboxes.examine(name)}
        if self._has("ACL"):
            asked = {"rights": self._mailboxes.rights(name)} | asked
        if extended:
            asked["unread"] = self._mailboxes.find("RETURN", "(COUNT)", "UNSEEN", extended=True)
            asked["edge"] = self._edge(saved=saved)
        else:
            # Before EXAMINE: to ask for the state of the folder that is open is not for servers of all kinds.
            asked = {"status": self._mailboxes.status(name, "UNSEEN")} | asked
        if saved:
            asked["message"] = self._mailboxes.peek("$", *self._items, uid=True)
        said = dict(zip(asked, await together(*asked.values()), strict=True))
        if not said["examine"].ok:
            raise await self._refused(said["examine"])
        exists = _exists(said["examine"])
        codes = said["examine"].codes()
        evidence |= {
            "messages": exists,
            "unread": _count(said["unread"]) if extended else _unseen(said["status"]),
            "uid_validity": _number(codes.get("UIDVALIDITY")),
            "uid_next": _number(codes.get("UIDNEXT")),
            "would_take": None,
        }
        if "rights" in said:
            self._judge_rights(said["rights"])
        if not exists or (self._mailbox.pull in _UNREAD and evidence["unread"] == 0):
            return {}
        reply = said["message"] if saved else await self._message(said, exists, codes)
        return self._told(reply)

    def _edge(self, *, saved: bool) -> Any:
        edge = "MAX" if self._mailbox.pull in _LAST else "MIN"
        criterion = "UNSEEN" if self._mailbox.pull in _UNREAD else "ALL"
        returned = f"(SAVE {edge})" if saved else f"({edge})"
        return self._mailboxes.find("RETURN", returned, criterion, uid=True, extended=True)

    async def _message(self, said: dict[str, Reply], exists: int, codes: dict[str, str]) -> Reply | None:
        """Fetch the message that a job would take, None where it cannot be found with bounded means."""
        if "edge" in said:
            edge = "MAX" if self._mailbox.pull in _LAST else "MIN"
            uid = _extended(said["edge"], edge)
            return await self._mailboxes.peek(str(uid), *self._items, uid=True) if uid else None
        number = await self._number(exists, codes)
        return await self._mailboxes.peek(str(number), *self._items) if number else None

    async def _number(self, exists: int, codes: dict[str, str]) -> int | None:
        match self._mailbox.pull:
            case Pull.GET_FIRST_MESSAGE:
                return 1
            case Pull.GET_LAST_MESSAGE:
                return exists
            case Pull.GET_FIRST_UNREAD_MESSAGE if _number(codes.get(_UNSEEN)):
                return _number(codes[_UNSEEN])
        last = self._mailbox.pull in _LAST
        for step in range(MAX_WINDOWS):
            first, end = step * WINDOW + 1, min((step + 1) * WINDOW, exists)
            if first > exists:
                return None
            low, high = (exists - end + 1, exists - first + 1) if last else (first, end)
            found = _found(await self._mailboxes.find(f"{low}:{high}", "UNSEEN"))
            if found:
                return max(found) if last else min(found)
        self._stage.evidence["searched"] = MAX_WINDOWS * WINDOW
        return None

    def _told(self, reply: Reply | None) -> dict[str, str]:
        fetched = reply.data("FETCH") if reply is not None else []
        values = next((_pairs(values[2]) for values in fetched if len(values) > 2 and "UID" in _pairs(values[2])), None)
        if values is None:
            return {}
        self._stage.evidence["would_take"] = {
            "uid": _number(values.get("UID")),
            "date": _moment(values.get("INTERNALDATE")),
            "size": _number(values.get("RFC822.SIZE")),
        }
        if not self._mailbox.show_subject:
            return {}
        field = next((value for name, value in values.items() if name.startswith("BODY[")), None)
        raw = field.encode("utf-8", "surrogateescape") if isinstance(field, str) else field
        name, _, text = (raw if isinstance(raw, bytes) else b"").partition(b":")
        told_aside = name.strip().lower() == b"subject"
        self._stage.evidence["subject_available"] = told_aside
        return {"subject": self._redactor.clean(headers.subject_of(text), 500)} if told_aside else {}

    def _judge_rights(self, reply: Reply) -> None:
        told_rights = reply.data("MYRIGHTS")
        if not reply.ok or not told_rights or not isinstance(told_rights[0][-1], str):
            return
        rights = told_rights[0][-1].lower()
        self._stage.evidence["rights"] = self._redactor.clean(rights, 40)
        missing = sorted(set(_NEEDS[self._mailbox.disposition]) - set(rights + "te" * ("d" in rights)))
        if missing:
            self._stage.evidence["rights_missing"] = missing
            act = _ACTS[self._mailbox.disposition]
            self._stage.warn(
                "folder_rights_missing",
                f"The account may read the folder, but not {act} in it (disposition "
                f"{self._mailbox.disposition.value}): it lacks the rights {' and '.join(missing)}.",
            )

    async def _refused(self, reply: Reply) -> ProbeFailure:
        answer = reply.answer
        evidence = told.evidence_of(answer, self._redactor)
        if answer.code in _FORBIDDEN:
            return ProbeFailure("folder_not_permitted", evidence=evidence)
        if answer.code == "INUSE":
            return ProbeFailure("mailbox_in_use", evidence=evidence)
        if answer.code in _CLOSED:
            return ProbeFailure("folder_unavailable", evidence=evidence)
        name = self._mailbox.folder
        folders, _ = await _folders(await self._mailboxes.folders(), first=utf7.encode(name))
        if answer.code not in _MISSING and any(folder.name == name and folder.selectable for folder in folders):
            return ProbeFailure("folder_not_permitted", evidence=evidence)
        likely: list[str] = []
        for place in range(0, len(folders), TURN):
            batch = folders[place : place + TURN]
            likely = promising(name, likely + [folder.name for folder in batch if self._usable(folder)])
            await asyncio.sleep(0)
        near = nearest(name, likely)
        evidence["nearest"] = near
        evidence["separator"] = next((folder.separator for folder in folders if folder.separator), None)
        if near:
            evidence["suggestion"] = {"folder": near[0]}
        told_near = f" Nearest: {', '.join(near)}." if near else ""
        return ProbeFailure(
            "folder_not_found", f'The server has no folder "{name}" that can be opened.{told_near}', evidence=evidence
        )

    # -- all folders -----------------------------------------------------

    async def folders(self) -> None:
        """Tell all folders, INBOX first, as many as there is room for."""
        reply = await self._mailboxes.folders()
        if not reply.ok:
            raise ProbeFailure("folder_not_permitted", evidence=told.evidence_of(reply.answer, self._redactor))
        folders, listed = await _folders(reply)
        shown, size, turns = [], 0, _Turns()
        for folder in folders:
            await turns.spend()
            told_folder = {
                "name": self._shown(folder),
                "separator": self._redactor.clean(folder.separator or "", 4),
                "selectable": self._usable(folder),
            }
            size += len(json.dumps(told_folder, ensure_ascii=False).encode("utf-8", "replace")) + 2
            if size > MAX_FOLDER_BYTES:
                break
            shown.append(told_folder)
        self._stage.evidence |= {"folders": shown, "listed": listed}

    def _shown(self, folder: _Folder) -> str:
        return f"{self._redactor.clean_begin(folder.name)}…" if folder.cut else self._redactor.clean(folder.name)

    def _usable(self, folder: _Folder) -> bool:
        # A name that cannot be shown as it is would be another one in a form.
        return folder.selectable and self._redactor.clean(folder.name) == folder.name


class _Turns:
    """Lets everybody else have a turn, now and then, in work of which the server chose the size."""

    def __init__(self) -> None:
        self._spent = 0

    async def spend(self, size: int = 0) -> None:
        """Note a name, or an answer of `size` bytes, that was worked on."""
        self._spent += 1 + size // MAX_NAME
        if self._spent >= TURN:
            self._spent = 0
            await asyncio.sleep(0)


class _Folder:
    def __init__(self, attributes: Sequence[Value], separator: Value, wire: bytes) -> None:
        barred = {str(attribute).lower() for attribute in attributes} & {"\\noselect", "\\nonexistent"}
        self.cut = len(wire) > MAX_NAME
        raw = wire[:MAX_NAME].decode("utf-8", "surrogateescape")
        if self.cut:
            raw = _before_an_unfinished_shift(raw)
        try:
            self.name = utf7.decode(raw)
        except ValueError:
            self.name = raw
        # One character (RFC 3501 section 7.2.2).
        self.separator = separator if isinstance(separator, str) and len(separator) == 1 else None
        self.selectable = not barred and bool(self.name) and not self.cut


async def _folders(reply: Reply, first: str = "INBOX") -> tuple[list[_Folder], int]:
    """Return as many folders as are told, and how many there are: INBOX and what `first` is on the wire come first."""
    turns = _Turns()
    answers, left_out = reply.folders()
    read = []
    for answer in answers:
        values = values_of(answer)
        await turns.spend(sum(map(len, answer)))
        if len(values) >= 4 and isinstance(values[1], list):
            read.append((values[1], values[2], _wire(values[3])))
    read.sort(key=lambda folder: folder[2].upper() != b"INBOX" and folder[2] != first.encode("ascii"))
    folders = []
    for attributes, separator, wire in read[:MAX_FOLDERS]:
        folders.append(_Folder(attributes, separator, wire))
        await turns.spend()
    return folders, len(read) + left_out


def _wire(name: Value) -> bytes:
    return name if isinstance(name, bytes) else str(name or "").encode("utf-8", "surrogateescape")


def _before_an_unfinished_shift(text: str) -> str:
    before, shift, rest = text.rpartition("&")
    return before if shift and "-" not in rest else text


def _exists(reply: Reply) -> int:
    told_counts = reply.data("EXISTS")
    return (_number(told_counts[-1][0]) if told_counts else 0) or 0


def _count(reply: Reply) -> int | None:
    return _extended(reply, "COUNT") if reply.ok else None


def _unseen(reply: Reply) -> int | None:
    counts = reply.data("STATUS")
    return _number(_pairs(counts[0][-1]).get("UNSEEN")) if reply.ok and counts else None


def _extended(reply: Reply, wanted: str) -> int | None:
    for values in reply.data("ESEARCH"):
        for name, value in itertools.pairwise(values):
            if isinstance(name, str) and name.upper() == wanted:
                return _number(value)
    return None


def _found(reply: Reply) -> list[int]:
    numbers = [_number(value) for values in reply.data("SEARCH") for value in values[1:]]
    return [number for number in numbers if number]


def _pairs(values: Value) -> dict[str, Value]:
    if not isinstance(values, list):
        return {}
    return {str(name).upper(): value for name, value in zip(values[::2], values[1::2], strict=False)}


def _number(value: Value) -> int | None:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20 else None


def _moment(value: Value) -> str | None:
    try:
        return headers.iso(datetime.strptime(str(value).strip(), "%d-%b-%Y %H:%M:%S %z"))
    except ValueError:
        return None
