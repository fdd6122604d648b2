"""The protocol objects of aioimaplib, bare and hardened, driven without a server."""

import asyncio
from types import SimpleNamespace

from aioimaplib.aioimaplib import AUTH, IMAP4ClientProtocol

from steng.probe.failure import ProbeFailure
from steng.probe.mailbox import Mailboxes
from steng.probe.transcript import Redactor, Transcript

FOR_EVER = 86_400


class Transport(asyncio.Transport):
    """A transport that remembers what was written, and that it was cut."""

    def __init__(self):
        super().__init__()
        self.written = bytearray()
        self.aborted = False
        self.protocol = None

    def write(self, data):
        self.written += data

    def set_protocol(self, protocol):
        self.protocol = protocol

    def abort(self):
        self.aborted = True


async def turns(count=100):
    for _ in range(count):
        await asyncio.sleep(0)


def bare(state=AUTH):
    """Return the library's own protocol, signed in."""
    protocol = IMAP4ClientProtocol(asyncio.get_running_loop())
    protocol.connection_made(Transport())
    protocol.state = state
    return protocol


def hardened(seconds=FOR_EVER):
    loop = asyncio.get_running_loop()
    sock = SimpleNamespace(setsockopt=lambda *_: None)
    ours = Mailboxes(Transport(), sock, Transcript(Redactor(), loop.time), loop.time() + seconds)
    ours.take_over()
    return ours


async def begun(coroutine):
    task = asyncio.ensure_future(coroutine)
    await turns(10)
    return task


async def dropped(task):
    task.cancel()
    await asyncio.wait({task})


def tags(protocol):
    return [line.split()[0].decode() for line in bytes(protocol.transport.written).splitlines()]


def last_tag(protocol):
    return tags(protocol)[-1]


def code_of(task):
    assert task.done()
    assert isinstance(task.exception(), ProbeFailure), task.exception()
    return task.exception().code
