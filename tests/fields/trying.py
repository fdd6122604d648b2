"""A definition tried as the product does it: saved, asked for, claimed by a STENG, probed, reported.

The servers write down what they receive: the effect of a field is what arrives there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from cluster import dispatch
from cluster.models import Job, Steng
from connections import services, testing
from connections.kinds import KINDS
from connections.models import Connection
from connections.selectors import find
from steng.probe import probe
from steng.wire import ProbeReport, ProbeRequest, Stage
from tests.lab.asking import run, stage_of
from tests.lab.facts import Protocol, Security
from tests.lab.pki import Pki
from tests.lab.pyserver import RecordingServer
from untrusted_cache.services import import_certificates

USER, PASSWORD = "orders", "correct horse"


@dataclass(frozen=True, slots=True)
class Tried:
    """What a STENG was asked, what it found, and the test as it stands afterwards."""

    request: ProbeRequest
    report: ProbeReport
    job: Job

    @property
    def told(self) -> tuple[str | None, str | None]:
        """Return stage and code of the verdict; (None, None) for a success."""
        stage = self.report.telling_stage
        return (stage.name.value, stage.code) if stage else (None, None)

    def stage(self, name: str) -> Stage:
        """Return the last stage of a name."""
        return stage_of(self.report, name)


@contextmanager
def server_for(
    protocol: Protocol, security: str = "NONE", pki: Pki | None = None, **how: Any
) -> Iterator[RecordingServer]:
    """Run a server that knows one user; with a `pki` it has a certificate for the lab's names.

    Whoever breaks off before the server has said anything waits for it with `wait_closed`.
    """
    if pki is not None:
        how["certificate"] = pki.leaf()
    how.setdefault("users", {USER: PASSWORD})
    with RecordingServer(Security[security], protocol=protocol, **how) as server:
        yield server
        server.wait_closed(0)


def trust(pki: Pki) -> None:
    """Let the console trust what the authority issued."""
    import_certificates(pki.root.pem, as_="anchor", reason="handed over", user="admin", now=timezone.now())


def definition(server: RecordingServer, **changes: Any) -> dict[str, Any]:
    """Return the definition of a connection to a server; what is changed to None is left out."""
    values: dict[str, Any] = {
        "name": "orders",
        "host": "127.0.0.1",
        "port": server.port,
        "connection_security": server.security.value,
        "username": USER,
        "password": PASSWORD,
    }
    if server.protocol is not Protocol.SMTP:
        values["store_type"] = server.protocol.value
    return {name: value for name, value in (values | changes).items() if value is not None}


def kind_of(protocol: Protocol) -> str:
    """Return the kind of connection that speaks a protocol."""
    return "smtp" if protocol is Protocol.SMTP else "mailbox"


def save(server: RecordingServer, **changes: Any) -> Connection:
    """Save a connection to a server, and return it as the pages read it."""
    kind = kind_of(server.protocol)
    services.save(KINDS[kind], None, definition(server, **changes), user=None)
    return read(changes.get("name", "orders"))


def read(name: str = "orders") -> Connection:
    """Return a saved connection with its standing verdict."""
    found = find(name)
    assert found is not None
    return found


def change(row: Connection, **values: Any) -> Connection:
    """Change fields of a saved connection, and return it as the pages read it."""
    services.save(type(row), row, values, user=None, partial=True)
    return read(row.name)


def attempt(row: Connection, steng: Steng, target: testing.Target | None = None, **more: Any) -> Tried:
    """Test a saved connection by a STENG; `more` is for `request_test`."""
    job = testing.request_test(row, target or testing.Target(), user=None, **more)
    now = timezone.now()
    assert dispatch.accept(job.pk, now)
    claim = dispatch.claim(job.pk, steng, now)
    assert claim is not None
    report = run(probe(claim.request))
    assert dispatch.finish(job.pk, claim.attempt, report, now)
    job.refresh_from_db()
    return Tried(claim.request, report, job)
