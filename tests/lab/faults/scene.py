"""One connection to a server that deviates at one moment: the wire its dialect talks over."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from tests.lab.dialects import DIALECTS, Moment
from tests.lab.facts import Protocol, Security
from tests.lab.hostile import Peer
from tests.lab.mailbox import Mailbox
from tests.lab.recording import Behaviour, Login


class Scene:
    """Carry the lines of a dialect, and let the fault act once when its moment has come."""

    def __init__(
        self,
        peer: Peer,
        protocol: Protocol,
        security: Security,
        moment: Moment,
        act: Callable[["Scene", Sequence[str]], Awaitable[None]],
        number: int = 0,
    ) -> None:
        """Choose everything; `number` counts the connections of the case from 0."""
        self.peer = peer
        self.number = number
        self.protocol = protocol
        self.security = security
        self.tag = ""
        self.logins: list[Login] = []
        self.moment = moment
        self._acted = False
        self._act = act

    @property
    def encrypted(self) -> bool:
        """Tell whether TLS protects what is said now."""
        return self.peer.encrypted

    async def play(self, behaviour: Behaviour, users: dict[str, str], mailbox: Mailbox) -> None:
        """Serve the connection to its end, and hear what still comes then."""
        try:
            if self.security is Security.SSL_TLS:
                await self._shake_hands()
            await DIALECTS[self.protocol](behaviour, users, mailbox).converse(self)
        except EOFError:
            await self.peer.hang()

    async def hear(self) -> str:
        """Return the next line; remember the tag of a command, for lines that a fault makes up."""
        line = await self.peer.hear()
        if self.protocol is Protocol.IMAP and " " in line:
            self.tag = line.partition(" ")[0]
        return line

    async def say(self, *lines: str, at: Moment = Moment.OTHER) -> None:
        """Send lines, or let the fault act in their place."""
        if at is Moment.CAPABILITIES and self.security is Security.STARTTLS and self.encrypted:
            at = Moment.CAPABILITIES_AGAIN
        if self._due(at):
            await self._act(self, lines)
        else:
            await self.usual(lines)

    async def usual(self, lines: Sequence[str]) -> None:
        """Say what a good server says here."""
        await self.peer.say(*lines)

    async def start_tls(self, *agreement: str) -> None:
        """Agree and shake hands."""
        if self._due(Moment.STARTTLS):
            await self._act(self, agreement)
            return
        await self.peer.say(*agreement)
        await self._shake_hands()

    def note(self, login: Login) -> None:
        """Record a login."""
        self.logins.append(login)

    def leap(self, seconds: float) -> None:
        """Let time pass at once; see `LeapingLoop`."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LeapingLoop)
        loop.leapt += seconds

    async def _shake_hands(self) -> None:
        if self._due(Moment.TLS):
            await self._act(self, ())
        else:
            await self.peer.start_tls()

    def _due(self, at: Moment) -> bool:
        if self._acted or self.moment is not at:
            return False
        self._acted = True
        return True


class LeapingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock can be put forward, so that nobody has to wait for a timeout."""

    leapt = 0.0

    def time(self) -> float:
        return super().time() + self.leapt
