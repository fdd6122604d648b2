"""A fault and its cases: how a server deviates, when, over what, and what a probe has to say of it.

A server behaves well until the moment of its fault. What it heard by then follows from the moment, so a fault names
only what is heard beyond that, and whether the probe still says goodbye.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from itertools import product
from typing import Any

from steng.probe.resolve import Resolver
from tests.lab.dialects import Moment
from tests.lab.facts import Protocol, Security
from tests.lab.faults import course
from tests.lab.faults.scene import Scene
from tests.lab.recording import Behaviour

Act = Callable[[Scene, Sequence[str]], Awaitable[None]]
"""What the server does instead of saying the lines that it would have said."""

EVERY = tuple(Protocol)
SMTP, IMAP, POP3 = ((protocol,) for protocol in Protocol)
MAIL = (*IMAP, *POP3)
EITHER = tuple(Security)
TLS = (Security.STARTTLS, Security.SSL_TLS)
UPGRADE = (Security.STARTTLS,)
CLEAR = (Security.NONE,)


async def behaves(scene: Scene, lines: Sequence[str]) -> None:
    """Do what a good server does."""
    if scene.moment is Moment.TLS:
        await scene.peer.start_tls()
    else:
        await scene.usual(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way in which a server is wrong; `code` is None where that harms nobody.

    `here` are the shapes heard at the moment itself where they are not the usual ones, `parting` whether a goodbye
    follows; `last` is what is heard between the folder or sender and the goodbye. `when` is the moment of the act where
    it is another, such as a challenge within a sign-in. `offers` changes what the server offers, `presents` names its
    certificate.
    """

    name: str
    at: Moment
    code: str | None
    act: Act = behaves
    when: Moment | None = None
    stage: str | None = None
    protocols: Sequence[Protocol] = EVERY
    securities: Sequence[Security] = EITHER
    parting: bool = False
    here: Sequence[str] | None = None
    last: Sequence[str] | None = None
    before: Callable[[], Awaitable[bool]] | None = None
    evidence: Mapping[str, Any] = made(default_factory=dict)
    request: Mapping[str, Any] = made(default_factory=dict)
    mailbox: Mapping[str, Any] = made(default_factory=dict)
    offers: Callable[[Behaviour, Protocol], Behaviour] = lambda behaviour, _: behaviour
    presents: str = "good"
    resolver: Resolver | None = None
    closed: bool = False
    field: str | None = None
    warning: bool = False
    floods: bool = False

    def cases(self) -> list["Case"]:
        """Return a case for each protocol and security in which the moment can come."""
        return [
            Case(self, protocol, security)
            for protocol, security in product(self.protocols, self.securities)
            if self.at in course.moments(protocol, security)
        ]


@dataclass(frozen=True, slots=True)
class Case:
    """A fault over one protocol and security."""

    fault: Fault
    protocol: Protocol
    security: Security

    @property
    def name(self) -> str:
        """Return what tells it from the others."""
        return f"{self.protocol.value} {self.security.value}: {self.fault.name}"

    @property
    def told(self) -> tuple[str | None, str | None]:
        """Return stage and code of the verdict, (None, None) for a success."""
        if self.fault.code is None:
            return None, None
        return self.fault.stage or course.STAGES[self.fault.at], self.fault.code

    @property
    def heard(self) -> tuple[str, ...]:
        """Return what the server receives, each command as its shape."""
        goes_on = self.fault.code is None or self.fault.warning
        goodbye = course.commands(Moment.QUIT, self.protocol, self.security) if self.fault.parting else ()
        reached = Moment.QUIT if goes_on else self.fault.at
        unusual = {self.fault.at: self.fault.here, Moment.OTHER: self.fault.last}
        return (*course.until(reached, self.protocol, self.security, unusual), *goodbye)
