"""What a server can do instead of what it should: small acts, from which the faults are made."""

import asyncio
from collections.abc import Mapping, Sequence

from tests.lab.dialects import Moment
from tests.lab.facts import Protocol
from tests.lab.faults.fault import Act
from tests.lab.faults.scene import Scene

TIMEOUT_MS = 20_000
"""What every case is given; none waits for it, a silent server puts the clock forward instead."""

Lines = Mapping[Protocol, Sequence[str]]


def lines(smtp: str = "", imap: str = "", pop3: str = "") -> Lines:
    """Return lines for each protocol that has any; `{tag}` is the tag of the command they answer."""
    given = {Protocol.SMTP: smtp, Protocol.IMAP: imap, Protocol.POP3: pop3}
    return {protocol: text.split("\n") for protocol, text in given.items() if text}


def says(said: Lines) -> Act:
    """Return an act that says these lines instead, and goes on."""

    async def act(scene: Scene, _: Sequence[str]) -> None:
        await scene.peer.say(*(line.replace("{tag}", scene.tag) for line in said[scene.protocol]))

    return act


def adds(said: Lines) -> Act:
    """Return an act that says what it should, and these lines in the same segment."""

    async def act(scene: Scene, usual: Sequence[str]) -> None:
        await scene.peer.say(*usual, *(line.replace("{tag}", scene.tag) for line in said[scene.protocol]))

    return act


def sends(data: bytes) -> Act:
    """Return an act that sends bytes instead, and goes on."""

    async def act(scene: Scene, _: Sequence[str]) -> None:
        await scene.peer.send(data)

    return act


def floods(data: bytes, *, head: bytes = b"") -> Act:
    """Return an act that sends `head`, and when that was read `data` for ever."""

    async def act(scene: Scene, _: Sequence[str]) -> None:
        await scene.peer.send(head)
        await patience(scene, 0.0)
        await scene.peer.flood(data)

    return act


async def closes(scene: Scene, _: Sequence[str]) -> None:
    """End the connection in order."""
    await _hello(scene)
    await scene.peer.close()
    raise EOFError


async def resets(scene: Scene, _: Sequence[str]) -> None:
    """Cut the connection."""
    await _hello(scene)
    await scene.peer.reset()
    raise EOFError


async def is_silent(scene: Scene, _: Sequence[str]) -> None:
    """Say nothing until the client has lost its patience, which is at once."""
    await _hello(scene)
    await patience(scene, TIMEOUT_MS / 1000 + 1)
    raise EOFError


async def patience(scene: Scene, seconds: float) -> None:
    """Let the client come as far as waiting for an answer, and then let it wait `seconds`."""
    for _turn in range(10):
        await asyncio.sleep(0)
    scene.leap(seconds)


async def _hello(scene: Scene) -> None:
    """Where a handshake is due, take what begins it: unread bytes would turn an orderly end into a reset."""
    if scene.moment is Moment.TLS:
        await scene.peer.client_hello()


def last_words(said: Lines) -> Act:
    """Return an act that says these lines, and hears no more."""

    async def act(scene: Scene, usual: Sequence[str]) -> None:
        await says(said)(scene, usual)
        raise EOFError

    return act
