"""POP3, stage by stage (RFC 1939, 2449, 2595, 5034)."""

from __future__ import annotations

import hashlib
import re

from steng.probe import sasl
from steng.probe.answers import Answer
from steng.probe.course import Running
from steng.probe.failure import ProbeFailure
from steng.probe.mail_session import refuse_unsayable
from steng.probe.maildrop import look_at
from steng.probe.pop3_talk import Talk, said
from steng.probe.session import Setting
from steng.probe.transcript import REDACTED
from steng.wire import Login, Mechanism, Protocol

_ON_THE_LINE = sasl.MAX_POP3 - len("AUTH PLAIN ")

_TIMESTAMP = re.compile(r"<[\x21-\x3b\x3d\x3f\x41-\x7e]+@[\x21-\x3b\x3d\x3f\x41-\x7e]+>")
"""A msg-id of printable ASCII, and nothing else (RFC 1939 section 7).

Who may choose other bytes can make two timestamps collide, and learns the password bit by bit (CVE-2007-1558).
"""


class Pop3(Talk):
    """One session of POP3."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._timestamp: str | None = None

    async def greeting(self, stage: Running) -> None:
        answer = said(self._first_line)
        stage.evidence["greeting"] = self._evidence(answer)["text"]
        if not answer.ok:
            raise self._unwelcome(answer)
        found = _TIMESTAMP.search(self._first_line)
        self._timestamp = found[0] if found else None

    async def capabilities(self, stage: Running) -> None:
        """Ask with CAPA; a server that does not know it has only what RFC 1939 has."""
        self.listed = None
        answer = await self.command(b"CAPA")
        if answer.ok:
            self._settled = False
            self.listed = [line.strip() async for line in self.data()]
            if any("\0" in line for line in self.listed):
                raise ProbeFailure("protocol_error")
            self._settled = True
        stage.evidence["capabilities"] = self._shown(self.listed or [])
        stage.evidence["mechanisms"] = self._offer().shown(self._redactor.clean)

    async def starttls(self) -> None:
        if not self.can("STLS"):
            raise ProbeFailure("starttls_not_offered", evidence={"capabilities": self._shown(self.listed or [])})
        answer = await self.command(b"STLS")
        if not answer.ok:
            raise self._starttls_refused(answer)
        self.channel.refuse_injected()

    async def folder(self, stage: Running) -> None:
        self.aside |= await look_at(stage, self, self._request, self._redactor)
        self._settled = True

    def farewell(self) -> None:
        if self._settled and self.channel.usable:
            self._settled = False
            self.channel.send(b"QUIT")

    # -- signing in ------------------------------------------------------

    def _offer(self) -> sasl.Offer:
        lines = [line.upper().split() for line in self.listed or ()]
        names = [name for words in lines if words[:1] == ["SASL"] for name in words[1:]]
        # RFC 2449 section 6.3: who lists capabilities without USER refuses it.
        user = self.listed is None or self.can("USER")
        commands = [Mechanism.USER_PASS] * user + [Mechanism.APOP] * (self._timestamp is not None)
        starttls = self.can("STLS")
        return sasl.Offer(Protocol.POP3, names, commands, clear_refused=starttls and not user, starttls=starttls)

    async def _sign_in(self, choice: sasl.Choice, login: Login) -> None:
        forbidden = "\0" if not choice.command else "\0\r\n"
        refuse_unsayable(choice, login.username, login.password.reveal(), forbidden=forbidden)
        if choice.mechanism is Mechanism.APOP:
            # RFC 1939 section 3: a blank ends the argument.
            refuse_unsayable(choice, login.username, forbidden=" ")
        if choice.mechanism is Mechanism.USER_PASS:
            answer = await self._user_pass(login)
        elif choice.mechanism is Mechanism.APOP:
            answer = await self._apop(login)
        else:
            answer = await self._authenticate(choice, login)
        if not answer.ok:
            raise self._refused(answer, choice, login)

    async def _user_pass(self, login: Login) -> Answer:
        answer = await self.command(b"USER " + _bytes(login.username), shown=f"USER {REDACTED}")
        if not answer.ok:
            return answer
        return await self.command(b"PASS " + _bytes(login.password.reveal()), shown=f"PASS {REDACTED}")

    async def _apop(self, login: Login) -> Answer:
        seed = _bytes(f"{self._timestamp}{login.password.reveal()}")
        digest = hashlib.md5(seed, usedforsecurity=False).hexdigest()
        self._redactor.hide_text(digest)
        return await self.command(b"APOP %b %b" % (_bytes(login.username), digest.encode()), shown=f"APOP {REDACTED}")

    async def _authenticate(self, choice: sasl.Choice, login: Login) -> Answer:
        command = f"AUTH {choice.name}"
        # RFC 5034 section 4: a line has at most 255 bytes with its end; a longer answer waits for the server's "+".
        initial = sasl.initial_response(choice, login, _ON_THE_LINE)
        if initial is None:
            answer = await self.command(command.encode("ascii"), asked=True)
        else:
            line = b"%b %b" % (command.encode("ascii"), initial)
            answer = await self.command(line, shown=f"{command} {REDACTED}", asked=True)
        turn = 0 if initial is None else 1
        while answer.status == "+":
            response = sasl.answer(choice, login, turn, answer.text)
            if response is None:
                # The server is told that we give up (RFC 5034 section 4); what it says to that changes nothing.
                await self.command(b"*", asked=True)
                raise ProbeFailure("protocol_error", "The server asked for what the mechanism does not have.")
            self._redactor.hide_text(response.decode("ascii"))
            answer = await self.command(response, shown=REDACTED, asked=True)
            turn += 1
        return answer


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
