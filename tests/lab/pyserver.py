"""A small SMTP server in Python that records every byte it receives, by connection, before and after TLS.

It stands in for Postfix where that cannot run, and it is the witness of what a client sent and what it did not send.
It behaves well; servers that misbehave are made elsewhere.

The server runs on an event loop in a thread of its own, so that synchronous and asynchronous tests use it alike.
"""

import asyncio
import base64
import binascii
import contextlib
import hmac
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Self

from tests.lab.facts import Endpoint, Security
from tests.lab.pki import Issued
from tests.lab.ports import HOST
from tests.lab.recording import MECHANISMS, Behaviour, Login, Session

LONGEST_LINE = 1_000_000  # far beyond RFC 5321, 4.5.3.1: a witness records what a broken client sends, but not forever


class RecordingSmtpServer:
    """Serve SMTP on 127.0.0.1 and record every connection in `sessions`."""

    host = HOST

    def __init__(
        self,
        security: Security,
        *,
        certificate: Issued | None = None,
        users: Mapping[str, str] | None = None,
        behaviour: Behaviour | None = None,
        tls_context: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        """Configure; `tls_context` wins over `certificate` and one of them is needed unless `security` is NONE."""
        self.security = security
        self.users = dict(users or {})
        self.behaviour = behaviour or Behaviour.usual(security)
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
        self._thread = threading.Thread(target=self._loop.run_forever, name="recording-smtp", daemon=True)
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


class _Refused(Exception):
    """Carry a reply that ends the current command."""


class _Connection(asyncio.Protocol):
    """Hold one conversation; a task reads lines, this object records bytes the moment they arrive."""

    def __init__(self, server: RecordingSmtpServer) -> None:
        self._server = server
        self._behaviour = server.behaviour
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

    # -- the conversation

    async def _converse(self) -> None:
        try:
            if self._server.security is Security.SSL_TLS:
                await self._start_tls()
            self._reply(self._behaviour.greeting)
            while (line := await self._line()) is not None:
                verb, _, argument = line.partition(" ")
                await self._obey(verb.upper(), argument.strip())
        except (ConnectionError, EOFError, ssl.SSLError):
            pass  # the client went away: the session tells how far it got
        finally:
            if self._transport is not None:
                self._transport.close()

    async def _obey(self, verb: str, argument: str) -> None:
        if verb in self._behaviour.replies:
            self._reply(self._behaviour.replies[verb])
            return
        try:
            match verb:
                case "EHLO":
                    self._reply("\n".join(("250 mail.lab.test", *(f"250 {word}" for word in self._capabilities))))
                case "STARTTLS" if "STARTTLS" in self._capabilities:
                    await self._obey_starttls()
                case "AUTH":
                    self._reply(await self._login(argument))
                case "DATA":
                    await self._take_mail()
                case "QUIT":
                    self._reply("221 2.0.0 Bye")
                    raise EOFError
                case "HELO" | "NOOP" | "RSET" | "MAIL" | "RCPT":
                    self._reply("250 2.0.0 Ok")
                case _:
                    self._reply("502 5.5.2 Command not recognized")
        except _Refused as refusal:
            self._reply(str(refusal))

    @property
    def _capabilities(self) -> tuple[str, ...]:
        return self._behaviour.capabilities_tls if self._session.tls_started else self._behaviour.capabilities_clear

    async def _obey_starttls(self) -> None:
        assert self._transport is not None
        self._transport.pause_reading()  # from here on bytes belong to the TLS layer
        # RFC 3207, 4.2: what came before the handshake is forgotten, commands pipelined behind STARTTLS included.
        self._buffer.clear()
        self._reply("220 2.0.0 Ready to start TLS")
        await self._start_tls()

    async def _start_tls(self) -> None:
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

    async def _line(self) -> str | None:
        """Return the next line, or None when the client will send no more."""
        while (end := self._buffer.find(b"\n")) < 0:
            if self._ended:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        line = self._buffer[:end].rstrip(b"\r").decode("utf-8", "replace")
        del self._buffer[: end + 1]
        return line

    def _reply(self, text: str) -> None:
        assert self._transport is not None
        lines = text.split("\n")
        # RFC 5321, 4.2.1: every line but the last has a hyphen behind its code.
        marked = [re.sub(r"^(\d{3}) ", r"\1-", line) for line in lines[:-1]]
        self._transport.write("".join(f"{line}\r\n" for line in (*marked, lines[-1])).encode())

    async def _take_mail(self) -> None:
        self._reply("354 End data with <CR><LF>.<CR><LF>")
        while (line := await self._line()) != ".":
            if line is None:
                raise EOFError
        self._reply("250 2.0.0 Ok: thrown away")

    # -- logins (RFC 4954)

    async def _login(self, argument: str) -> str:
        mechanism, _, initial = argument.partition(" ")
        mechanism = mechanism.upper()
        offered = {word for line in self._capabilities if line.startswith("AUTH ") for word in line.split()[1:]}
        if not offered:
            raise _Refused("503 5.5.1 Error: authentication not enabled")
        if mechanism not in offered:
            raise _Refused("504 5.5.4 Mechanism not supported")
        match mechanism:
            case "PLAIN":
                username, accepted = await self._plain(initial)
            case "LOGIN":
                username, accepted = await self._login_mechanism(initial)
            case "CRAM-MD5":
                username, accepted = await self._cram_md5()
            case _:
                raise _Refused("504 5.5.4 Mechanism not supported")
        with self._recording():
            self._session.logins.append(Login(mechanism, username, accepted))
        return self._behaviour.login_accepted if accepted else self._behaviour.login_refused

    async def _plain(self, initial: str) -> tuple[str, bool]:
        message = _decode(initial) if initial else await self._challenge("")
        # RFC 4616: authorization identity, NUL, authentication identity, NUL, password
        _, username, password = message.split("\0") if message.count("\0") == 2 else ("", "", "")
        return username, self._knows(username, password)

    async def _login_mechanism(self, initial: str) -> tuple[str, bool]:
        username = _decode(initial) if initial else await self._challenge("Username:")
        password = await self._challenge("Password:")
        return username, self._knows(username, password)

    async def _cram_md5(self) -> tuple[str, bool]:
        challenge = f"<{time.monotonic_ns()}@mail.lab.test>"
        # RFC 2195: user name, blank, keyed MD5 digest; the user name itself may hold blanks.
        username, _, digest = (await self._challenge(challenge)).rpartition(" ")
        password = self._server.users.get(username)
        if password is None:
            return username, False
        expected = hmac.new(password.encode(), challenge.encode(), "md5").hexdigest()
        return username, hmac.compare_digest(expected, digest)

    async def _challenge(self, text: str) -> str:
        self._reply(f"334 {base64.b64encode(text.encode()).decode()}")
        answer = await self._line()
        if answer is None:
            raise EOFError
        if answer == "*":
            raise _Refused("501 5.7.0 Authentication aborted")
        return _decode(answer)

    def _knows(self, username: str, password: str) -> bool:
        known = self._server.users.get(username)
        return known is not None and hmac.compare_digest(known.encode(), password.encode())


def _decode(text: str) -> str:
    try:
        return "" if text == "=" else base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except binascii.Error as error:
        raise _Refused("501 5.5.2 Cannot decode the response") from error
