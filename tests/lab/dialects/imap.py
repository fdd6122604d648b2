"""IMAP as a good server speaks it (RFC 3501, 2595, 4959, 4314); it reads folders and changes nothing."""

import re
from collections.abc import Callable

from tests.lab.dialects import sasl
from tests.lab.dialects.wire import Dialect, Moment, Refused, Wire
from tests.lab.mailbox import Message
from tests.lab.recording import Login

_LITERAL = re.compile(r"\{(\d+)(\+?)\}\Z")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\([^()]*\))|([^\s()]+)')


class Imap(Dialect):
    """Offer STARTTLS and logins, list folders, open them, search and fetch."""

    _open: tuple[Message, ...] | None = None
    _logged_in = False

    async def converse(self, wire: Wire) -> None:
        await wire.say(*self.behaviour.greeting.split("\n"), at=Moment.GREETING)
        while True:
            line = await self._command(wire)
            tag, _, rest = line.partition(" ")
            verb, _, argument = rest.partition(" ")
            verb = verb.upper()
            if verb == "UID":
                verb, _, argument = argument.partition(" ")
                verb = f"UID {verb.upper()}"
            if verb == "STARTTLS" and "STARTTLS" in self.capabilities(wire):
                await wire.start_tls(f"{tag} OK Begin TLS negotiation now.")
                continue
            try:
                *untagged, last = await self._answer(wire, verb, argument)
            except Refused as refusal:
                untagged, last = [], f"BAD {refusal}"
            await wire.say(*(f"* {each}" for each in untagged), f"{tag} {last}", at=_MOMENTS.get(verb, Moment.OTHER))
            if verb == "LOGOUT":
                raise EOFError

    async def _command(self, wire: Wire) -> str:
        """Return one whole command; literals become quoted strings (RFC 3501 section 4.3, RFC 7888)."""
        line = await wire.hear()
        while found := _LITERAL.search(line):
            if not found[2]:
                await wire.say("+ OK")
            text = await wire.hear()
            while len(text.encode()) < int(found[1]):
                text += "\r\n" + await wire.hear()
            octets = text.encode()
            literal, rest = octets[: int(found[1])].decode(), octets[int(found[1]) :].decode()
            quoted = literal.replace("\\", "\\\\").replace('"', '\\"')
            line = f'{line[: found.start()]}"{quoted}"{rest}'
        return line

    async def _answer(self, wire: Wire, verb: str, argument: str) -> list[str]:
        """Return the untagged lines without their star, and the tagged one without its tag."""
        if verb in self.behaviour.replies:
            return self.behaviour.replies[verb].split("\n")
        words = _words(argument)
        if verb in {"LOGIN", "AUTHENTICATE"}:
            return [await self._sign_in(wire, verb, words)]
        if verb == "CAPABILITY":
            return [f"CAPABILITY {' '.join(self.capabilities(wire))}", "OK Capability completed."]
        return _ANYTIME.get(verb) or self._obey(verb, words)

    async def _sign_in(self, wire: Wire, verb: str, words: list[str]) -> str:
        async def ask(challenge: str) -> str:
            await wire.say(f"+ {challenge}", at=Moment.CHALLENGE)
            return await wire.hear()

        if verb == "LOGIN":
            if len(words) != 2:
                return "BAD Missing arguments"
            if "LOGINDISABLED" in self.capabilities(wire):
                return "NO [PRIVACYREQUIRED] Plaintext authentication disallowed."
            return self._decide(wire, Login(verb, words[0], sasl.knows(self.users, words[0], words[1])))
        mechanism = words[0].upper() if words else ""
        if f"AUTH={mechanism}" not in self.capabilities(wire):
            return "NO Unsupported authentication mechanism."
        login = await sasl.check(mechanism, words[1] if len(words) > 1 else "", self.users, ask)
        return self._decide(wire, login) if login else "NO Unsupported authentication mechanism."

    def _decide(self, wire: Wire, login: Login) -> str:
        wire.note(login)
        self._logged_in = login.accepted
        return self.behaviour.login_accepted if login.accepted else self.behaviour.login_refused

    def _obey(self, verb: str, words: list[str]) -> list[str]:
        obeys = _LOGGED_IN.get(verb) if self._logged_in else None
        if self._logged_in and self._open is not None:
            obeys = obeys or _SELECTED.get(verb)
        return obeys(self, verb, words) if obeys else ["BAD Error in IMAP command received by server."]

    def _namespace(self, *_: object) -> list[str]:
        return [f'NAMESPACE (("" "{self.mailbox.separator}")) NIL NIL', "OK Namespace completed."]

    def _list(self, verb: str, words: list[str]) -> list[str]:
        lines = (f'{verb} () "{self.mailbox.separator}" "{name}"' for name in self._matching(words[-1]))
        return [*lines, "OK List completed."]

    def _rights(self, _: str, words: list[str]) -> list[str]:
        return [f'MYRIGHTS "{words[0]}" {self.mailbox.rights}', "OK Myrights completed."]

    def _close(self, *_: object) -> list[str]:
        self._open = None
        return ["OK Closed."]

    def _matching(self, pattern: str) -> list[str]:
        if pattern == "":
            return [""]
        parts = (
            ".*" if part == "*" else "[^/]*" if part == "%" else re.escape(part)
            for part in re.split(r"([*%])", pattern)
        )
        wanted = re.compile("".join(parts), re.IGNORECASE if pattern.upper() == "INBOX" else 0)
        return [name for name in self.mailbox.folders if wanted.fullmatch(name)]

    def _folder(self, verb: str, words: list[str]) -> list[str]:
        messages = self.mailbox.messages(words[0])
        if messages is None:
            return [f"NO [NONEXISTENT] Mailbox doesn't exist: {words[0]}"]
        unseen = [place for place, message in enumerate(messages, 1) if not message.seen]
        if verb == "STATUS":
            facts = f"MESSAGES {len(messages)} UNSEEN {len(unseen)} UIDNEXT 200 UIDVALIDITY 1"
            return [f'STATUS "{words[0]}" ({facts})', "OK Status completed."]
        self._open = messages
        return [
            r"FLAGS (\Answered \Flagged \Deleted \Seen \Draft)",
            r"OK [PERMANENTFLAGS ()] Read-only mailbox.",
            f"{len(messages)} EXISTS",
            "0 RECENT",
            *([f"OK [UNSEEN {unseen[0]}] First unseen."] if unseen else []),
            "OK [UIDVALIDITY 1] UIDs valid",
            "OK [UIDNEXT 200] Predicted next UID",
            f"OK [READ-{'ONLY' if verb == 'EXAMINE' else 'WRITE'}] {verb.title()} completed.",
        ]

    def _search(self, verb: str, words: list[str]) -> list[str]:
        unseen = "UNSEEN" in [word.upper() for word in words]
        found = [
            str(message.uid if verb.startswith("UID") else place)
            for place, message in enumerate(self._open or (), 1)
            if not (unseen and message.seen)
        ]
        return [" ".join(["SEARCH", *found]), "OK Search completed."]

    def _fetch(self, verb: str, words: list[str]) -> list[str]:
        wanted = {word for part in words[:1] for word in part.split(",")}
        subject = any("SUBJECT" in word.upper() for word in words[1:])
        lines = []
        for place, message in enumerate(self._open or (), 1):
            number = message.uid if verb.startswith("UID") else place
            ends = {"*"} if place == len(self._open or ()) else set()
            if wanted.isdisjoint({str(number), "1:*", *ends}):
                continue
            facts = f'UID {message.uid} INTERNALDATE "{message.date}" RFC822.SIZE {message.size}'
            seen = r"\Seen" if message.seen else ""
            line = f"{place} FETCH ({facts} FLAGS ({seen})"
            if subject:
                head = next(head for head in message.header.split("\r\n") if head.startswith("Subject:")) + "\r\n\r\n"
                line += f" BODY[HEADER.FIELDS (SUBJECT)] {{{len(head.encode())}}}\r\n{head}"
            lines.append(f"{line})")
        return [*lines, "OK Fetch completed."]


def _words(argument: str) -> list[str]:
    """Return the arguments of a command: quoted strings without their quotes, lists whole."""
    return [
        re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[0] for found in _WORD.finditer(argument)
    ]


_ANYTIME = {
    "LOGOUT": ["BYE Logging out", "OK Logout completed."],
    "NOOP": ["OK Noop completed."],
    "ID": ["ID NIL", "OK ID completed."],
    "ENABLE": ["OK Enabled."],
}
_Obeys = Callable[[Imap, str, list[str]], list[str]]
_LOGGED_IN: dict[str, _Obeys] = {
    "NAMESPACE": Imap._namespace,
    "LIST": Imap._list,
    "LSUB": Imap._list,
    "MYRIGHTS": Imap._rights,
    "EXAMINE": Imap._folder,
    "SELECT": Imap._folder,
    "STATUS": Imap._folder,
}
_SELECTED: dict[str, _Obeys] = {
    "SEARCH": Imap._search,
    "UID SEARCH": Imap._search,
    "FETCH": Imap._fetch,
    "UID FETCH": Imap._fetch,
    "CLOSE": Imap._close,
    "UNSELECT": Imap._close,
}
_MOMENTS = {
    "CAPABILITY": Moment.CAPABILITIES,
    "STARTTLS": Moment.STARTTLS,
    "LOGIN": Moment.AUTH,
    "AUTHENTICATE": Moment.AUTH,
    "EXAMINE": Moment.FOLDER,
    "FETCH": Moment.MESSAGE,
    "LIST": Moment.MESSAGE,
    "LOGOUT": Moment.QUIT,
}
