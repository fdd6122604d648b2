"""One probe from its request to its report: the only module that knows the order of everything."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from steng.offer import abilities, everything
from steng.plan import plan_of
from steng.probe import connect as connecting
from steng.probe.connect import Dialled
from steng.probe.course import Course, Ended, Running, refuse_impossible
from steng.probe.failure import ProbeFailure, not_supported, reading_of
from steng.probe.imap import Imap
from steng.probe.pop3 import Pop3
from steng.probe.resolve import Addresses, Resolver, host_of, resolve, system_resolver
from steng.probe.second_look import speaks_tls
from steng.probe.securing import Securing
from steng.probe.server_hello import Choice, choice_of
from steng.probe.session import BeforeCredentials, Session, Setting
from steng.probe.smtp import Smtp
from steng.probe.tls import Handshake, contexts
from steng.probe.transcript import Redactor, Transcript
from steng.probe.withheld import TELLERS
from steng.wire import Authentication, ProbeReport, ProbeRequest, Protocol, Security, Stage, StageName, TrustSet

PATIENCE = 3.0
"""Seconds of silence after which a second connection asks whether the port speaks TLS; the first goes on waiting."""

OnStage = Callable[[Stage], None]
SESSIONS: Mapping[Protocol, type[Session]] = {Protocol.SMTP: Smtp, Protocol.IMAP: Imap, Protocol.POP3: Pop3}


async def probe(
    request: ProbeRequest,
    on_stage: OnStage | None = None,
    before_credentials: BeforeCredentials | None = None,
    resolver: Resolver | None = None,
) -> ProbeReport:
    """Test the server of `request` and return what was found. Never raises, except CancelledError.

    `on_stage` is called as each stage ends. `before_credentials` is awaited before the first
    byte of a credential leaves; where it returns False the probe stops with CancelledError.
    """
    return await _Probe(request, on_stage, before_credentials, resolver or system_resolver).run()


class _Probe:
    def __init__(
        self,
        request: ProbeRequest,
        on_stage: OnStage | None,
        before_credentials: BeforeCredentials | None,
        resolver: Resolver,
    ) -> None:
        self._request = request
        self._before_credentials = before_credentials
        self._resolver = resolver
        loop = asyncio.get_running_loop()
        self._begin = loop.time()
        self._redactor = Redactor()
        if request.login is not None:
            self._redactor.hide(request.login.username, request.login.password.reveal())
        self._transcript = Transcript(self._redactor, loop.time, TELLERS[request.protocol])
        deadline = self._begin + request.timeout_ms / 1000
        self._course = Course(plan_of(request), deadline, self._transcript, on_stage)
        self._host = request.host
        self._source: str | None = None
        self._peer: str | None = None
        self._securing: Securing | None = None
        self._aside: Mapping[str, str] = {}
        self._orderly = False

    async def run(self) -> ProbeReport:
        try:
            await self._run()
        except Ended:
            pass
        except Exception as error:  # noqa: BLE001 (a fault of ours between two stages is reported like one within)
            self._course.break_off(error)
        return ProbeReport(
            verdict=self._course.verdict,
            stages=self._course.stages,
            duration_ms=round((asyncio.get_running_loop().time() - self._begin) * 1000, 3),
            source_address=self._source,
            peer_address=self._peer,
            chain=self._securing.handshake.chain if self._securing else (),
            transcript=self._transcript.lines(),
            aside=self._aside,
        )

    async def _run(self) -> None:
        addresses = await self._resolve()
        dialled = await self._connect(addresses)
        try:
            session = SESSIONS[self._request.protocol](self._setting(dialled))
        except BaseException:
            dialled.sock.close()
            raise
        try:
            await self._converse(session, dialled)
        finally:
            self._aside = session.aside
            # A conversation that broke off in order is ended in order; everything else is only closed.
            if self._orderly:
                session.farewell()
            await session.channel.abort()

    def _setting(self, dialled: Dialled) -> Setting:
        return Setting(
            self._request, dialled.sock, self._source or "", self._course.deadline, self._redactor, self._transcript
        )

    async def _resolve(self) -> Addresses:
        async with self._course.stage(StageName.RESOLVE) as stage:
            if self._request.authentication is Authentication.POP_BEFORE_SMTP:
                # The POP3 login would come before everything else, so nothing at all can be tried without it.
                raise not_supported("authentication_type", [self._request.authentication.value])
            refuse_impossible(self._request)
            self._host = host_of(self._request.host)
            addresses = await resolve(self._host, self._request.egress, self._resolver)
            stage.evidence |= {"host": self._host, "addresses": [str(address) for address in addresses.usable]}
            if addresses.refused:
                stage.evidence["refused"] = [list(pair) for pair in addresses.refused]
        return addresses

    async def _connect(self, addresses: Addresses) -> Dialled:
        port = self._request.port
        async with self._course.stage(StageName.CONNECT) as stage:
            try:
                # A moment earlier than the stage's own end, so that the addresses tried are told.
                dialled = await connecting.connect(addresses.usable, port, self._course.deadline - 0.005)
            except ProbeFailure as failure:
                self._name_source(failure.evidence.get("source_address"))
                raise
            self._peer = str(dialled.address)
            self._name_source(str(dialled.sock.getsockname()[0]))
            stage.evidence |= {
                "addresses": connecting.describe(dialled.attempts),
                "port": port,
                "peer_address": self._peer,
                "source_address": self._source,
            }
            failed = [attempt for attempt in dialled.attempts if attempt.code]
            if failed:
                told = ", ".join(f"{attempt.address} ({attempt.code})" for attempt in failed)
                stage.warn("address_failed", f"Did not answer: {told}. {self._peer} did.")
        return dialled

    async def _converse(self, session: Session, dialled: Dialled) -> None:
        steps = iter(plan_of(self._request)[2:])
        for step in steps:
            if step is StageName.TLS:
                self._orderly = False
                self._securing = Securing(self._request, self._host, partial(self._look_again, dialled))
                await self._securing.run(self._course, session.channel)
                session.encrypted = True
                # The three stages of one handshake were run at once.
                next(steps), next(steps)
                continue
            async with self._course.stage(step) as stage:
                await self._step(step, stage, session, dialled)
                self._orderly = True

    async def _step(self, step: StageName, stage: Running, session: Session, dialled: Dialled) -> None:
        match step:
            case StageName.GREETING:
                await self._hear(session, dialled)
                await session.greeting(stage)
            case StageName.CAPABILITIES:
                await session.capabilities(stage)
            case StageName.STARTTLS:
                await session.starttls()
            case StageName.AUTH:
                await self._auth(stage, session)
            case StageName.SENDER:
                await session.sender()
            case StageName.FOLDER:
                await session.folder(stage)
            case _:
                session.farewell()

    async def _auth(self, stage: Running, session: Session) -> None:
        if self._request.login is None or self._request.authentication is not Authentication.BASIC:
            raise not_supported("authentication_type", [self._request.authentication.value])
        await session.auth(stage, self._request.login, self._before_credentials)

    async def _hear(self, session: Session, dialled: Dialled) -> None:
        """Take the greeting; where none comes in clear text, look whether the port speaks TLS."""
        if session.encrypted:
            await session.hear()
            return
        await session.channel.open()
        greeting = asyncio.ensure_future(session.hear())
        look = asyncio.ensure_future(self._second_look(dialled, greeting))
        try:
            await asyncio.wait({greeting, look}, return_when=asyncio.FIRST_COMPLETED)
            if look.done() and look.result():
                raise _tls_expected()
            try:
                await greeting
            except Exception as error:
                failure = reading_of(error)
                gone = failure is not None and failure.code in {"closed", "reset"} and not session.channel.heard
                if gone and await self._speaks_tls(dialled):
                    raise _tls_expected() from None
                raise
        finally:
            await _drop(greeting, look)

    async def _second_look(self, dialled: Dialled, greeting: asyncio.Future[None]) -> bool:
        """Wait a while for the greeting, and only then ask whether the port speaks TLS."""
        await asyncio.wait({greeting}, timeout=min(PATIENCE, self._left() / 3))
        return not greeting.done() and await self._speaks_tls(dialled)

    async def _speaks_tls(self, dialled: Dialled) -> bool:
        return await speaks_tls(dialled.address, self._request.port, self._host, min(PATIENCE, self._left() / 2))

    async def _look_again(self, dialled: Dialled) -> Choice | None:
        """Say hello once more with everything on, to learn what the server would choose.

        Nothing is trusted in it, so no handshake succeeds and nothing is sent over it. None where that teaches nothing.
        """
        everything_on = everything(abilities())
        handshake = Handshake(TrustSet(), everything_on)
        silent = Transcript(self._redactor, asyncio.get_running_loop().time, TELLERS[self._request.protocol])
        with contextlib.suppress(ProbeFailure, OSError, TimeoutError):
            async with asyncio.timeout(min(PATIENCE, self._left() / 2)):
                again = await connecting.connect((dialled.address,), self._request.port, self._course.deadline)
                setting = dataclasses.replace(self._setting(again), transcript=silent)
                session = SESSIONS[self._request.protocol](setting)
                try:
                    await _come_to_tls(session, self._request.security)
                    context = contexts.get(TrustSet(), everything_on, match_hostname=False)
                    await session.channel.secure(context, self._host, handshake)
                finally:
                    await session.channel.abort()
        return choice_of(handshake.first_bytes)

    def _left(self) -> float:
        return max(0.0, self._course.deadline - asyncio.get_running_loop().time())

    def _name_source(self, address: str | None) -> None:
        self._source = self._course.source = address


async def _come_to_tls(session: Session, security: Security) -> None:
    if security is Security.STARTTLS:
        await session.channel.open()
        await session.hear()
        await session.greeting(Running(StageName.GREETING))
        await session.capabilities(Running(StageName.CAPABILITIES))
        await session.starttls()


def _tls_expected() -> ProbeFailure:
    suggestion = {"connection_security": Security.SSL_TLS.value}
    return ProbeFailure("tls_expected", evidence={"looks_like": "TLS", "suggestion": suggestion})


async def _drop(*tasks: asyncio.Future[Any]) -> None:
    """End tasks and take what they raised, so that none is left running or unheard."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()
