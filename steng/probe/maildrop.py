"""The mailbox of POP3: how much is in it, and which message a job would take (RFC 1939 sections 5, 7).

Only STAT, LIST, UIDL and TOP are ever sent. RETR may mark a message as read and DELE deletes it, so neither is
written anywhere in here. TOP with no line of the body changes nothing: RFC 1939 knows no mark, and Dovecot sets none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from steng.probe import headers, told
from steng.probe.answers import Answer
from steng.probe.course import Running
from steng.probe.failure import ProbeFailure
from steng.probe.pop3_talk import Talk
from steng.probe.transcript import Redactor
from steng.wire import Mailbox, ProbeRequest, Pull, Purpose

MAX_HEADER = 5_000
"""Lines of a message's header: most have under a hundred, mailing lists some hundred."""

_STAT = re.compile(r"(\d{1,10}) (\d{1,18})(?: .*)?")
_LISTED = re.compile(r"\d{1,10} (\S{1,70})(?: .*)?")
_FIELD = re.compile(r"(date|subject)\s*:(.*)", re.IGNORECASE | re.DOTALL)


async def look_at(stage: Running, session: Talk, request: ProbeRequest, redactor: Redactor) -> dict[str, str]:
    """Write into `stage` what the maildrop holds; return what is for who asked alone. Raises ProbeFailure."""
    if request.purpose is Purpose.FOLDERS:
        # RFC 1939 knows one mailbox for each account.
        stage.evidence["folders"] = [{"name": "INBOX", "separator": "", "selectable": True}]
        return {}
    mailbox = request.mailbox or Mailbox(pull=Pull.GET_FIRST_MESSAGE)
    stage.evidence |= {"folder": "INBOX", "pull": mailbox.pull.value, "disposition": mailbox.disposition.value}
    last = mailbox.pull is Pull.GET_LAST_MESSAGE
    ahead = () if last or not session.can("PIPELINING") else _questions(session, 1)
    session.send(b"STAT", *ahead)
    stat = await session.answer()
    found = _STAT.fullmatch(stat.text) if stat.ok else None
    answers = await _answers(session, ahead)
    if found is None:
        detail = told.quoted(stat, "does not say what the mailbox holds", redactor)
        raise ProbeFailure("protocol_error", detail, evidence=told.evidence_of(stat, redactor))
    count, size = int(found[1]), int(found[2])
    stage.evidence |= {"messages": count, "size": size, "would_take": None}
    if not count:
        return {}
    number = count if last else 1
    if not ahead:
        answers = await _ask(session, _questions(session, number))
    stage.evidence["would_take"], subject = _message(number, answers, redactor)
    if not mailbox.show_subject:
        return {}
    stage.evidence["subject_available"] = subject is not None
    return {"subject": subject} if subject is not None else {}


def _questions(session: Talk, number: int) -> Sequence[bytes]:
    # UIDL and TOP are optional (RFC 1939 section 7): asked for where the server lists them.
    wanted = [b"LIST"] + [name for name in (b"UIDL", b"TOP") if session.can(name.decode())]
    return [b"%b %d" % (name, number) + b" 0" * (name == b"TOP") for name in wanted]


async def _ask(session: Talk, questions: Sequence[bytes]) -> dict[bytes, Answer | dict[str, str]]:
    if session.can("PIPELINING"):
        session.send(*questions)
        return await _answers(session, questions)
    answers: dict[bytes, Answer | dict[str, str]] = {}
    for question in questions:
        session.send(question)
        answers |= await _answers(session, [question])
    return answers


async def _answers(session: Talk, questions: Sequence[bytes]) -> dict[bytes, Answer | dict[str, str]]:
    """Return the answers by the word of their question; the one to TOP as the fields of its header."""
    answers: dict[bytes, Answer | dict[str, str]] = {}
    for question in questions:
        answer = await session.answer()
        if answer.ok:
            word = question.split()[0]
            answers[word] = await _header(session) if word == b"TOP" else answer
    return answers


async def _header(session: Talk) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = None
    async for line in session.data(MAX_HEADER):
        if line[:1] in {" ", "\t"} and name is not None:
            fields[name] = (fields[name] + line)[: headers.MAX_FIELD]
            continue
        found = _FIELD.match(line)
        name = found[1].lower() if found else None
        if found and name is not None:
            fields[name] = found[2][: headers.MAX_FIELD]
    return fields


def _message(
    number: int, answers: dict[bytes, Answer | dict[str, str]], redactor: Redactor
) -> tuple[dict[str, Any], str | None]:
    uid, size = (_listed(answers.get(name)) for name in (b"UIDL", b"LIST"))
    fields = answers.get(b"TOP")
    header = fields if isinstance(fields, dict) else {}
    message = {
        "number": number,
        "uid": redactor.clean(uid, 70) if uid else None,
        "size": int(size) if size and size.isascii() and size.isdigit() else None,
        "date": headers.date_of(header["date"]) if "date" in header else None,
    }
    subject = header.get("subject")
    if subject is None:
        return message, None
    read = headers.subject_of(subject.encode("utf-8", "surrogateescape"))
    return message, redactor.clean(read, 500)


def _listed(answer: Answer | dict[str, str] | None) -> str | None:
    found = _LISTED.fullmatch(answer.text) if isinstance(answer, Answer) else None
    return found[1] if found else None
