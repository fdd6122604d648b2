"""The mail server of the test suite in a process of its own: `python -m bench.mailserver`.

It reads one line of JSON (`Setting`), writes its port, and serves until its input ends: a server whose
benchmark was killed goes with it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import secrets
import ssl
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import Popen

from bench.processes import running
from tests.lab.facts import Security
from tests.lab.pki import Pki
from tests.lab.pyserver import RecordingSmtpServer
from tests.lab.recording import Behaviour


@dataclass(frozen=True, slots=True)
class Setting:
    """What the process is told: files with a key and its chain each, and passwords by user name."""

    certificates: list[str]
    users: dict[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a client connects to, and what it needs for it; `root` is PEM."""

    host: str
    port: int
    username: str
    password: str
    root: str


@contextlib.contextmanager
def mail_servers(
    folder: Path, *, processes: int = 1, variety: int = 1, accounts: int | None = None
) -> Iterator[list[Target]]:
    """Serve SMTP with STARTTLS and AUTH PLAIN on loopback, under one authority.

    Each process has `variety` certificates, which it shows in turn, and as many accounts unless `accounts` says
    otherwise: a client that remembers what it saw a moment ago shall not look quicker than it is. Returns one target
    for each account.
    """
    pki = Pki()
    targets = []
    with contextlib.ExitStack() as stack:
        for number in range(processes):
            leaves = [pki.leaf().write(folder / f"{number}-{place}").combined for place in range(variety)]
            users = {f"orders-{place}": secrets.token_urlsafe(16) for place in range(accounts or variety)}
            process = stack.enter_context(running(["-m", "bench.mailserver"]))
            port = _tell(process, Setting([str(leaf) for leaf in leaves], users))
            targets += [Target("127.0.0.1", port, *account, pki.root.pem.decode()) for account in users.items()]
        yield targets


def _tell(process: Popen[bytes], setting: Setting) -> int:
    """Hand the setting over and return the port."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(asdict(setting)).encode() + b"\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def main() -> None:
    """Serve until the input ends."""
    setting = Setting(**json.loads(sys.stdin.readline()))
    # One mechanism: who chooses by strength would otherwise do other work than who takes the simplest.
    behaviour = Behaviour.usual(Security.STARTTLS).offering("PLAIN")
    context = _context(setting.certificates)
    with RecordingSmtpServer(
        Security.STARTTLS, tls_context=context, users=setting.users, behaviour=behaviour
    ) as server:
        print(server.port, flush=True)
        sys.stdin.read()


def _context(certificates: Sequence[str]) -> ssl.SSLContext:
    """Return a context that presents the next certificate at each handshake."""
    contexts = []
    for file in certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        contexts.append(context)
    turns = itertools.cycle(contexts)

    def present_another(connection: ssl.SSLObject | ssl.SSLSocket, *_: object) -> None:
        connection.context = next(turns)

    # OpenSSL asks this for every ClientHello, also for one that names no host.
    contexts[0].sni_callback = present_another
    return contexts[0]


if __name__ == "__main__":
    main()
