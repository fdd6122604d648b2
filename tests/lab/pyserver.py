"""A small mail server in Python that records every byte it receives, by connection, before and after TLS.

It stands in for Postfix and Dovecot where they cannot run, and it is the witness of what a client sent and what it did
not send. It behaves well, in the words of its dialect; servers that misbehave are made elsewhere.

The server runs on an event loop in a thread of its own, so that synchronous and asynchronous tests use it alike.
"""

import asyncio
import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Self

from tests.lab.dialects import DIALECTS, Moment
from tests.lab.facts import Endpoint, Protocol, Security
from tests.lab.mailbox import Mailbox
from tests.lab.pki import Issued
from tests.lab.ports import HOST
from tests.lab.recording import MECHANISMS, Behaviour, Login, Session

LONGEST_LINE = 1_000_000  # far beyond RFC 5321, 4.5.3.1: a witness records what a broken client sends, but not forever


class RecordingServer:
    """Serve one protocol on 127.0.0.1 and record every connection in `sessions`."""

    host = HOST

    def __init__(
        self,
        security: Security,
        *,
        protocol: Protocol = Protocol.SMTP,
        certificate: Issued | None = None,
        users: Mapping[str, str] | None = None,
        behaviour: Behaviour | None = None,
        tls_context: ssl.SSLContext | None = None,
        port: int = 0,
        mailbox: Mailbox | None = None,
    ) -> None:
        """Configure; `tls_context` wins over `certificate` and one of them is needed unless `security` is NONE."""
        self.protocol = protocol
        self.security = security
        self.users = dict(users or {})
        self.behaviour = behaviour or Behaviour.usual(security, protocol)
        self.mailbox = mailbox or Mailbox()
        self.sessions: list[Session] = []
        self.port = port
        self.changed = threading.Condition()
        if tls_context is None and certificate is not None:
            tls_context = certificate.server_context()
        if tls_context is None and security is not Security.NONE:
            raise ValueError(f"{security.value} needs a certificate")
        self.tls_context = tls_context
        self.connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._server: asyncio.Server | None = None

    def start(self) -> Self:
        """Listen; `port` is known when this returns. Raises OSError when the port is taken."""
        self._server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Connection(self), HOST, self.port, backlog=512)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=f"recording-{self.protocol.value.lower()}", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Drop every connection, stop listening and end the thread; does nothing the second time."""
        thread, self._thread = self._thread, None
        if thread is not None:
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)
        if not self._loop.is_closed():
            self._loop.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_for(self, condition: Callable[[list[Session]], bool], seconds: float = 10.0) -> None:
        """Return as soon as `condition(sessions)` holds; raise TimeoutError after `seconds`."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not condition(self.sessions):
                if not self.changed.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"in vain for {seconds:g} s; the sessions are {self.sessions}")

    def wait_closed(self, count: int = 1, seconds: float = 10.0) -> list[Session]:
        """Return the sessions once at least `count` of them have come and all have gone: nothing more can arrive."""
        self.wait_for(lambda sessions: len(sessions) >= count and all(s.closed for s in sessions), seconds)
        return self.sessions

    def login_attempts(self, username: str) -> int:
        """Count the logins decided for `username`, right and wrong."""
        return sum(login.username == username for session in self.sessions for login in session.logins)

    def logins(self, username: str) -> int:
        """Count the logins of `username` that were accepted."""
        return sum(
            login.username == username and login.accepted for session in self.sessions for login in session.logins
        )

    def endpoint(self, service: str, note: str = "") -> Endpoint:
        """Describe the port for people and scripts."""
        return Endpoint(service, HOST, self.port, self.security, note, MECHANISMS)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        await asyncio.gather(*(connection.abort() for connection in list(self.connections)))


class _Connection(asyncio.Protocol):
    """Hold one conversation; a task reads lines, this object records bytes the moment they arrive."""

    def __init__(self, server: RecordingServer) -> None:
        self._server = server
        self._session = Session()
        self._buffer = bytearray()
        self._arrived = asyncio.Event()
        self._over = asyncio.Event()
        self._lost = False
        self._in_handshake = False
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    # -- what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections.add(self)
        if self._server.security is Security.SSL_TLS:
            # Paused at once, so that the client's first handshake byte is left for the TLS layer.
            transport.pause_reading()
        with self._recording():
            self._server.sessions.append(self._session)
        self._task = asyncio.get_running_loop().create_task(self._converse())
        self._task.add_done_callback(lambda _: self._end_if_over())

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        with self._recording():
            (self._session.tls if self._session.tls_started else self._session.clear).extend(data)
        self._buffer += data
        if len(self._buffer) > LONGEST_LINE and b"\n" not in self._buffer:
            self._transport.abort()
        self._arrived.set()

    def eof_received(self) -> bool:
        self._ended = True
        self._arrived.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = self._lost = True
        self._arrived.set()
        self._end_if_over()

    def _end_if_over(self) -> None:
        """Declare the session closed once no byte can come and no line of it can be written any more."""
        # asyncio does not tell a protocol that its connection is lost while a handshake is under way.
        if self._task is None or not self._task.done() or not (self._lost or self._in_handshake):
            return
        self._server.connections.discard(self)
        with self._recording():
            self._session.closed = True
        self._over.set()

    async def abort(self) -> None:
        """Drop the connection and return when nothing of it is left."""
        assert self._transport is not None
        assert self._task is not None
        self._task.cancel()
        self._transport.abort()
        await self._over.wait()

    @contextlib.contextmanager
    def _recording(self) -> Iterator[None]:
        with self._server.changed:
            yield
            self._server.changed.notify_all()

    # -- what the dialect uses

    @property
    def encrypted(self) -> bool:
        """Tell whether TLS protects what is said now."""
        return self._session.tls_started

    async def hear(self) -> str:
        """Return the next line; raises EOFError when the client will send no more."""
        while (end := self._buffer.find(b"\n")) < 0:
            if self._ended:
                raise EOFError
            self._arrived.clear()
            await self._arrived.wait()
        line = self._buffer[:end].rstrip(b"\r").decode("utf-8", "replace")
        del self._buffer[: end + 1]
        return line

    async def say(self, *lines: str, at: Moment = Moment.OTHER) -> None:
        """Send lines, each with its end."""
        assert self._transport is not None
        self._transport.write("".join(f"{line}\r\n" for line in lines).encode())

    async def start_tls(self, *agreement: str) -> None:
        """Agree and shake hands; raises EOFError where the client does not want to."""
        assert self._transport is not None
        self._transport.pause_reading()  # from here on bytes belong to the TLS layer
        # RFC 3207, 4.2: what came before the handshake is forgotten, commands pipelined behind STARTTLS included.
        self._buffer.clear()
        if agreement:
            await self.say(*agreement)
        await self._shake_hands()

    def note(self, login: Login) -> None:
        """Record a login."""
        with self._recording():
            self._session.logins.append(login)

    # -- the conversation

    async def _converse(self) -> None:
        server = self._server
        try:
            if server.security is Security.SSL_TLS:
                await self._shake_hands()
            await DIALECTS[server.protocol](server.behaviour, server.users, server.mailbox).converse(self)
        except (ConnectionError, EOFError, ssl.SSLError):
            pass  # the client went away: the session tells how far it got
        finally:
            if self._transport is not None:
                self._transport.close()

    async def _shake_hands(self) -> None:
        assert self._transport is not None
        assert self._server.tls_context is not None
        # Set before the handshake: deciphered bytes may arrive in the same turn of the loop that ends it.
        self._session.tls_started = True
        self._in_handshake = True
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self._transport, self, self._server.tls_context, server_side=True, ssl_handshake_timeout=30
            )
        except (OSError, EOFError) as error:  # ssl.SSLError is an OSError
            with self._recording():
                self._session.tls_error = str(error) or type(error).__name__
            raise EOFError from error
        assert transport is not None
        self._in_handshake = False
        self._transport = transport
        tls = transport.get_extra_info("ssl_object")
        with self._recording():
            self._session.tls_version = tls.version()
            self._session.client_certificate = tls.getpeercert(binary_form=True)


RecordingSmtpServer = RecordingServer
"""SMTP is what is served where nobody asks for another protocol."""
