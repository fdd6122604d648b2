"""What IMAP and POP3 have in common before somebody is signed in: one bounded client for lines."""

from __future__ import annotations

import re
from typing import Any

from steng.probe import refusals, sasl, told
from steng.probe.answers import Answer
from steng.probe.failure import ProbeFailure
from steng.probe.lines import Lines
from steng.probe.session import Session, Setting
from steng.wire import Login

_DENIED = re.compile(
    r"(access|connection|client|host|address|ip)\b.{0,40}\b(denied|refused|blocked|banned|rejected|not allowed)"
    r"|not (allowed|permitted|authori[sz]ed)|black ?list|blocklist|denylist|go away",
    re.IGNORECASE,
)
_DENYING_CODES = frozenset({"NOPERM", "AUTHORIZATIONFAILED", "CONTACTADMIN", "SYS/PERM"})


class MailSession(Session):
    """One session of IMAP or POP3."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.channel: Lines = Lines(setting.sock, setting.transcript, setting.request.protocol)
        self._protocol = setting.request.protocol
        self._first_line = ""
        self._settled = True
        """Whether the last command is answered: amid a sign-in a farewell would be taken for a password."""

    async def hear(self) -> None:
        self._first_line = await self.channel.answer_line()

    # -- what is told ----------------------------------------------------

    def _evidence(self, answer: Answer) -> dict[str, Any]:
        return told.evidence_of(answer, self._redactor)

    def _quoted(self, answer: Answer, did: str) -> str:
        return told.quoted(answer, did, self._redactor)

    def _unwelcome(self, answer: Answer) -> ProbeFailure:
        """Return what a greeting says that is no welcome."""
        denied = answer.code in _DENYING_CODES or _DENIED.search(answer.text) is not None
        code, did = (
            ("access_denied", "refuses to talk to this STENG") if denied else ("service_unavailable", "is closed")
        )
        return ProbeFailure(code, self._quoted(answer, did), evidence=self._evidence(answer))

    def _starttls_refused(self, answer: Answer) -> ProbeFailure:
        return ProbeFailure(
            "starttls_refused", self._quoted(answer, "refused to start TLS"), evidence=self._evidence(answer)
        )

    def _refused(self, answer: Answer, choice: sasl.Choice, login: Login) -> ProbeFailure:
        code = refusals.of_mailbox(answer, self._protocol, encrypted=self.encrypted)
        evidence = self._evidence(answer)
        did = "hung up amid" if code == "closed" else "refused"
        detail = self._quoted(answer, f"{did} the sign-in ({choice.name})")
        return self._sign_in_refused(code, detail, evidence, login)


def refuse_unsayable(choice: sasl.Choice, *values: str, forbidden: str) -> None:
    """Raise ProbeFailure where a value holds a character that cannot be sent this way."""
    if any(character in value for value in values for character in forbidden):
        raise ProbeFailure(
            "auth_failed",
            f"User name or password holds a character that {choice.name} cannot carry. Nothing was sent.",
            advice="Choose another mechanism. Else take out line ends and NUL, and for APOP blanks in the user name.",
            field="username",
        )
