"""SMTP, stage by stage (RFC 5321, 3207, 4954): each is one method, and raises ProbeFailure where it ends badly."""

from __future__ import annotations

from typing import Any

from aiosmtplib import SMTPResponse
from aiosmtplib.esmtp import parse_esmtp_extensions

from steng.probe import refusals, sasl
from steng.probe.conversation import Conversation
from steng.probe.course import Running
from steng.probe.failure import ProbeFailure
from steng.probe.replies import enhanced_status
from steng.probe.session import SHOWN_CAPABILITIES, Session, Setting
from steng.probe.transcript import REDACTED
from steng.probe.withheld import phrase_of, status_of
from steng.text import visible
from steng.wire import Login, Protocol

_SHOWN_TEXT = 500
_SEARCHED_TEXT = 2_000
_ON_THE_LINE = sasl.MAX_SMTP - len("AUTH PLAIN ")


class Smtp(Session):
    """One session of SMTP."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.channel: Conversation = Conversation(setting.sock, setting.transcript)
        self._greeting = SMTPResponse(0, "")
        self._extensions: dict[str, str] = {}
        self._mechanisms: list[str] = []

    async def hear(self) -> None:
        self._greeting = await self.channel.greeting()

    async def greeting(self, stage: Running) -> None:
        reply = self._greeting
        evidence = self._reply(reply)
        stage.evidence["greeting"] = evidence["text"]
        if reply.code == 220:
            return
        if 400 <= reply.code < 500:
            raise ProbeFailure("service_unavailable", self._quoted(reply, "is not available now"), evidence=evidence)
        if reply.code >= 500:
            raise ProbeFailure("access_denied", self._quoted(reply, "refuses to talk to this STENG"), evidence=evidence)
        raise ProbeFailure("protocol_error", f"The server greets with {reply.code} instead of 220.", evidence=evidence)

    async def capabilities(self, stage: Running) -> None:
        """Say EHLO; HELO is not tried after a refusal, since nothing that is tested here works without EHLO."""
        name = self._helo_name()
        reply = await self.channel.command(b"EHLO", name.encode("ascii"))
        stage.evidence["helo_name"] = name
        self._refuse_goodbye(reply)
        if reply.code != 250:
            raise ProbeFailure("ehlo_refused", self._quoted(reply, "refused EHLO"), evidence=self._reply(reply))
        self._extensions, mechanisms = parse_esmtp_extensions(reply.message)
        self._mechanisms = list(dict.fromkeys(mechanism.upper() for mechanism in mechanisms))
        lines = reply.message.split("\n")[1:]
        stage.evidence["capabilities"] = self._shown(lines)
        stage.evidence["mechanisms"] = self._offer().shown(self._redactor.clean)

    async def starttls(self) -> None:
        """Ask for TLS (RFC 3207 section 4); on return the next byte of ours must be a ClientHello."""
        if "starttls" not in self._extensions:
            offered = sorted(self._redactor.clean(name, 40) for name in self._extensions)[:SHOWN_CAPABILITIES]
            raise ProbeFailure("starttls_not_offered", evidence={"capabilities": offered})
        reply = await self.channel.command(b"STARTTLS")
        self._refuse_goodbye(reply)
        if reply.code != 220:
            raise ProbeFailure("starttls_refused", self._quoted(reply, "refused STARTTLS"), evidence=self._reply(reply))
        self.channel.refuse_injected()

    async def sender(self) -> None:
        """Name the sender and take it back: MAIL FROM, RSET (RFC 5321 sections 4.1.1.2, 4.1.1.5)."""
        address, parameters = self._envelope()
        reply = await self.channel.command(b"MAIL", b"FROM:<" + address + b">", *parameters)
        self._refuse_goodbye(reply)
        if reply.code != 250:
            raise ProbeFailure(
                "sender_refused", self._quoted(reply, "does not accept the sender address"), evidence=self._reply(reply)
            )
        await self.channel.command(b"RSET")

    def farewell(self) -> None:
        self.channel.farewell()

    def _refuse_goodbye(self, reply: SMTPResponse) -> None:
        # RFC 5321 section 3.8: who is about to hang up says so to any command, whatever that asked for.
        if reply.code == 421:
            raise ProbeFailure("closed", self._quoted(reply, "ended the conversation"), evidence=self._reply(reply))

    def _offer(self) -> sasl.Offer:
        return sasl.Offer(Protocol.SMTP, self._mechanisms, starttls="starttls" in self._extensions)

    async def _sign_in(self, choice: sasl.Choice, login: Login) -> None:
        reply = await self._exchange(choice, login)
        if reply.code != 235:
            raise self._refused(reply, choice, login)

    async def _exchange(self, choice: sasl.Choice, login: Login) -> SMTPResponse:
        words = [b"AUTH", choice.name.encode("ascii")]
        initial = sasl.initial_response(choice, login, _ON_THE_LINE)
        if initial is None:
            reply = await self.channel.command(*words)
        else:
            reply = await self.channel.command(*words, initial, shown=f"AUTH {choice.name} {REDACTED}")
        turn = 0 if initial is None else 1
        while reply.code == 334:
            answer = sasl.answer(choice, login, turn, reply.message)
            if answer is None:
                # The server is told that we give up (RFC 4954 section 4); what it says to that changes nothing.
                await self.channel.command(b"*")
                raise ProbeFailure("protocol_error", "The server asked for what the mechanism does not have.")
            self._redactor.hide_text(answer.decode("ascii"))
            reply = await self.channel.command(answer, shown=REDACTED)
            turn += 1
        return reply

    def _refused(self, reply: SMTPResponse, choice: sasl.Choice, login: Login) -> ProbeFailure:
        code = refusals.of_smtp(reply.code, reply.message, encrypted=self.encrypted)
        evidence = self._reply(reply)
        detail = self._quoted(reply, f"refused the sign-in ({choice.name})")
        return self._sign_in_refused(code, detail, evidence, login)

    def _reply(self, reply: SMTPResponse) -> dict[str, Any]:
        if self._redactor.withholding:
            status, text = self._told(reply)
            return {"reply_code": reply.code, "enhanced_status": status, "text": text}
        text = self._redactor.clean(reply.message.replace("\n", " / "), _SHOWN_TEXT)
        return {"reply_code": reply.code, "enhanced_status": enhanced_status(reply.message), "text": text}

    def _quoted(self, reply: SMTPResponse, did: str) -> str:
        if self._redactor.withholding:
            words = " ".join(word for word in (str(reply.code), *self._told(reply)) if word)
            return f"The server {did}: {words}"
        text = self._redactor.clean(reply.message.replace("\n", " "), 200)
        return f"The server {did}: {reply.code} {text}".rstrip()

    def _told(self, reply: SMTPResponse) -> tuple[str, str]:
        """Return status and wording of a reply that came after the password; the server's words stay inside."""
        text = self._redactor.clean(reply.message.replace("\n", " "), _SEARCHED_TEXT)
        return status_of(reply.code, reply.message), phrase_of(reply.code, text)

    def _helo_name(self) -> str:
        # RFC 5321 section 4.1.4: who has no name says its address.
        name = self._request.helo_name.strip()
        if name:
            try:
                return visible(name if name.isascii() else name.encode("idna").decode("ascii"))
            except UnicodeError:
                raise ProbeFailure("ehlo_refused", "The HELO name cannot be a host name; nothing was sent.") from None
        source = self._setting.source
        return f"[IPv6:{source}]" if ":" in source else f"[{source}]"

    def _envelope(self) -> tuple[bytes, list[bytes]]:
        local, at, domain = self._request.sender_address.rpartition("@")
        if not local.isascii():
            if "smtputf8" not in self._extensions:
                raise ProbeFailure(
                    "sender_refused",
                    "The sender address has letters outside ASCII, and the server does not offer SMTPUTF8.",
                )
            return visible(self._request.sender_address).encode("utf-8"), [b"SMTPUTF8"]
        try:
            host = domain.encode("idna").decode("ascii")
        except UnicodeError:
            raise ProbeFailure("sender_refused", "The domain of the sender address cannot be a host name.") from None
        return visible(f"{local}{at}{host}").encode("ascii"), []
