"""One case, played: a server with its fault on loopback, a probe against it, and what both saw."""

import asyncio
from dataclasses import dataclass
from typing import Any

from steng import wire
from steng.probe import probe
from steng.wire import ProbeReport
from tests.lab.asking import PASSWORD, USER, ask
from tests.lab.facts import Protocol
from tests.lab.faults import course
from tests.lab.faults.acts import TIMEOUT_MS
from tests.lab.faults.fault import Case
from tests.lab.faults.presented import presented
from tests.lab.faults.scene import LeapingLoop, Scene
from tests.lab.hostile import HostileServer, Peer
from tests.lab.mailbox import Mailbox
from tests.lab.ports import Ports
from tests.lab.recording import Behaviour


@dataclass(frozen=True, slots=True)
class Played:
    """What the probe reported, and what the server received on each connection."""

    report: ProbeReport
    peers: list[Peer]
    protocol: Protocol

    @property
    def told(self) -> tuple[str | None, str | None]:
        """Return stage and code of the verdict."""
        stage = self.report.telling_stage
        return (stage.name.value, stage.code) if stage else (None, None)

    @property
    def heard(self) -> tuple[str, ...]:
        """Return the shapes of what the first connection received; others are second looks."""
        return course.shapes(self.protocol, self.received)

    @property
    def received(self) -> bytes:
        """Return what the first connection received, nothing where there was none."""
        return bytes(self.peers[0].clear + self.peers[0].tls) if self.peers else b""


def play(case: Case) -> Played:
    """Play a case; fail where the probe leaves a task behind or an exception that nobody took."""
    unseen: list[str] = []

    async def guarded() -> Played:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: unseen.append(str(context)))
        played = await _play(case)
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left
        return played

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        played = runner.run(guarded())
    assert not unseen, unseen
    return played


async def _play(case: Case) -> Played:
    ports = Ports()
    try:
        return await _served(case, ports)
    finally:
        ports.release()


async def _served(case: Case, ports: Ports) -> Played:
    fault, protocol, security = case.fault, case.protocol, case.security
    behaviour = fault.offers(Behaviour.usual(security, protocol), protocol)
    context, trust = presented(fault.presents)

    async def script(peer: Peer) -> None:
        scene = Scene(peer, protocol, security, fault.when or fault.at, fault.act, number=server.peers.index(peer))
        await scene.play(behaviour, {USER: PASSWORD}, Mailbox(**fault.mailbox))

    async with HostileServer(script, tls=context) as server:
        values = _usual_request(protocol) | {"trust": trust} | dict(fault.request)
        port = ports.reserve() if fault.closed else server.port
        request = ask(port, security.value, timeout_ms=TIMEOUT_MS, **values)
        report = await probe(request, resolver=fault.resolver, before_credentials=fault.before)
        await server.gone()
    return Played(report, server.peers, protocol)


def _usual_request(protocol: Protocol) -> dict[str, Any]:
    if protocol is Protocol.SMTP:
        return {"sender_address": USER}
    # POP3 does not know which messages were read.
    pull = wire.Pull.GET_FIRST_MESSAGE if protocol is Protocol.POP3 else wire.Pull.GET_FIRST_UNREAD_MESSAGE
    return {"protocol": wire.Protocol(protocol.value), "mailbox": wire.Mailbox(pull=pull)}
