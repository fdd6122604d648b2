"""First contact with an IMAP or POP3 server: lines in, lines out, strict and bounded.

Both protocols talk in lines until somebody is signed in. What comes is cut into lines by a reader without I/O;
what has not been asked for waits, within limits, until somebody asks what it was.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from steng.probe.channel import Channel, quick_ack
from steng.probe.failure import ProbeFailure
from steng.probe.lookalike import not_spoken
from steng.probe.transcript import Transcript
from steng.wire import Protocol

MAX_LINE = 64 * 1024
"""Bytes of one line: RFC 7162 section 4 has clients allow 8,192, some servers send long lists of capabilities."""

MAX_UNREAD = 256 * 1024
"""Bytes that may wait unread: a whole answer has far less, and who sends more wants to fill memory."""

MAX_LINES = 1_000
"""Lines of one answer: CAPA has some twenty, IMAP may put a few untagged ones before the tagged one."""

BEGINNINGS = {Protocol.IMAP: b"*+P", Protocol.POP3: b"+-"}
"""First bytes of an answer; our tags of IMAP begin with P."""


class LineReader:
    """Collect bytes and give out whole lines; each is shown to `on_line` as it is read."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._buffer = bytearray()
        self._scanned = 0

    @property
    def unread(self) -> int:
        """Return how many bytes wait."""
        return len(self._buffer)

    @property
    def head(self) -> bytes:
        """Return the first bytes that wait."""
        return bytes(self._buffer[:200])

    def feed(self, data: bytes) -> None:
        """Take bytes from the peer; raises ProbeFailure `too_much_data`."""
        self._buffer += data
        if len(self._buffer) > MAX_UNREAD:
            self.show_rest()
            raise ProbeFailure("too_much_data", f"The server sent more than {MAX_UNREAD} bytes at once.")

    def next(self) -> bytes | None:
        """Return the next line without its end, None if it has not all come; raises ProbeFailure `too_much_data`."""
        end = self._buffer.find(b"\n", self._scanned)
        if max(end, len(self._buffer) if end < 0 else 0) > MAX_LINE:
            self.show_rest()
            raise ProbeFailure("too_much_data", f"The server sent a line of more than {MAX_LINE} bytes.")
        if end < 0:
            self._scanned = len(self._buffer)
            return None
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        self._scanned = 0
        self._on_line(line.decode("utf-8", "surrogateescape"))
        return line

    def take_rest(self) -> bytes:
        """Return what waits, for who reads on; nothing waits here any more."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._scanned = 0
        return rest

    def show_rest(self) -> None:
        """Show what waits without a line end, because nobody will read it."""
        self._on_line(self._buffer[:MAX_LINE].decode("utf-8", "surrogateescape"))


class Lines(Channel):
    """Send lines and read lines over a socket that is connected already."""

    def __init__(self, sock: socket.socket, transcript: Transcript, protocol: Protocol) -> None:
        super().__init__(sock)
        self.transport: asyncio.Transport | None = None
        self.protocol = protocol
        self._transcript = transcript
        self._reader = LineReader(transcript.received)
        self._waiter: asyncio.Future[None] | None = None
        self._gone: Exception | None = None
        self._broken: Exception | None = None

    @property
    def unread(self) -> int:
        return self._reader.unread

    @property
    def usable(self) -> bool:
        """Tell whether something can be said."""
        return self._gone is None and self.transport is not None and not self.transport.is_closing()

    async def answer_line(self) -> str:
        """Return the next line, which has to begin like an answer of this protocol.

        Raises ProbeFailure, at once where what came can never become such a line.
        """
        line = await self._next(BEGINNINGS[self.protocol])
        if not line or line[0] not in BEGINNINGS[self.protocol] or b"\0" in line:
            raise not_spoken(self.protocol, line)
        return line.decode("utf-8", "surrogateescape")

    def waiting_line(self) -> str | None:
        """Return a whole line that has come without being waited for, None where there is none; raises ProbeFailure."""
        if self._broken is not None:
            raise self._broken
        line = self._reader.next()
        return None if line is None else line.decode("utf-8", "surrogateescape")

    async def data_line(self) -> str:
        """Return the next line, whatever stands in it; raises ProbeFailure."""
        return (await self._next(None)).decode("utf-8", "surrogateescape")

    def send(self, *lines: bytes, shown: str | None = None) -> None:
        """Send lines in one go; `shown` stands for all of them in the transcript. Raises what ended the connection."""
        for line in lines if shown is None else ():
            self._transcript.sent(line.decode("utf-8", "replace"))
        if shown is not None:
            self._transcript.sent(shown)
        if self._gone is not None or self.transport is None:
            raise self._gone or ProbeFailure("closed")
        self.transport.write(b"".join(line + b"\r\n" for line in lines))
        quick_ack(self.sock)

    def hand_over(self) -> tuple[asyncio.Transport, bytes]:
        """Return the transport for who speaks on, and what it has not heard yet.

        Raises what ended the connection, where it ended already.
        """
        if self._gone is not None or self.transport is None:
            raise self._gone or ProbeFailure("closed")
        return self.transport, self._reader.take_rest()

    # -- the transport's side --------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.heard = True
        if self._broken is not None:
            return
        try:
            self._reader.feed(data)
        except ProbeFailure as failure:
            # Stop reading at once: a peer that floods must not fill memory until somebody looks.
            self._broken = failure
            if self.transport is not None:
                self.transport.abort()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone = exc or ProbeFailure("closed")
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _next(self, beginnings: bytes | None) -> bytes:
        while True:
            if self._broken is not None:
                raise self._broken
            line = self._reader.next()
            if line is not None:
                return line
            head = self._reader.head
            if beginnings is not None and head and head[0] not in beginnings:
                # Garbage may never bring a line end; there is nothing to wait for.
                self._reader.show_rest()
                raise not_spoken(self.protocol, head)
            if self._gone is not None:
                raise self._gone
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
