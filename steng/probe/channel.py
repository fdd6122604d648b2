"""One connection as bytes: opened in clear text, made TLS where asked for, ended whatever state it is in.

What is said over it is the business of the protocols that build on this.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import cast

from steng.probe.failure import ProbeFailure
from steng.probe.tls import Handshake, shaking_hands

_NEVER = 86_400.0
"""Seconds after which asyncio may end a handshake by itself: the deadline of the stage knows better."""

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


def quick_ack(sock: socket.socket) -> None:
    """Ask the kernel to acknowledge at once.

    Without it a reply that comes in two segments waits 40 ms for a delayed ACK. The kernel
    leaves that mode by itself, so it is asked for again after every write.
    """
    if _QUICKACK is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)


class Channel(asyncio.Protocol):
    """A socket that is connected already, and the transports over it."""

    transport: asyncio.BaseTransport | None

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.heard = False
        """Whether the peer ever sent a byte that was not TLS."""
        self._raw: asyncio.BaseTransport | None = None

    async def open(self) -> None:
        """Begin in clear text."""
        self._raw, _ = await asyncio.get_running_loop().create_connection(lambda: self, sock=self.sock)
        quick_ack(self.sock)

    async def secure(self, context: ssl.SSLContext, name: str, handshake: Handshake) -> None:
        """Shake hands: at once (RFC 8314 section 3), or after the server agreed to STARTTLS.

        Nothing is read in clear text between opening and this: asyncio hands over the transport
        before it looks at the socket again. Raises what the handshake raises.
        """
        if self._raw is None:
            await self.open()
        raw = cast("asyncio.Transport", self._raw)
        with shaking_hands(handshake):
            self.transport = await asyncio.get_running_loop().start_tls(
                raw, self, context, server_hostname=name, ssl_handshake_timeout=_NEVER
            )
        quick_ack(self.sock)

    def refuse_injected(self) -> None:
        """Raise ProbeFailure `injected_data` where bytes followed the answer to STARTTLS.

        RFC 3207 section 4.2, RFC 3501 section 6.2.1, RFC 2595 section 4: nothing may stand between that answer and
        the handshake. Bytes can wait in the reader (same segment) or still in the kernel; both are looked at.
        """
        waiting = b""
        with contextlib.suppress(BlockingIOError):
            waiting = self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        if self.unread or waiting:
            raise ProbeFailure("injected_data", evidence={"bytes": self.unread + len(waiting)})

    @property
    def unread(self) -> int:
        """Return how many bytes came that nobody has read."""
        raise NotImplementedError

    async def abort(self) -> None:
        """Close at once, whatever state it is in; afterwards the descriptor is free."""
        for transport in (self.transport, self._raw):
            if transport is not None:
                cast("asyncio.Transport", transport).abort()
        if self._raw is None:
            # The handshake failed or was cancelled: asyncio closes what it took, this closes the rest.
            self.sock.close()
        # A transport closes its socket one turn of the loop later.
        await asyncio.sleep(0)
