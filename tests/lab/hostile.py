"""A server that misbehaves as it is told: one script for each connection, and a record of every byte it got.

A script is a coroutine function that is given a `Peer`; the lines of a test read like the conversation:

    async def talks(peer):
        await peer.say("220 mail.test")
        await peer.hear()
        await peer.reset()

It runs on the loop of the test, so that a probe and its server need no thread. What follows a handshake that the
client refused is the script's business no more: it is ended quietly.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from typing import Self

HOST = "127.0.0.1"
LONGEST_LINE = 1_000_000


class Peer:
    """One connection, from the server's side."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext | None
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._context = context
        self.clear = bytearray()
        self.tls = bytearray()
        self.encrypted = False

    @property
    def lines(self) -> list[bytes]:
        """Return every line received, before and after the handshake."""
        return bytes(self.clear + self.tls).splitlines()

    async def say(self, *lines: str, at: str = "") -> None:
        """Send lines, each with its end; all of them in one segment."""
        await self.send("".join(f"{line}\r\n" for line in lines).encode())

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def send_beside_tls(self, data: bytes) -> None:
        """Send bytes past the TLS layer, which are no record."""
        os.write(self._writer.get_extra_info("socket").fileno(), data)

    async def hear(self) -> str:
        """Return the next line; raises EOFError where there is none."""
        line = await self._reader.readline()
        (self.tls if self.encrypted else self.clear).extend(line)
        if not line:
            raise EOFError
        return line.decode("utf-8", "replace").rstrip("\r\n")

    async def ehlo(self, *capabilities: str) -> None:
        """Hear a line and answer as to EHLO."""
        await self.hear()
        lines = ("mail.test", *capabilities)
        await self.say(*(f"250{' ' if place == len(lines) else '-'}{line}" for place, line in enumerate(lines, 1)))

    async def client_hello(self) -> bytes:
        """Take the first bytes of a handshake that will not happen; they count as received by nobody."""
        return await self._reader.read(65_536)

    async def start_tls(self) -> None:
        """Shake hands as the server; raises OSError where the client does not want to."""
        assert self._context is not None
        await self._writer.start_tls(self._context)
        self.encrypted = True

    async def handshake_aloud(self) -> None:
        """Shake hands and send the alert where that fails, which asyncio's own handshake does not do."""
        assert self._context is not None
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        wrapped = self._context.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                wrapped.do_handshake()
            except ssl.SSLWantReadError:
                await self.send(outgoing.read())
                data = await self._reader.read(65_536)
                if not data:
                    raise EOFError from None  # the client went in the midst of it
                incoming.write(data)
            except ssl.SSLError:
                await self.send(outgoing.read())
                # Only a connection that is read to its end is closed in order; else the alert may be lost to a RST.
                self._writer.write_eof()
                await self._reader.read()
                raise
            else:
                await self.send(outgoing.read())
                return

    async def hang(self) -> None:
        """Say nothing more, but note what comes, until the client goes."""
        while data := await self._reader.read(65_536):
            (self.tls if self.encrypted else self.clear).extend(data)

    def take_unread(self) -> None:
        """Record what has come and nobody asked for."""
        (self.tls if self.encrypted else self.clear).extend(self._reader._buffer)  # type: ignore[attr-defined]

    async def flood(self, data: bytes) -> None:
        """Send `data` for ever, until the client goes."""
        while True:
            await self.send(data)
            # A socket that takes everything at once would keep the loop for itself.
            await asyncio.sleep(0)

    def abort(self) -> None:
        """End the connection, whatever state it is in."""
        self._writer.transport.abort()

    async def reset(self) -> None:
        """Cut the connection with a RST."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    async def close(self) -> None:
        """End the connection in order."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


Script = Callable[[Peer], Awaitable[None]]


class HostileServer:
    """Run a script for each connection to a free port of loopback."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._context = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.peers: list[Peer] = []
        self.faults: list[BaseException] = []
        self.port = 0

    @property
    def received(self) -> bytes:
        """Return everything that any client sent, the handshakes' own bytes left out."""
        return b"".join(bytes(peer.clear + peer.tls) for peer in self.peers)

    async def gone(self) -> None:
        """Return when every connection so far is over: nothing more can arrive."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, 0, limit=LONGEST_LINE)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for _ in range(3):
            # What was accepted a moment ago becomes a task some turns of the loop later.
            await asyncio.sleep(0)
        for task in set(self._tasks):
            task.cancel()
        await self.gone()
        await self._server.wait_closed()
        if self.faults:
            raise self.faults[0]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        peer = Peer(reader, writer, self._context)
        self.peers.append(peer)
        try:
            await self._script(peer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        except Exception as fault:  # noqa: BLE001 (a broken script must fail the test, not vanish in a task)
            self.faults.append(fault)
        finally:
            peer.take_unread()
            peer.abort()
