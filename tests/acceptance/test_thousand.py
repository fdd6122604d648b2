"""A thousand connections tested in bulk against scripted servers, and `kill -9` of the STENG in the midst of it.

Every connection has an account of its own, and its server counts the logins. A few accounts are held in the midst of
their login, so that the batch cannot end before it is told to, however quick the machine is: what is asked meanwhile
is answered while the batch is under way, and a kill finds logins of which nobody knows the outcome.
"""

import asyncio
import base64
import contextlib
import json
import shutil
import sqlite3
import threading
from collections import Counter

import pytest

from tests.lab.hostile import HostileServer
from tests.lab.ports import Ports
from tests.running import Console, until

CONNECTIONS = 1_000
SERVERS = 20
HELD = frozenset(f"agent{number:04}" for number in range(200, 206))
"""At six servers, which have room for others beside them."""


class CountingServers:
    """SMTP servers in clear that count logins, and hold those of some accounts until `release`."""

    def __init__(self):
        self.logins = Counter()
        self.held = set()
        self.ports = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="counting-servers", daemon=True)

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

    def hold(self):
        """Count anew, and hold those that are to be held."""
        self.logins.clear()
        self.held.clear()
        self._loop.call_soon_threadsafe(self._go.clear)

    def release(self):
        """Let every conversation go on."""
        self._loop.call_soon_threadsafe(self._go.set)

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _open(self):
        for _ in range(SERVERS):
            server = HostileServer(self._talk)
            await self._stack.enter_async_context(server)
            self.ports.append(server.port)

    async def _talk(self, peer):
        with contextlib.suppress(EOFError, OSError):
            await peer.say("220 mail.test ESMTP")
            await peer.hear()
            await peer.say("250-mail.test", "250 AUTH PLAIN")
            command, _, words = (await peer.hear()).partition(" ")
            if command != "AUTH":
                return  # cancelled a moment before its login: it says goodbye
            account = base64.b64decode(words.split()[-1]).split(b"\0")[1].decode()
            self.logins[account] += 1
            if account in HELD and not self._go.is_set():
                self.held.add(account)
                await self._go.wait()
            await peer.say("235 2.7.0 welcome")
            while True:
                await peer.hear()
                await peer.say("250 ok")


def definition(number, port):
    account = f"agent{number:04}"
    return {
        "kind": "smtp",
        "name": account,
        "host": "127.0.0.1",
        "port": port,
        "connection_security": "NONE",
        "username": account,
        "basic_mechanism": "PLAIN",
        "timeout_ms": 60_000,
    }


@pytest.fixture(scope="module")
def servers():
    with CountingServers() as running:
        yield running


@pytest.fixture(scope="module")
def installation(prepared, tmp_path_factory, servers):
    """Return a running console with a thousand connections."""
    data = tmp_path_factory.mktemp("bulk") / "data"
    shutil.copytree(prepared, data, ignore=shutil.ignore_patterns("*.bell"))
    ports = Ports()
    with Console(data, ports.reserve()) as console:
        document = {"connections": [definition(n, servers.ports[n % SERVERS]) for n in range(CONNECTIONS)]}
        console.manage("shell", "-c", CREATE, stdin=json.dumps(document))
        console.start()
        console.log_in()
        yield console
        assert console.stop() == 0
    ports.release()


# Not by the API, one by one: how definitions come in is tested elsewhere, and a thousand requests take their time.
CREATE = """
import json, sys
from django.db import transaction
from connections.kinds import KINDS
from connections.services import save
from core import audit
with audit.acting(audit.Actor(None, "tests", audit.Door.COMMAND)), transaction.atomic():
    for values in json.load(sys.stdin)["connections"]:
        save(KINDS[values.pop("kind")], None, {**values, "password": f"p-{values['name']}"}, user=None)
"""


def begin(console):
    """Test the thousand in bulk and return the address of the batch."""
    status, batch = console.ask("POST", "connections/bulk/", {"action": "test", "filter": {"q": "agent0"}})
    assert (status, batch["total"], batch["state"]) == (202, CONNECTIONS, "running")
    return f"batches/{batch['id']}/"


def wait(condition, what):
    """Wait as long as a thousand tests may take on a crowded machine, without keeping the console busy by asking."""
    return until(condition, what, patience=400, pause=1.0)


def look(console, batch):
    return console.ask("GET", f"{batch}?limit=1")[1]


def over(counts):
    return counts["total"] - counts["waiting"] - counts["running"]


def results(console, batch):
    """Return every result, page by page."""
    found, offset = [], 0
    while offset < CONNECTIONS:
        found += console.ask("GET", f"{batch}?limit=500&offset={offset}")[1]["results"]
        offset += 500
    return found


@pytest.mark.timeout(900)
def test_a_thousand_are_accounted_for_although_the_steng_is_killed_in_their_midst(installation, servers):
    servers.hold()
    batch = begin(installation)
    seen = []

    def in_the_midst():
        seen.append(over(look(installation, batch)))
        return seen[-1] >= CONNECTIONS // 3 and servers.held == HELD

    wait(in_the_midst, "a third of the batch is over and some logins are held")
    # Progress was to be seen, and never went back.
    assert (len(set(seen)) > 2, seen) == (True, sorted(seen))
    installation.kill("dispatcher")
    servers.release()
    done = wait(lambda: (found := look(installation, batch))["state"] == "finished" and found, "the batch is over")
    assert (done["done"] + done["failed"], done["waiting"], done["running"]) == (CONNECTIONS, 0, 0)
    found = results(installation, batch)
    assert len({result["id"] for result in found}) == CONNECTIONS
    lost = {result["name"] for result in found if result["code"] == "lost"}
    assert {(result["outcome"], result["verdict"]) for result in found if result["name"] not in lost} == {
        ("done", "warning")  # a password in clear is worth one
    }
    assert (lost >= HELD, done["failed"]) == (True, len(lost))
    # No server saw a second login of an account, also of those that were repeated.
    assert (len(servers.logins), set(servers.logins.values())) == (CONNECTIONS, {1})
    with sqlite3.connect(installation.data / "postern.sqlite3") as database:
        jobs = database.execute("SELECT count(*), count(DISTINCT connection_id) FROM cluster_job").fetchone()
    assert jobs == (CONNECTIONS, CONNECTIONS)


@pytest.mark.timeout(900)
def test_a_click_is_answered_and_a_cancel_heard_while_a_thousand_are_tested(installation, servers):
    servers.hold()
    status, mine = installation.ask("POST", "connections/smtp/", definition(9999, servers.ports[0]) | {"password": "p"})
    assert status == 201, mine
    batch = begin(installation)
    wait(lambda: servers.held == HELD, "some logins of the batch are held")
    status, job = installation.ask("POST", f"connections/smtp/{mine['id']}/test/?wait=60", {})
    between = look(installation, batch)
    assert (status, job["state"], job["verdict"]) == (200, "finished", "warning")
    assert (between["state"], between["waiting"] + between["running"] > 0) == ("running", True)
    status, cancelling = installation.ask("POST", f"{batch}cancel/", {})
    assert (status, cancelling["waiting"]) == (200, 0)
    done = wait(lambda: (found := look(installation, batch))["state"] == "cancelled" and found, "it is cancelled")
    assert done["done"] + done["cancelled"] + done["failed"] == CONNECTIONS
    assert (done["cancelled"] >= len(HELD), done["failed"]) == (True, 0)
    before = sum(servers.logins.values())
    servers.release()
    with sqlite3.connect(installation.data / "postern.sqlite3") as database:
        states = dict(database.execute("SELECT state, count(*) FROM cluster_job GROUP BY state"))
    assert set(states) <= {"finished", "lost", "cancelled"}
    assert sum(servers.logins.values()) == before
