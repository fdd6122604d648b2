"""What a report quotes of an answer of IMAP or POP3, before and after the password went out."""

from __future__ import annotations

from typing import Any

from steng.probe.answers import Answer
from steng.probe.transcript import Redactor
from steng.probe.withheld import told_answer, wording_of

_SHOWN_TEXT = 500
_SEARCHED_TEXT = 2_000


def evidence_of(answer: Answer, redactor: Redactor) -> dict[str, Any]:
    """Return an answer as evidence; after the password only its status, a usual code and our own wording."""
    if redactor.withholding:
        text = redactor.clean(answer.text, _SEARCHED_TEXT)
        return {"reply": answer.status, "response_code": answer.known_code, "text": wording_of(text) if text else ""}
    return {
        "reply": answer.status,
        "response_code": redactor.clean(answer.code, 40),
        "text": redactor.clean(answer.text, _SHOWN_TEXT),
    }


def quoted(answer: Answer, did: str, redactor: Redactor) -> str:
    """Return a sentence: what the server did, in its own words where they may be shown."""
    if redactor.withholding:
        words = told_answer(Answer(answer.status, answer.code, text=redactor.clean(answer.text, _SEARCHED_TEXT)))
    else:
        code = f"[{answer.code}]" if answer.code else ""
        words = redactor.clean(" ".join(word for word in (answer.status, code, answer.text) if word), 200)
    return f"The server {did}: {words}".rstrip()
