"""POP3 as a good server speaks it (RFC 1939, 2449, 2595, 5034)."""

from tests.lab.dialects import sasl
from tests.lab.dialects.wire import Dialect, Moment, Refused, Wire
from tests.lab.recording import Login

NO_LOGIN = "-ERR Log in first."


class Pop3(Dialect):
    """Offer STLS and logins, count and show the messages of INBOX, and delete none."""

    _stamp = ""
    _user: str | None = None
    _open = False

    async def converse(self, wire: Wire) -> None:
        self._stamp = sasl.timestamp()
        await wire.say(self.behaviour.greeting.replace("{stamp}", self._stamp), at=Moment.GREETING)
        while True:
            verb, _, argument = (await wire.hear()).partition(" ")
            verb = verb.upper()
            moment = _MOMENTS.get(verb, Moment.OTHER)
            if verb == "STLS" and "STLS" in self.capabilities(wire):
                await wire.start_tls("+OK Begin TLS negotiation now.")
                continue
            try:
                reply = self.behaviour.replies.get(verb) or await self._answer(wire, verb, argument)
            except Refused as refusal:
                reply = f"-ERR {refusal}"
            await wire.say(*reply.split("\n"), at=moment)
            if verb == "QUIT":
                raise EOFError

    async def _answer(self, wire: Wire, verb: str, argument: str) -> str:
        match verb:
            case "CAPA":
                return "\n".join(("+OK", *self.capabilities(wire), "."))
            case "AUTH" | "APOP" | "USER" | "PASS":
                return await self._sign_in(wire, verb, argument)
            case "NOOP" | "RSET":
                return "+OK"
            case "QUIT":
                return "+OK Logging out."
            case "STAT" | "LIST" | "UIDL" | "TOP" | "RETR" | "DELE":
                return self._read(verb, argument.split()) if self._open else NO_LOGIN
        return "-ERR Unknown command."

    async def _sign_in(self, wire: Wire, verb: str, argument: str) -> str:
        if verb == "USER":
            self._user = argument if "USER" in self.capabilities(wire) else None
            return "+OK" if self._user is not None else "-ERR Plaintext authentication disallowed."
        if verb == "PASS":
            if self._user is None:
                return "-ERR No username given."
            # RFC 1939 section 7: everything behind the first blank is the password, blanks included.
            return self._decide(wire, Login("USER", self._user, sasl.knows(self.users, self._user, argument)))
        if verb == "APOP":
            username, _, digest = argument.rpartition(" ")
            return self._decide(wire, sasl.apop(self.users, self._stamp, username, digest))
        return await self._authenticate(wire, argument)

    async def _authenticate(self, wire: Wire, argument: str) -> str:
        async def ask(challenge: str) -> str:
            await wire.say(f"+ {challenge}", at=Moment.CHALLENGE)
            return await wire.hear()

        mechanism, _, initial = argument.partition(" ")
        offers = [word.split()[1:] for word in self.capabilities(wire) if word.startswith("SASL ")]
        if not any(mechanism.upper() in offer for offer in offers):
            return "-ERR Unsupported authentication mechanism."
        login = await sasl.check(mechanism.upper(), initial, self.users, ask)
        return self._decide(wire, login) if login else "-ERR Unsupported authentication mechanism."

    def _decide(self, wire: Wire, login: Login) -> str:
        wire.note(login)
        self._open = login.accepted
        return self.behaviour.login_accepted if login.accepted else self.behaviour.login_refused

    def _read(self, verb: str, words: list[str]) -> str:
        messages = self.mailbox.messages("INBOX") or ()
        if verb == "STAT":
            return f"+OK {len(messages)} {sum(message.size for message in messages)}"
        numbered = list(enumerate(messages, 1))
        if words:
            numbered = [(number, message) for number, message in numbered if str(number) == words[0]]
            if not numbered:
                return "-ERR There is no such message."
        if verb in {"LIST", "UIDL"}:
            facts = [f"{number} {message.size if verb == 'LIST' else message.uid}" for number, message in numbered]
            return f"+OK {facts[0]}" if words else "\n".join(("+OK", *facts, "."))
        if verb == "DELE" or not words:
            return "+OK Marked to be deleted; it will not be." if words else "-ERR Which one?"
        text = numbered[0][1].text if verb == "RETR" else f"{numbered[0][1].header}\r\n\r\n"
        return "\n".join(("+OK", *text.removesuffix("\r\n").split("\r\n"), "."))


_MOMENTS = {
    "CAPA": Moment.CAPABILITIES,
    "STLS": Moment.STARTTLS,
    "USER": Moment.CHALLENGE,
    "PASS": Moment.AUTH,
    "APOP": Moment.AUTH,
    "AUTH": Moment.AUTH,
    "STAT": Moment.FOLDER,
    "TOP": Moment.MESSAGE,
    "QUIT": Moment.QUIT,
}
