"""What a dialect needs of the connection it talks over, and the moments at which it can be made to deviate."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from tests.lab.mailbox import Mailbox
from tests.lab.recording import Behaviour, Login


class Moment(StrEnum):
    """Name what the lines that a server is about to say belong to; the first two come before it says any."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    GREETING = "greeting"
    CAPABILITIES = "capabilities"
    STARTTLS = "starttls"
    TLS = "tls"
    CAPABILITIES_AGAIN = "capabilities after TLS"
    CHALLENGE = "challenge"
    AUTH = "auth"
    SENDER = "sender"
    FOLDER = "folder"
    MESSAGE = "message"
    QUIT = "quit"
    OTHER = "other"


class Wire(Protocol):
    """One connection, from the server's side."""

    @property
    def encrypted(self) -> bool:
        """Tell whether TLS protects what is said now."""

    async def hear(self) -> str:
        """Return the next line without its end; raises EOFError where there is none."""

    async def say(self, *lines: str, at: Moment = Moment.OTHER) -> None:
        """Send lines, each with its end."""

    async def start_tls(self, *agreement: str) -> None:
        """Forget what was sent ahead, agree, and shake hands."""

    def note(self, login: Login) -> None:
        """Record a login that was tried to its end."""


class Refused(Exception):
    """Carry the words that end the current command badly."""


class Dialect:
    """Talk as a good server of one protocol does; `converse` ends with EOFError where the client says goodbye."""

    def __init__(self, behaviour: Behaviour, users: Mapping[str, str], mailbox: Mailbox) -> None:
        self.behaviour = behaviour
        self.users = users
        self.mailbox = mailbox

    def capabilities(self, wire: Wire) -> tuple[str, ...]:
        """Return what is offered now."""
        return self.behaviour.capabilities_tls if wire.encrypted else self.behaviour.capabilities_clear

    async def converse(self, wire: Wire) -> None:
        """Greet and obey until one side has enough."""
        raise NotImplementedError
