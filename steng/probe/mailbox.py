"""aioimaplib, hardened: it takes over the transport of somebody who has signed in, and only reads.

The library is kind to servers and hard on programs. What is cured here, each with a test that shows the bare library
failing: it recurses once for each line and so falls over three thousand of them; it collects a line or literal without
limit; nobody who waits is told that the connection is gone; it waits for ever, or for a lock that somebody holds who
waits for ever; it answers no question of the server; it writes mailbox names as they are; it takes "* " out of the
middle of names; it does not know that EXAMINE opens a mailbox; and it logs what it hears.

How it works. The transport gives us bytes; we cut them into lines and literals within limits and feed them to the
library one by one, so that its parser is never deeper than one line. Commands may be sent before the last one is
answered, and a server may answer some of them together: an untagged answer belongs to the command that it names by
its tag, else to the oldest that asks for its kind, else to the oldest of all.

To who edits this: what is sent is on the list `READING`. Whatever can change a mailbox does not belong there.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import socket
from collections.abc import Collection, Coroutine, Sequence
from typing import Any

from aioimaplib.aioimaplib import AUTH, Command, IMAP4ClientProtocol, Response

from steng.probe import utf7
from steng.probe.answers import Answer, parse
from steng.probe.channel import quick_ack
from steng.probe.failure import ProbeFailure
from steng.probe.imap_values import Value, quoted, read
from steng.probe.transcript import Transcript
from steng.probe.withheld import told_answer

# The library formats everything it hears for its log, subjects and names of folders included.
logging.getLogger("aioimaplib").setLevel(logging.WARNING)
logging.getLogger("aioimaplib.aioimaplib").setLevel(logging.WARNING)

READING = frozenset({"CAPABILITY", "EXAMINE", "FETCH", "LIST", "LOGOUT", "MYRIGHTS", "SEARCH", "STATUS"})
"""The only commands: SELECT would let go of \\Recent, and the others write."""

MAX_LINE = 64 * 1024
"""Bytes of one line: a window of five thousand message numbers has 55,000."""

MAX_LITERAL = 64 * 1024
"""Bytes of one literal: the longest asked for is a subject of 2,000, or the name of a folder."""

MAX_LINES = 10_000
MAX_BYTES = 4 * 1024 * 1024
"""Lines and bytes of all answers together: a list of ten thousand folders has about one megabyte."""

MAX_LISTED = 2_000
MAX_LISTED_BYTES = 1_000_000
"""Folders of a list that are read, and their bytes: what comes after them is counted, and not looked at."""

_LITERAL = re.compile(rb"\{(\d{1,20})\+?\}$")
_STATUS = re.compile(rb"(?:\*|[A-Z]+\d+) (?:OK|NO|BAD|BYE|PREAUTH)\b", re.IGNORECASE)

_FOR_TAG = re.compile(rb'\* ESEARCH \(TAG "([A-Z0-9]{1,20})"\)', re.IGNORECASE)
_KINDS = {"EXISTS": "EXAMINE", "RECENT": "EXAMINE", "FLAGS": "EXAMINE", "OK": "EXAMINE"}

Lines = Sequence[bytes | bytearray]


class Reply:
    """The answer to one command: how it ended, and the untagged answers that came before."""

    def __init__(self, response: Response) -> None:
        *lines, last = response.lines
        self.answer: Answer = parse(f"{response.result} {_text(last)}")
        self._untagged = _grouped(lines)

    @property
    def ok(self) -> bool:
        """Tell whether the server did it."""
        return self.answer.ok

    def data(self, name: str) -> list[list[Value]]:
        """Return the values of every untagged answer of a name; what cannot be read is left out."""
        found = []
        for pieces in self._untagged:
            values = values_of(pieces)
            named = values[1:2] if values and isinstance(values[0], str) and values[0].isdigit() else values[:1]
            if named and isinstance(named[0], str) and named[0].upper() == name:
                found.append(values)
        return found

    def folders(self) -> tuple[list[Lines], int]:
        """Return the folders of a list that are to be read, each for `values_of`, and how many others it has."""
        listed = [pieces for pieces in self._untagged if pieces[0][2:7].upper() == b"LIST "]
        sizes = itertools.accumulate(sum(map(len, pieces)) for pieces in listed[:MAX_LISTED])
        read_ones = sum(size <= MAX_LISTED_BYTES for size in sizes)
        return list(listed[:read_ones]), len(listed) - read_ones

    def codes(self) -> dict[str, str]:
        """Return the response codes of untagged OKs with what stands behind them."""
        answers = [parse(_text(pieces[0][2:])) for pieces in self._untagged if len(pieces) == 1]
        return {answer.code: answer.arguments for answer in answers if answer.ok and answer.code}


class Mailboxes(IMAP4ClientProtocol):  # type: ignore[misc]  # the library has no types
    """Commands that look at mailboxes, over a transport on which somebody has signed in."""

    def __init__(
        self,
        transport: asyncio.Transport,
        sock: socket.socket,
        transcript: Transcript,
        deadline: float,
        capabilities: Collection[str] = (),
    ) -> None:
        super().__init__(asyncio.get_running_loop())
        self.transport: asyncio.Transport = transport
        self.capabilities: set[str] = set(capabilities)
        self._sock = sock
        self._transcript = transcript
        self._deadline = deadline
        self._flight: dict[str, tuple[Command, asyncio.Future[None]]] = {}
        self._outgoing = bytearray()
        self._buffer = bytearray()
        self._scanned = 0
        self._literal: int | None = None
        self._lines = 0
        self._bytes = 0
        self._broken: Exception | None = None

    def take_over(self, unheard: bytes = b"") -> None:
        """Speak and listen from now on; `unheard` came before and was read by nobody."""
        # Nothing comes in between: asyncio looks at the socket again when this task waits.
        self.transport.set_protocol(self)
        # `connection_made` would have the library take the next line for a greeting.
        self.state = AUTH
        if unheard:
            self.data_received(unheard)

    # -- commands --------------------------------------------------------

    async def examine(self, name: str) -> Reply:
        """Open a mailbox for reading (RFC 3501 section 6.3.2); raises ProbeFailure."""
        return await self._run("EXAMINE", mailbox_name(name))

    async def status(self, name: str, *items: str) -> Reply:
        """Ask how much a mailbox holds (RFC 3501 section 6.3.10); raises ProbeFailure."""
        return await self._run("STATUS", mailbox_name(name), f"({' '.join(items)})")

    async def rights(self, name: str) -> Reply:
        """Ask what we may do with a mailbox (RFC 4314 section 3.5); raises ProbeFailure."""
        return await self._run("MYRIGHTS", mailbox_name(name))

    async def folders(self, reference: str = "", pattern: str = "*") -> Reply:
        """List mailboxes (RFC 3501 section 6.3.8); raises ProbeFailure."""
        return await self._run("LIST", mailbox_name(reference), mailbox_name(pattern))

    async def find(self, *criteria: str, uid: bool = False, extended: bool = False) -> Reply:
        """Search the mailbox (RFC 3501 section 6.4.4); the answer is ESEARCH where `extended`. Raises ProbeFailure."""
        return await self._run("SEARCH", *criteria, uid=uid, answered="ESEARCH" if extended else "SEARCH")

    async def peek(self, messages: str, *items: str, uid: bool = False) -> Reply:
        """Fetch items of messages without marking any (RFC 3501 section 6.4.5); raises ProbeFailure."""
        if any(item.startswith(("BODY[", "RFC822")) and item != "RFC822.SIZE" for item in items):
            raise ValueError("would mark the message as seen")
        return await self._run("FETCH", messages, f"({' '.join(items)})", uid=uid)

    async def _run(self, name: str, *arguments: str, uid: bool = False, answered: str | None = None) -> Reply:
        prefix = "UID" if uid else None
        command = Command(name, self.new_tag(), *arguments, prefix=prefix, untagged_resp_name=answered, loop=self.loop)
        return Reply(await self.execute(command))

    async def execute(self, command: Command, scrub: str | None = None) -> Response:  # noqa: ARG002 (its face)
        """Send one command and return its response, however many are under way.

        Raises ProbeFailure, TimeoutError at the deadline, and what ended the connection.
        """
        if command.name not in READING:
            raise ValueError(f"{command.name} is no command that only reads")
        if self._broken is not None:
            raise self._broken
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flight[command.tag] = (command, done)
        try:
            self.send(str(command))
            async with asyncio.timeout_at(self._deadline):
                await done
        finally:
            self._flight.pop(command.tag, None)
        return command.response

    def send(self, line: str, scrub: str | None = None) -> None:  # noqa: ARG002 (the library's face)
        self._transcript.sent(line)
        if not self._outgoing:
            # What is asked together goes out together: one record, one segment, one system call.
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing += line.encode("ascii") + b"\r\n"

    def _flush(self) -> None:
        data, self._outgoing = bytes(self._outgoing), bytearray()
        if self._broken is None:
            self.transport.write(data)
            quick_ack(self._sock)

    @property
    def idle(self) -> bool:
        """Tell whether every command is answered and another may be sent."""
        return self._broken is None and not self._flight

    # -- the transport's side --------------------------------------------

    def data_received(self, d: bytes) -> None:
        if self._broken is not None:
            return
        try:
            self._take(d)
            while (piece := self._piece()) is not None:
                super().data_received(piece)
        except ProbeFailure as failure:
            self._break(failure)
        except Exception:  # noqa: BLE001 (what the library stumbles over, the server wrote)
            self._break(ProbeFailure("protocol_error"))

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._break(exc or ProbeFailure("closed"))
        super().connection_lost(exc)

    def _break(self, failure: Exception) -> None:
        """Tell everybody who waits, and stop reading at once."""
        if self._broken is None:
            self._broken = failure
        for _, done in self._flight.values():
            if not done.done():
                done.set_exception(self._broken)
        self._buffer.clear()
        self.transport.abort()

    def _take(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._bytes > MAX_BYTES:
            raise _too_much(f"more than {MAX_BYTES} bytes")
        self._buffer += data

    def _piece(self) -> bytes | None:
        """Return the next whole line or literal for the library, None where it has not all come."""
        if self._literal is not None:
            if len(self._buffer) < self._literal:
                return None
            piece = bytes(self._buffer[: self._literal])
            del self._buffer[: self._literal]
            self._literal = None
            return piece
        while True:
            end = self._buffer.find(b"\n", self._scanned)
            if max(end, len(self._buffer) if end < 0 else 0) > MAX_LINE:
                raise _too_much(f"a line of more than {MAX_LINE} bytes")
            if end < 0:
                self._scanned = len(self._buffer)
                return None
            line = bytes(self._buffer[:end]).removesuffix(b"\r")
            del self._buffer[: end + 1]
            self._scanned = 0
            self._lines += 1
            if self._lines > MAX_LINES:
                raise _too_much(f"more than {MAX_LINES} lines")
            if not line.endswith(b"{0}"):
                return self._line(line) + b"\r\n"
            # The library forgets what an empty literal belongs to; an empty quoted string says the same.
            self._buffer[:0] = line.removesuffix(b"{0}") + b'""'

    def _line(self, line: bytes) -> bytes:
        if self.current_command is None:
            self._transcript.received(line.decode("utf-8", "surrogateescape"))
        literal = _LITERAL.search(line)
        if literal is None:
            return line
        if self.current_command is None and _STATUS.match(line):
            # A text for people that ends like a literal (RFC 3501 section 7.1) announces none.
            return line + b" "
        if int(literal[1]) > MAX_LITERAL:
            raise _too_much(f"a literal of more than {MAX_LITERAL} bytes")
        self._literal = int(literal[1])
        return line

    # -- the library's side ----------------------------------------------

    def _handle_line(self, line: bytes, current_cmd: Command | None) -> Command | None:
        if line and current_cmd is None and not line.startswith(b"*") and _tag(line) not in self._flight:
            # A question nobody can answer (RFC 3501 section 7.5) would otherwise be waited over for ever.
            raise ProbeFailure("protocol_error", "The server says what was not asked for.")
        handled: Command | None = super()._handle_line(line, current_cmd)
        return handled

    def _untagged_response(self, line: bytes) -> Command | None:
        answer = parse(_text(line[2:]))
        if answer.status == "BYE":
            raise ProbeFailure("closed", f"The server says goodbye: {told_answer(answer)}.")
        if not self._flight:
            return None
        command = self._asked_by(line)
        # With its "* ", by which the answers are told apart later.
        command.append_to_resp(line)
        return command

    def _asked_by(self, line: bytes) -> Command:
        if (found := _FOR_TAG.match(line)) and (named := self._flight.get(found[1].decode("ascii"))):
            return named[0]
        words = line.upper().split(None, 3)
        kind = words[2] if words[1:2] and words[1].isdigit() else words[1]
        wanted = _KINDS.get(kind.decode("ascii", "replace"), kind.decode("ascii", "replace"))
        commands = [command for command, _ in self._flight.values()]
        return next((command for command in commands if command.untagged_resp_name == wanted), commands[0])

    def _response_done(self, line: bytes) -> None:
        command, done = self._flight.pop(_tag(line))
        result, _, text = line.partition(b" ")[2].partition(b" ")
        command.close(text, result=result.decode("ascii"))
        if not done.done():
            done.set_result(None)


async def together(*commands: Coroutine[Any, Any, Reply]) -> list[Reply]:
    """Send commands one after the other without waiting between them; raises what the first of them raises."""
    tasks = [asyncio.ensure_future(command) for command in commands]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def mailbox_name(name: str) -> str:
    """Return a mailbox name as it is sent: in modified UTF-7, quoted (RFC 3501 sections 5.1, 5.1.3)."""
    return quoted(utf7.encode(name)) or '""'


def _too_much(what: str) -> ProbeFailure:
    return ProbeFailure("too_much_data", f"The server sent {what}.")


def _tag(line: bytes) -> str:
    return line.partition(b" ")[0].decode("ascii", "replace")


def _text(line: Any) -> str:
    return bytes(line).decode("utf-8", "surrogateescape")


def _grouped(lines: Lines) -> list[list[bytes | bytearray]]:
    """Return the pieces of each untagged answer together, its first without the asterisk."""
    groups: list[list[bytes | bytearray]] = []
    for line in lines:
        if not isinstance(line, bytearray) and line.startswith(b"* "):
            groups.append([line])
        elif groups:
            groups[-1].append(line)
    return groups


def values_of(pieces: Lines) -> list[Value]:
    """Return the values of one untagged answer, none where it cannot be read."""
    try:
        return read([pieces[0][2:], *pieces[1:]])
    except ValueError:
        return []
