"""IMAP, stage by stage, up to the sign-in (RFC 3501, 2595, 4959); the mailbox is looked at in `imap_folder`."""

from __future__ import annotations

import itertools
from collections.abc import Collection

from steng.probe import sasl
from steng.probe.answers import Answer, parse
from steng.probe.course import Running
from steng.probe.failure import ProbeFailure
from steng.probe.imap_folder import look_at
from steng.probe.imap_values import astring
from steng.probe.lines import MAX_LINES
from steng.probe.lookalike import not_spoken
from steng.probe.mail_session import MailSession, refuse_unsayable
from steng.probe.mailbox import Mailboxes
from steng.probe.session import Setting
from steng.probe.transcript import REDACTED
from steng.wire import Login, Mechanism, Protocol

_ON_THE_LINE = sasl.MAX_IMAP - len("P999 AUTHENTICATE PLAIN ")


class Imap(MailSession):
    """One session of IMAP."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._tags = itertools.count(1)
        self._capabilities: list[str] | None = None
        self._mailboxes: Mailboxes | None = None
        self._signing_in = False

    async def greeting(self, stage: Running) -> None:
        if not self._first_line.startswith("* "):
            raise not_spoken(Protocol.IMAP, self._first_line.encode("utf-8", "surrogateescape"))
        answer = parse(self._first_line[2:])
        stage.evidence["greeting"] = self._evidence(answer)["text"]
        if answer.ok:
            self._learn_from(answer)
            return
        if answer.status == "BYE":
            raise self._unwelcome(answer)
        if answer.status == "PREAUTH":
            raise ProbeFailure("preauthenticated", evidence=self._evidence(answer))
        raise ProbeFailure("protocol_error", evidence=self._evidence(answer))

    async def capabilities(self, stage: Running) -> None:
        """Ask, where the server has not said so already (RFC 3501 section 7.1, CAPABILITY)."""
        if self._capabilities is None:
            answer = await self._command(b"CAPABILITY")
            if not answer.ok or self._capabilities is None:
                detail = self._quoted(answer, "does not say what it can do")
                raise ProbeFailure("protocol_error", detail, evidence=self._evidence(answer))
        stage.evidence["capabilities"] = self._shown(self._capabilities)
        stage.evidence["mechanisms"] = self._offer().shown(self._redactor.clean)

    async def starttls(self) -> None:
        if "STARTTLS" not in self._known:
            raise ProbeFailure("starttls_not_offered", evidence={"capabilities": self._shown(self._known)})
        answer = await self._command(b"STARTTLS")
        if not answer.ok:
            raise self._starttls_refused(answer)
        self.channel.refuse_injected()
        # RFC 3501 section 6.2.1: what was said in clear text counts no more.
        self._capabilities = None

    async def folder(self, stage: Running) -> None:
        if self._capabilities is None:
            # The sign-in may change them; most servers say so in the answer to it.
            await self._command(b"CAPABILITY")
        transport, unheard = self.channel.hand_over()
        mailboxes = self._mailboxes = Mailboxes(
            transport, self.channel.sock, self._setting.transcript, self._setting.deadline, self._known
        )
        mailboxes.take_over(unheard)
        self.aside |= await look_at(stage, mailboxes, self._request, self._redactor)

    def farewell(self) -> None:
        idle = self._mailboxes is None or self._mailboxes.idle
        if self._settled and idle and self.channel.usable:
            self._settled = False
            self.channel.send(b"%b LOGOUT" % self._tag())

    # -- signing in ------------------------------------------------------

    def _offer(self) -> sasl.Offer:
        known = self._known
        names = [word.partition("=")[2] for word in known if word.startswith("AUTH=")]
        disabled = "LOGINDISABLED" in known
        commands = () if disabled else (Mechanism.LOGIN,)
        return sasl.Offer(Protocol.IMAP, names, commands, clear_refused=disabled, starttls="STARTTLS" in known)

    async def _sign_in(self, choice: sasl.Choice, login: Login) -> None:
        refuse_unsayable(choice, login.username, login.password.reveal(), forbidden="\0")
        self._hear_what_waits()
        known, self._capabilities = self._known, None
        self._signing_in = True
        answer = await (self._login(login, known) if choice.command else self._authenticate(choice, login, known))
        self._signing_in = False
        if not answer.ok:
            raise self._refused(answer, choice, login)

    async def _login(self, login: Login, known: Collection[str]) -> Answer:
        """Sign in with the LOGIN command (RFC 3501 section 6.2.3): quoted strings, literals where they must be."""
        tag = self._tag()
        user, password = (astring(text, at_once="LITERAL+" in known) for text in (login.username, _password(login)))
        pieces = [b"%b LOGIN %b" % (tag, user[0]), *user[1:]]
        pieces[-1] += b" " + password[0]
        pieces += password[1:]
        shown = f"{tag.decode()} LOGIN {REDACTED} {REDACTED}"
        for piece in pieces[:-1]:
            self.channel.send(piece, shown=shown)
            shown = REDACTED
            said = await self._hear_out(tag)
            if isinstance(said, Answer):
                return said
        self.channel.send(pieces[-1], shown=shown)
        return await self._final(tag)

    async def _authenticate(self, choice: sasl.Choice, login: Login, known: Collection[str]) -> Answer:
        """Sign in with SASL (RFC 3501 section 6.2.2), its first answer with the command where it can (RFC 4959)."""
        tag = self._tag()
        command = f"{tag.decode()} AUTHENTICATE {choice.name}"
        initial = sasl.initial_response(choice, login, _ON_THE_LINE) if "SASL-IR" in known else None
        if initial is None:
            self.channel.send(command.encode("ascii"))
        else:
            self.channel.send(b"%b %b" % (command.encode("ascii"), initial), shown=f"{command} {REDACTED}")
        turn = 0 if initial is None else 1
        while not isinstance(said := await self._hear_out(tag), Answer):
            answer = sasl.answer(choice, login, turn, said)
            if answer is None:
                # The server is told that we give up (RFC 3501 section 6.2.2); what it says to that changes nothing.
                self.channel.send(b"*")
                await self._hear_out(tag)
                raise ProbeFailure("protocol_error", "The server asked for what the mechanism does not have.")
            self._redactor.hide_text(answer.decode("ascii"))
            self.channel.send(answer, shown=REDACTED)
            turn += 1
        return said

    # -- talking ---------------------------------------------------------

    @property
    def _known(self) -> list[str]:
        return self._capabilities or []

    def _tag(self) -> bytes:
        return b"P%d" % next(self._tags)

    async def _command(self, command: bytes) -> Answer:
        tag = self._tag()
        self.channel.send(b"%b %b" % (tag, command))
        return await self._final(tag)

    async def _final(self, tag: bytes) -> Answer:
        said = await self._hear_out(tag)
        if isinstance(said, Answer):
            return said
        raise ProbeFailure("protocol_error", "The server asks for more where nothing more is to be said.")

    async def _hear_out(self, tag: bytes) -> Answer | str:
        """Return the tagged answer, or the text with which the server asks for more.

        Raises ProbeFailure, `closed` with its words where it says BYE: only to a sign-in that is an answer too.
        """
        self._settled = False
        for _ in range(MAX_LINES):
            line = await self.channel.answer_line()
            word, _, rest = line.partition(" ")
            if word == "+":
                return rest
            if word == tag.decode():
                answer = parse(rest)
                self._learn_from(answer)
                self._settled = True
                return answer
            if word != "*":
                raise ProbeFailure("protocol_error", "The server answers a command that was never sent.")
            goodbye = self._untagged(rest)
            if goodbye is not None and self._signing_in:
                return goodbye
            if goodbye is not None:
                raise ProbeFailure("closed", self._quoted(goodbye, "says goodbye"), evidence=self._evidence(goodbye))
        raise ProbeFailure("too_much_data", f"The server sent more than {MAX_LINES} lines to one command.")

    def _hear_what_waits(self) -> None:
        """Take what the server said unasked: after a goodbye, or an answer to nothing, no password may follow."""
        self._settled = False
        while (line := self.channel.waiting_line()) is not None:
            word, _, rest = line.partition(" ")
            if word != "*":
                raise ProbeFailure("protocol_error", "The server answers a command that was never sent.")
            goodbye = self._untagged(rest)
            if goodbye is not None:
                raise ProbeFailure("closed", self._quoted(goodbye, "says goodbye"), evidence=self._evidence(goodbye))
        self._settled = True

    def _untagged(self, text: str) -> Answer | None:
        """Take an untagged answer; return it where it is the last."""
        name, _, rest = text.partition(" ")
        if name.upper() == "CAPABILITY":
            self._learn(rest)
            return None
        answer = parse(text)
        if answer.status == "OK":
            self._learn_from(answer)
        return answer if answer.status == "BYE" else None

    def _learn_from(self, answer: Answer) -> None:
        if answer.ok and answer.code == "CAPABILITY":
            self._learn(answer.arguments)

    def _learn(self, words: str) -> None:
        self._capabilities = list(dict.fromkeys(words.upper().split()))


def _password(login: Login) -> str:
    return login.password.reveal()
