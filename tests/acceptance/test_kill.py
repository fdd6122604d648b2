"""`kill -9` of web server, STENG and all of it in the middle of fifty running tests.

Fifty connections with an account each reach scripted servers. Each server holds every conversation at one stage, a
seventh of them at each, so that a kill finds tests everywhere, the login included. Whatever is killed, fifty of fifty
must be accounted for, and no server may see a second login of an account.
"""

import asyncio
import base64
import contextlib
import os
import signal
import sqlite3
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.lab.hostile import HostileServer
from tests.running import descendants, until

STAGES = ("greeting", "capabilities", "starttls", "tls", "second capabilities", "auth", "sender")
SIGNED_IN = frozenset({"auth", "sender"})
ACCOUNTS = 50
SERVERS = 10  # a target gets ten connections at a time: five accounts for each server leave room for repeats
CANARY = "kill-canary-7d21"


class HoldingServers:
    """SMTP servers that hold each conversation where the account's number says, until `release`."""

    def __init__(self, context):
        self.context = context
        self.logins = Counter()
        self.held = Counter()
        self.holding = True
        self.ports = []
        self._places = iter(())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="holding-servers", daemon=True)

    def __enter__(self):
        self._thread.start()
        self._go = asyncio.Event()
        self._stack = contextlib.AsyncExitStack()
        self._call(self._open())
        return self

    def __exit__(self, *_):
        self.release()
        self._call(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def release(self):
        """Let every conversation go on, and hold none from now on."""
        self._loop.call_soon_threadsafe(self._go.set)

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _open(self):
        for number in range(SERVERS):
            where = STAGES[number % len(STAGES)]
            server = HostileServer(lambda peer, where=where: self._talk(peer, where), tls=self.context)
            await self._stack.enter_async_context(server)
            self.ports.append((server.port, where))

    async def _hold(self, stage, where):
        if stage == where and not self._go.is_set():
            self.held[where] += 1
            await self._go.wait()

    async def _talk(self, peer, where):
        with contextlib.suppress(EOFError, OSError):
            await self._hold("greeting", where)
            await peer.say("220 mail.test ESMTP")
            await self._capabilities(peer, "capabilities", where, "STARTTLS")
            await peer.hear()
            await self._hold("starttls", where)
            # The client's hello must wait in the socket: what a stream has read before its TLS begins is lost to it.
            peer._writer.transport.pause_reading()
            await peer.say("220 go ahead")
            await self._hold("tls", where)
            await peer.start_tls()
            await self._capabilities(peer, "second capabilities", where, "AUTH PLAIN")
            account = base64.b64decode((await peer.hear()).split()[-1]).split(b"\0")[1].decode()
            self.logins[account] += 1
            await self._hold("auth", where)
            await peer.say("235 2.7.0 welcome")
            await peer.hear()  # MAIL FROM
            await self._hold("sender", where)
            while True:
                await peer.say("250 ok")
                await peer.hear()

    async def _capabilities(self, peer, stage, where, capability):
        await peer.hear()
        await self._hold(stage, where)
        await peer.say("250-mail.test", f"250 {capability}")


@pytest.fixture
def servers(pki):
    with HoldingServers(pki.leaf("127.0.0.1", "localhost").server_context()) as running:
        yield running


@pytest.fixture
def ready(console, servers, pki):
    """Return a running console that trusts the servers, with a token."""
    console.start()
    console.log_in()
    status, answer = console.ask(
        "POST",
        "trust-store/certificates/",
        {"certificate": pki.root.pem.decode(), "as": "anchor", "reason": "the authority of these tests"},
    )
    assert status == 201, answer
    return console


def begin(console, servers):
    """Define fifty connections, press TEST on each, and return {job: (account, where it is held)} once all are held."""

    def one(number):
        port, where = servers.ports[number % SERVERS]
        account = f"agent{number:02}"
        status, connection = console.ask(
            "POST",
            "connections/smtp/",
            {
                "name": account,
                "host": "127.0.0.1",
                "port": port,
                "connection_security": "STARTTLS",
                "username": account,
                "password": f"{CANARY}-{account}",
                "basic_mechanism": "PLAIN",
                "sender_address": "agent@example.org",
                "timeout_ms": 50_000,
            },
        )
        assert status == 201, connection
        status, job = console.ask("POST", f"connections/smtp/{connection['id']}/test/", {})
        assert status == 202, job
        return job["id"], (account, where)

    with ThreadPoolExecutor(4) as pool:
        jobs = dict(pool.map(one, range(ACCOUNTS)))
    wanted = Counter(where for _, where in jobs.values())
    # A server that does not greet is looked at a second time, without a login: there may be more than wanted, so
    # the count of the servers alone does not tell that every test was claimed.
    until(lambda: servers.held >= wanted, f"all {ACCOUNTS} are held; so far {servers.held}")
    until(lambda: console.ask("GET", "jobs/?state=running")[1]["count"] == ACCOUNTS, f"all {ACCOUNTS} run")
    return jobs


def ends(console, jobs):
    """Return {job id: job} once all are final."""

    def final():
        _, page = console.ask("GET", "jobs/?limit=100")
        found = {job["id"]: job for job in page["results"]}
        over = [job for job in found.values() if job["state"] not in {"queued", "dispatched", "running"}]
        return found if len(over) == len(jobs) else None

    return until(final, "every test ended")


def outcomes(jobs, found):
    """Return {stage held at: set of (state, verdict, attempt)}."""
    seen = {}
    for key, (_, where) in jobs.items():
        job = found[key]
        seen.setdefault(where, set()).add((job["state"], job["verdict"], job["attempt"]))
    return seen


AFTER_LOSS = {where: {("lost", None, 1)} if where in SIGNED_IN else {("finished", "success", 2)} for where in STAGES}


@pytest.mark.timeout(300)
def test_a_killed_web_server_costs_no_test(ready, servers):
    jobs = begin(ready, servers)
    ready.kill("web")
    servers.release()
    found = ends(ready, jobs)
    assert outcomes(jobs, found) == {where: {("finished", "success", 1)} for where in STAGES}
    assert servers.logins == Counter({account: 1 for account, _ in jobs.values()})


@pytest.mark.timeout(300)
@pytest.mark.parametrize("victims", [("dispatcher",), ("web", "dispatcher")], ids=["steng", "both"])
def test_a_killed_steng_repeats_what_had_not_signed_in_and_says_what_is_lost(victims, ready, servers):
    jobs = begin(ready, servers)
    ready.kill(*victims)
    servers.release()
    found = ends(ready, jobs)
    assert (len(found), outcomes(jobs, found)) == (ACCOUNTS, AFTER_LOSS)
    assert servers.logins == Counter({account: 1 for account, _ in jobs.values()})
    assert [job["id"] for job in found.values() if job["state"] == "lost" and not job["summary"]] == []


@pytest.mark.timeout(300)
def test_after_a_kill_of_everything_a_restart_accounts_for_all(ready, servers):
    jobs = begin(ready, servers)
    for pid in (ready.process.pid, *descendants(ready.process.pid)):
        os.kill(pid, signal.SIGKILL)
    ready.process.wait()
    ready.process.stdout.close()
    servers.release()
    ready.start()
    found = ends(ready, jobs)
    assert (len(found), outcomes(jobs, found)) == (ACCOUNTS, AFTER_LOSS)
    assert servers.logins == Counter({account: 1 for account, _ in jobs.values()})
    assert ready.stop() == 0
    assert _canaries(ready.data) == []


@pytest.mark.timeout(300)
def test_a_stop_in_the_middle_ends_or_keeps_every_test(ready, servers):
    jobs = begin(ready, servers)
    assert ready.stop() == 0
    with sqlite3.connect(ready.data / "postern.sqlite3") as database:
        states = dict(database.execute("SELECT state, count(*) FROM cluster_job GROUP BY state"))
    signed_in = sum(where in SIGNED_IN for _, where in jobs.values())
    assert states == {"queued": ACCOUNTS - signed_in, "lost": signed_in}


def _canaries(data):
    """Return the files of an installation in which a password stands in clear or in base64."""
    needles = (CANARY.encode(), base64.b64encode(CANARY.encode())[:-4], CANARY.encode("utf-16-le"))
    files = [path for path in data.rglob("*") if path.is_file() and "static" not in path.parts]
    return [path.name for path in files if any(needle in path.read_bytes() for needle in needles)]
