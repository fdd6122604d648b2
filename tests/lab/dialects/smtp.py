"""SMTP as a good submission server speaks it (RFC 5321, 3207, 4954)."""

import re

from tests.lab.dialects import sasl
from tests.lab.dialects.wire import Dialect, Moment, Refused, Wire


class Smtp(Dialect):
    """Offer STARTTLS and logins, take senders and mail, and throw the mail away."""

    async def converse(self, wire: Wire) -> None:
        await self._say(wire, self.behaviour.greeting, Moment.GREETING)
        while True:
            verb, _, argument = (await wire.hear()).partition(" ")
            verb = verb.upper()
            if verb in self.behaviour.replies:
                await self._say(wire, self.behaviour.replies[verb], _MOMENTS.get(verb, Moment.OTHER))
                continue
            try:
                await self._obey(wire, verb, argument.strip())
            except Refused as refusal:
                await wire.say(f"501 5.5.2 {refusal}", at=_MOMENTS.get(verb, Moment.OTHER))

    async def _obey(self, wire: Wire, verb: str, argument: str) -> None:
        match verb:
            case "EHLO":
                offered = (f"250 {word}" for word in self.capabilities(wire))
                await self._say(wire, "\n".join(("250 mail.lab.test", *offered)), Moment.CAPABILITIES)
            case "STARTTLS" if "STARTTLS" in self.capabilities(wire):
                await wire.start_tls("220 2.0.0 Ready to start TLS")
            case "AUTH":
                await self._say(wire, await self._login(wire, argument), Moment.AUTH)
            case "MAIL":
                await wire.say("250 2.1.0 Ok", at=Moment.SENDER)
            case "DATA":
                await self._take_mail(wire)
            case "QUIT":
                await wire.say("221 2.0.0 Bye", at=Moment.QUIT)
                raise EOFError
            case "HELO" | "NOOP" | "RSET" | "RCPT":
                await wire.say("250 2.0.0 Ok")
            case _:
                await wire.say("502 5.5.2 Command not recognized")

    async def _login(self, wire: Wire, argument: str) -> str:
        async def ask(challenge: str) -> str:
            await wire.say(f"334 {challenge}", at=Moment.CHALLENGE)
            return await wire.hear()

        mechanism, _, initial = argument.partition(" ")
        offers = [word.split()[1:] for word in self.capabilities(wire) if word.startswith("AUTH ")]
        if not offers:
            return "503 5.5.1 Error: authentication not enabled"
        if not any(mechanism.upper() in offer for offer in offers):
            return "504 5.5.4 Mechanism not supported"
        login = await sasl.check(mechanism.upper(), initial, self.users, ask)
        if login is None:
            return "504 5.5.4 Mechanism not supported"
        wire.note(login)
        return self.behaviour.login_accepted if login.accepted else self.behaviour.login_refused

    @staticmethod
    async def _take_mail(wire: Wire) -> None:
        await wire.say("354 End data with <CR><LF>.<CR><LF>")
        while await wire.hear() != ".":
            pass
        await wire.say("250 2.0.0 Ok: thrown away")

    @staticmethod
    async def _say(wire: Wire, text: str, at: Moment) -> None:
        lines = text.split("\n")
        # RFC 5321, 4.2.1: every line but the last has a hyphen behind its code.
        marked = [re.sub(r"^(\d{3}) ", r"\1-", line) for line in lines[:-1]]
        await wire.say(*marked, lines[-1], at=at)


_MOMENTS = {
    "EHLO": Moment.CAPABILITIES,
    "STARTTLS": Moment.STARTTLS,
    "AUTH": Moment.AUTH,
    "MAIL": Moment.SENDER,
    "QUIT": Moment.QUIT,
}
