"""One SMTP conversation: aiosmtplib's protocol, made strict and bounded.

The library throws away what a server says without being asked, and forgives what follows the
answer to STARTTLS. For a test both are findings: here every byte is either part of the reply
to the command that waits, or kept (within limits) until somebody asks what it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Coroutine
from typing import cast

from aiosmtplib import SMTPResponse, SMTPServerDisconnected
from aiosmtplib.protocol import SMTPProtocol

from steng.probe.channel import Channel, quick_ack
from steng.probe.failure import ProbeFailure
from steng.probe.replies import ReplyReader
from steng.probe.transcript import Transcript


class Conversation(Channel, SMTPProtocol):
    """Send commands one at a time and read their replies over a socket that is connected already."""

    def __init__(self, sock: socket.socket, transcript: Transcript) -> None:
        Channel.__init__(self, sock)
        SMTPProtocol.__init__(self, loop=asyncio.get_running_loop())
        self._transcript = transcript
        self._reader = ReplyReader(transcript.received)
        self._broken: Exception | None = None
        self._asked = False

    @property
    def unread(self) -> int:
        return self._reader.pending

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

    # -- the transport's side --------------------------------------------

    def write(self, data: bytes) -> None:
        super().write(data)
        quick_ack(self.sock)

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
