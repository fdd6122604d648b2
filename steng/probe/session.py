"""What every session with a mail server has in common: the stages, and signing in once.

Each stage is one method, and raises ProbeFailure where it ends badly. Their order is said in `course` alone.
"""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steng.probe import sasl
from steng.probe.channel import Channel
from steng.probe.course import Running
from steng.probe.failure import ProbeFailure
from steng.probe.transcript import Redactor, Transcript
from steng.wire import Login, ProbeRequest, Security

BeforeCredentials = Callable[[], Awaitable[bool]]

SHOWN_CAPABILITIES = 50


@dataclass(frozen=True, slots=True)
class Setting:
    """What a session is given: the request, a socket that is connected, and who notes what is said over it."""

    request: ProbeRequest
    sock: socket.socket
    source: str
    deadline: float
    redactor: Redactor
    transcript: Transcript


class Session(ABC):
    """One session: what the server said of itself, and the commands that follow from it."""

    channel: Channel

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._request = setting.request
        self._redactor = setting.redactor
        self.encrypted = False
        self.aside: dict[str, str] = {}
        """What is for who asked and is never stored."""

    @abstractmethod
    async def hear(self) -> None:
        """Wait for the server's first words and keep them."""

    @abstractmethod
    async def greeting(self, stage: Running) -> None:
        """Judge the first words."""

    @abstractmethod
    async def capabilities(self, stage: Running) -> None:
        """Learn what the server can do."""

    @abstractmethod
    async def starttls(self) -> None:
        """Ask for TLS; on return the next byte of ours must be a ClientHello."""

    async def auth(self, stage: Running, login: Login, before: BeforeCredentials | None) -> None:
        """Sign in, once; `before` is awaited before the first byte of a credential leaves.

        Raises CancelledError where `before` says no.
        """
        offer = self._offer()
        choice = sasl.choose(login.mechanism, offer, encrypted=self.encrypted, show=self._redactor.clean)
        stage.evidence |= {"mechanism": choice.name, "offered": offer.shown(self._redactor.clean)}
        if before is not None and not await before():
            raise asyncio.CancelledError
        self._redactor.withhold()
        await self._sign_in(choice, login)
        if choice.clear_password and not self.encrypted:
            stage.warn("clear_text_login")

    async def sender(self) -> None:
        """Ask whether the server takes mail from the sender; SMTP alone has this stage."""
        raise NotImplementedError

    async def folder(self, stage: Running) -> None:
        """Look at the mailbox without changing it; SMTP alone has not got this stage."""
        raise NotImplementedError

    @abstractmethod
    def farewell(self) -> None:
        """Take leave and wait for nothing: the answer would change no verdict and cost a round trip."""

    @abstractmethod
    def _offer(self) -> sasl.Offer:
        """Return what the server takes for a sign-in."""

    @abstractmethod
    async def _sign_in(self, choice: sasl.Choice, login: Login) -> None:
        """Sign in by this way; raises ProbeFailure where the server refuses."""

    @staticmethod
    def _sign_in_refused(code: str, detail: str, evidence: Mapping[str, Any], login: Login) -> ProbeFailure:
        """Return the refusal of a sign-in, with what may help."""
        more: dict[str, Any] = {}
        if code == "clear_text_login_disabled":
            more["suggestion"] = {"connection_security": Security.STARTTLS.value}
        if code == "credentials_refused" and "@" not in login.username:
            more["username_without_domain"] = True
        return ProbeFailure(code, detail, evidence={**evidence, **more})

    def _shown(self, capabilities: Sequence[str]) -> list[str]:
        return [self._redactor.clean(line, 200) for line in capabilities[:SHOWN_CAPABILITIES]]
