"""What a test says aside, to who asked for it and to nobody else: the subject of a message, say.

It is never written anywhere. The dispatcher keeps it in its memory for a minute, and hands it out once, over a socket
that only the user of the console's processes may open; the web server asks there on behalf of a person and has looked
who that is. What nobody fetched in time is gone, and so is all of it with the process. Without a dispatcher there is
nothing to fetch, which is no error.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

_log = logging.getLogger(__name__)

KEPT = timedelta(seconds=60)
"""How long an aside waits to be fetched."""

MAX_ASIDES = 1_000
"""Asides kept at a time; beyond it the oldest go."""

MAX_WORDS = 2_000
"""Characters of one value: a subject is shown on one screen."""

PATIENCE = 2.0
"""Seconds that either side waits for the other."""

_MAX_VALUES = 8
_MAX_QUESTION = 64
_IS_THERE = "?"
"""What stands before the job where somebody asks whether there is an aside, and does not take it."""

_MAX_ANSWER = 1 << 20
_LONGEST_PATH = 100  # sun_path holds 108 bytes on Linux, less elsewhere (unix(7))


@dataclass(slots=True)
class _Kept:
    words: dict[str, str] = field(repr=False)
    until: datetime


class Asides:
    """The asides of one process, by job. Nothing of them shows in a repr."""

    def __init__(self) -> None:
        self._kept: dict[uuid.UUID, _Kept] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, job: uuid.UUID, words: Mapping[str, str], now: datetime) -> None:
        """Keep what a test said aside, where it said anything."""
        self.purge(now)
        if not words:
            return
        shortened = {str(name)[:80]: str(text)[:MAX_WORDS] for name, text in list(words.items())[:_MAX_VALUES]}
        self._kept.pop(job, None)
        while len(self._kept) >= MAX_ASIDES:
            self._kept.pop(next(iter(self._kept)))
        self._kept[job] = _Kept(shortened, now + KEPT)

    def take(self, job: uuid.UUID, now: datetime) -> dict[str, str]:
        """Return an aside and forget it; empty where there is none, or none any more."""
        self.purge(now)
        kept = self._kept.pop(job, None)
        return kept.words if kept else {}

    def names(self, job: uuid.UUID, now: datetime) -> list[str]:
        """Return what an aside tells of, without telling it; empty where there is none, or none any more."""
        self.purge(now)
        kept = self._kept.get(job)
        return list(kept.words) if kept else []

    def drop(self, job: uuid.UUID) -> None:
        """Forget an aside that nobody shall get."""
        self._kept.pop(job, None)

    def purge(self, now: datetime) -> None:
        """Forget what nobody fetched in time."""
        for job in [job for job, kept in self._kept.items() if kept.until <= now]:
            del self._kept[job]


def take(job: uuid.UUID) -> dict[str, str]:
    """Ask the dispatcher for what a test said aside, in a web process; it is given once, to whoever asks first.

    Empty where there is none, or no dispatcher. The caller has made sure that the person may have it.
    """
    words = _ask(str(job))
    return {str(name): str(text) for name, text in words.items()} if isinstance(words, dict) else {}


def waits(job: uuid.UUID, name: str) -> bool:
    """Tell whether something of this name still waits to be taken, which leaves it where it is."""
    names = _ask(f"{_IS_THERE}{job}")
    return isinstance(names, list) and name in names


@contextlib.asynccontextmanager
async def served(asides: Asides, clock: Callable[[], datetime]) -> AsyncIterator[None]:
    """Answer `take` for the body. Where no socket can be made nothing is told aside, and all else goes on."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whoever hangs up or asks for nothing that exists gets nothing, and that is all there is to it.
        with contextlib.suppress(OSError, ValueError, TimeoutError, EOFError, asyncio.LimitOverrunError):
            async with asyncio.timeout(PATIENCE):
                question = await reader.readuntil(b"\n")
                writer.write(json.dumps(_answer(asides, question.decode("ascii").strip(), clock())).encode())
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    try:
        listening = _listen()
    except OSError as error:
        _log.warning("what tests say aside cannot be fetched: %s", error.strerror)
        yield
        return
    server = await asyncio.start_unix_server(answer, sock=listening, limit=_MAX_QUESTION)
    try:
        yield
    finally:
        server.close()
        with contextlib.suppress(OSError):
            place().unlink()


def _answer(asides: Asides, question: str, now: datetime) -> dict[str, str] | list[str]:
    job = uuid.UUID(question.removeprefix(_IS_THERE))
    return asides.names(job, now) if question.startswith(_IS_THERE) else asides.take(job, now)


def _ask(question: str) -> Any:
    """Return the dispatcher's answer, None where it gives none."""
    try:
        with _socket() as line, _reachable(place()) as address:
            line.settimeout(PATIENCE)
            line.connect(address)
            line.sendall(f"{question}\n".encode())
            return json.loads(_read(line))
    except (OSError, ValueError):
        return None


def place() -> Path:
    """Return where the socket is: beside the bell, in a folder that nobody else may enter."""
    return Path(settings.POSTERN_DATA) / "run" / "asides.sock"


def _listen() -> socket.socket:
    path = place()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # of a process that was killed; the lock of the dispatcher keeps a living one away
    line = _socket()
    try:
        with _reachable(path) as address:
            line.bind(address)
        # Nobody can connect before `listen`, which asyncio calls.
        path.chmod(0o600)
    except BaseException:
        line.close()
        raise
    line.setblocking(False)
    return line


def _socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)


@contextlib.contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """Give an address that fits into the kernel's few bytes, however deep the data folder is."""
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _read(line: socket.socket) -> bytes:
    pieces: list[bytes] = []
    while sum(map(len, pieces)) < _MAX_ANSWER:
        piece = line.recv(65_536)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
    raise ValueError("too long an answer")
