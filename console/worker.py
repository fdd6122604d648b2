"""The web server's worker: gunicorn's threads, with an end to how long a client may take to say what it wants."""

from __future__ import annotations

import errno
import time
from typing import Any

from gunicorn.http.parser import RequestParser  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

READ_SECONDS = 10.0
"""How long the head of a request may take from its first wait to its end, and its body once more."""


class TimedReader(SocketUnreader):  # type: ignore[misc]
    """Read from a client until a deadline; whoever is too slow is treated as if it had hung up.

    The deadline is one for the whole part, not for each piece: a byte every few seconds does not prolong it.
    It holds while reading only, so that an answer may be waited for, and written, as long as it takes.
    """

    def __init__(self, sock: Any, seconds: float) -> None:
        super().__init__(sock)
        self._seconds = seconds
        self._deadline: float | None = None

    def begin(self) -> None:
        """Start a new part of a request: its time runs from its first read."""
        self._deadline = None

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next piece; raise ConnectionResetError where the time is up.

        Not an empty piece: that is the end of a body too, and half a form must not be taken for a whole one.
        """
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + self._seconds
        before = self.sock.gettimeout()
        left = self._deadline - now if before is None else min(before, self._deadline - now)
        if left <= 0:
            raise _too_slow()
        self.sock.settimeout(left)
        try:
            piece: bytes = super().chunk(size_hint)
        except TimeoutError:
            raise _too_slow() from None
        finally:
            self.sock.settimeout(before)
        return piece


def _too_slow() -> ConnectionResetError:
    # gunicorn passes over this number in silence; a traceback for each slow client would fill the log.
    return ConnectionResetError(errno.ECONNRESET, "the client took too long to send its request")


class TimedWorker(ThreadWorker):  # type: ignore[misc]
    """Free the thread of a client that does not finish its request.

    Without it a request that never ends holds its thread for ever, and as many of them as there are threads
    hold the console. Plain HTTP/1.1 only: TLS and HTTP/2 are the business of the proxy in front.
    """

    seconds = READ_SECONDS

    def handle(self, conn: TConn) -> Any:
        """Answer one request of a connection, new or kept alive."""
        if conn.parser is None:
            # gunicorn makes its own parser only where there is none yet.
            conn.parser = RequestParser(self.cfg, conn.sock, conn.client)
            conn.parser.unreader = TimedReader(conn.sock, self.seconds)
        conn.parser.unreader.begin()
        return super().handle(conn)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Answer a request whose head is complete; its body gets a time of its own."""
        conn.parser.unreader.begin()
        return super().handle_request(req, conn)
