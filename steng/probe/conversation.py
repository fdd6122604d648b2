"""One SMTP conversation: aiosmtplib's protocol, made strict and bounded.

The library throws away what a server says without being asked, and forgives what follows the
answer to STARTTLS. For a test both are findings: here every byte is either part of the reply
to the command that waits, or kept (within limits) until somebody asks what it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Coroutine
from typing import cast

from aiosmtplib import SMTPResponse, SMTPServerDisconnected
from aiosmtplib.protocol import SMTPProtocol

from steng.probe.failure import ProbeFailure
from steng.probe.replies import ReplyReader
from steng.probe.tls import Handshake, shaking_hands
from steng.probe.transcript import Transcript

_NEVER = 86_400.0
"""Seconds after which asyncio may end a handshake by itself: the deadline of the stage knows better."""

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class Conversation(SMTPProtocol):
    """Send commands one at a time and read their replies over a socket that is connected already."""

    def __init__(self, sock: socket.socket, transcript: Transcript) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._sock = sock
        self._transcript = transcript
        self._reader = ReplyReader(transcript.received)
        self._raw: asyncio.BaseTransport | None = None
        self._broken: Exception | None = None
        self._asked = False
        self.heard = False

    # -- opening ---------------------------------------------------------

    async def open(self) -> None:
        """Begin in clear text."""
        self._raw, _ = await self._loop.create_connection(lambda: self, sock=self._sock)
        self._quick_ack()

    async def secure(self, context: ssl.SSLContext, name: str, handshake: Handshake) -> None:
        """Shake hands: at once (RFC 8314 section 3), or after the server agreed to STARTTLS.

        Nothing is read in clear text between opening and this: asyncio hands over the transport
        before it looks at the socket again. Raises what the handshake raises.
        """
        if self._raw is None:
            await self.open()
        raw = cast("asyncio.Transport", self._raw)
        with shaking_hands(handshake):
            self.transport = await self._loop.start_tls(
                raw, self, context, server_hostname=name, ssl_handshake_timeout=_NEVER
            )
        self._over_ssl = True
        self._quick_ack()

    def refuse_injected(self) -> None:
        """Raise ProbeFailure `injected_data` where bytes followed the answer to STARTTLS.

        RFC 3207 section 4.2: nothing may stand between that answer and the handshake. Bytes can
        wait in the reader (same segment) or still in the kernel; both are looked at.
        """
        waiting = b""
        with contextlib.suppress(BlockingIOError):
            waiting = self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        if self._reader.pending or waiting:
            raise ProbeFailure("injected_data", evidence={"bytes": self._reader.pending + len(waiting)})

    # -- talking ---------------------------------------------------------

    async def greeting(self) -> SMTPResponse:
        """Return the server's first reply; raises ProbeFailure."""
        return await self._answer(self.read_response())

    async def command(self, *words: bytes, shown: str | None = None) -> SMTPResponse:
        """Send one command and return its reply; `shown` stands for it in the transcript.

        Raises ProbeFailure, also where the server spoke without being asked. The exception is
        421, which a server may say at any time before it hangs up (RFC 5321 section 3.8).
        """
        unasked = self._unasked()
        if unasked is not None:
            return unasked
        self._transcript.sent(shown if shown is not None else b" ".join(words).decode("utf-8", "replace"))
        return await self._answer(self.execute_command(*words))

    def farewell(self) -> None:
        """Say QUIT and wait for nothing: the answer would change no verdict and cost a round trip."""
        if self.is_connected and not self._asked and not self._quit_sent:
            self._quit_sent = True
            self._transcript.sent("QUIT")
            with contextlib.suppress(SMTPServerDisconnected):
                self.write(b"QUIT\r\n")

    async def abort(self) -> None:
        """Close at once, whatever state it is in; afterwards the descriptor is free."""
        for transport in (self.transport, self._raw):
            if transport is not None:
                cast("asyncio.Transport", transport).abort()
        if self._raw is None:
            # The handshake failed or was cancelled: asyncio closes what it took, this closes the rest.
            self._sock.close()
        # A transport closes its socket one turn of the loop later.
        await asyncio.sleep(0)

    # -- the transport's side --------------------------------------------

    def write(self, data: bytes) -> None:
        super().write(data)
        self._quick_ack()

    def data_received(self, data: bytes) -> None:
        self.heard = True
        waiter = self._response_waiter
        if waiter is None or self._broken is not None:
            return
        try:
            self._reader.feed(data)
            if self._response_pending and not waiter.done():
                reply = self._reader.next()
                if reply is not None:
                    waiter.set_result(reply)
        except ProbeFailure as failure:
            self._break(failure)

    def eof_received(self) -> bool:
        # The waiter is failed in `connection_lost`, which follows and knows more.
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._broken is None:
            self._broken = exc or ProbeFailure("closed")
        super().connection_lost(self._broken)

    def _break(self, failure: ProbeFailure) -> None:
        # Stop reading at once: a peer that floods must not fill memory until somebody looks.
        self._broken = failure
        if self._response_waiter is not None and not self._response_waiter.done():
            self._set_response_exception(self._response_waiter, failure)
        if self.transport is not None:
            cast("asyncio.Transport", self.transport).abort()

    async def _answer(self, reply: Coroutine[None, None, SMTPResponse]) -> SMTPResponse:
        # Stays set where no answer came: a second command would then be taken for something else.
        self._asked = True
        try:
            answer = await reply
        except SMTPServerDisconnected:
            # The library does not say how the connection ended; `connection_lost` knew. A server that gave
            # its reason first and then hung up is taken at its word.
            last_word = self._reader.next() if self._reader.pending else None
            if last_word is not None and last_word.code == 421:
                return last_word
            raise (self._broken or ProbeFailure("closed")) from None
        self._asked = False
        return answer

    def _unasked(self) -> SMTPResponse | None:
        if not self._reader.pending:
            return None
        reply = self._reader.next()
        if reply is not None and reply.code == 421:
            return reply
        raise ProbeFailure("protocol_error", "The server answered before it was asked.")

    def _quick_ack(self) -> None:
        # Without it a reply that comes in two segments waits 40 ms for a delayed ACK. The kernel
        # leaves that mode by itself, so it is asked for again after every write.
        if _QUICKACK is not None:
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
