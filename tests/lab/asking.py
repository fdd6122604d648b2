"""Requests for probes, and one way to run them that also looks for what a probe leaves behind."""

import asyncio
import ssl
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from steng.probe import probe
from steng.secret import Secret
from steng.wire import (
    Authentication,
    Egress,
    Login,
    Mechanism,
    ProbeReport,
    ProbeRequest,
    Protocol,
    Security,
    Stage,
    StageName,
    StageOutcome,
    TlsPolicy,
    TrustedCertificate,
    TrustSet,
)
from tests.lab.hostile import HostileServer, Script
from tests.lab.pki import Authority, Issued

USER = "user@lab.test"
PASSWORD = 's3cr3t-Öl+/& "x'  # with everything that some encoding changes


def ask(
    port: int, security: str = "NONE", *, match: bool = False, mechanism: str = "AUTO", **values: Any
) -> ProbeRequest:
    """Return a request to loopback with a login; `values` replaces any of its fields."""
    fields: dict[str, Any] = {
        "protocol": Protocol.SMTP,
        "host": "127.0.0.1",
        "port": port,
        "security": Security(security),
        "authentication": Authentication.BASIC,
        "timeout_ms": 20_000,
        "login": Login(Mechanism(mechanism), USER, Secret(PASSWORD)),
        "tls": TlsPolicy(match_server_hostname=match),
        "egress": Egress(allow_loopback=True),
    }
    return ProbeRequest(**(fields | values))


def der_of(issuer: Authority | Issued) -> bytes:
    """Return the certificate of an authority or a leaf as DER."""
    return issuer.certificate.public_bytes(Encoding.DER)


def anchored(*ders: bytes, pins: tuple[bytes, ...] = (), rejected: tuple[str, ...] = ()) -> TrustSet:
    """Return a trust set; ids are `a1`, `a2`, `p1`."""
    return TrustSet(
        anchors=tuple(TrustedCertificate(f"a{n}", f"anchor {n}", der) for n, der in enumerate(ders, 1)),
        pins=tuple(TrustedCertificate(f"p{n}", f"pin {n}", der) for n, der in enumerate(pins, 1)),
        rejected=rejected,
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe of a hostile server found, and what the server got."""

    report: ProbeReport
    server: HostileServer

    @property
    def told(self) -> tuple[str | None, str | None]:
        """Return stage and code of the verdict; (None, None) for a success."""
        stage = self.report.telling_stage
        return (stage.name.value, stage.code) if stage else (None, None)

    @property
    def stage(self) -> Stage:
        """Return the telling stage."""
        stage = self.report.telling_stage
        assert stage is not None
        return stage


def find(script: Script, *, tls: ssl.SSLContext | None = None, **values: Any) -> Finding:
    """Probe a hostile server on a loop of its own."""

    async def look() -> Finding:
        async with HostileServer(script, tls=tls) as server:
            report = await probe(ask(server.port, **values))
            await server.gone()
            return Finding(report, server)

    return run(look())


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine; fail where it leaves a task behind or an exception that nobody took."""
    unseen: list[str] = []

    async def guarded() -> Any:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: unseen.append(str(context)))
        result = await coroutine
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left
        return result

    result = asyncio.run(guarded())
    assert not unseen, unseen
    return result


def stage_of(report: ProbeReport, name: str) -> Stage:
    """Return the last stage of a name."""
    return [stage for stage in report.stages if stage.name is StageName(name)][-1]


def outcomes(report: ProbeReport) -> list[str]:
    """Return the stages as text, `name` or `name:outcome` where it was not ok."""
    return [
        stage.name.value if stage.outcome is StageOutcome.OK else f"{stage.name.value}:{stage.outcome.value}"
        for stage in report.stages
    ]
