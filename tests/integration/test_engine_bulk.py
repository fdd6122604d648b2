"""The local engine and batches: performed beside everything else, with real probes against a recording server."""

import asyncio

import pytest
from django.utils import timezone

from cluster import dispatch
from cluster.batches import services
from cluster.batches.choices import BatchState
from cluster.choices import Lane
from cluster.engines import local
from cluster.models import Job
from connections.models import Connection
from connections.testing import Target, request_test
from steng.probe import probe
from steng.wire import Depth
from tests.bulk import current, results, some, start
from tests.engines import Gate, answers, db, engine, put, scenario, state_is, until
from tests.jobs import local_steng, request_for
from tests.lab.facts import Security
from tests.lab.pyserver import RecordingSmtpServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def steng(transactional_db):
    return local_steng(timezone.now())


@pytest.fixture
def server():
    """Run a server that anybody may use in clear."""
    with RecordingSmtpServer(Security.NONE) as running:
        yield running


def over(batch):
    async def look():
        found = await db(current, batch)
        return found if found.is_final else None

    return look


def begun(gate, number):
    async def look():
        return len(gate.begun) == number

    return look


@scenario
async def test_the_bell_alone_brings_a_batch_to_its_end(steng, admin_user, monkeypatch):
    monkeypatch.setattr(local, "ROUND", 3600.0)
    rows = await db(some, 45)
    async with engine(steng, answers):
        batch = await db(start, "disable", rows, admin_user)
        assert (await until(over(batch))).counts["done"] == 45
    assert await db(Connection.objects.filter(status="DISABLED").count) == 45


@scenario
async def test_fifty_connections_are_tested_in_bulk_each_once(steng, admin_user, server, settings):
    settings.POSTERN_ALLOW_LOOPBACK = True
    clear = {"host": "127.0.0.1", "port": server.port, "connection_security": "NONE"}
    rows = await db(some, 50, **clear, authentication_type="NONE", username="", password=None)
    async with engine(steng, probe):
        batch = await db(start, "test", rows, admin_user)
        counts = (await until(over(batch))).counts
    assert (counts["done"], counts["success"] + counts["warning"]) == (50, 50)
    assert len(server.sessions) == 50
    assert await db(lambda: set(Connection.objects.values_list("last_test__verdict", flat=True))) <= {
        "success",
        "warning",
    }


@scenario
async def test_a_click_finds_room_at_a_server_that_is_tested_in_bulk(steng, admin_user):
    gate = Gate(login=False)
    rows = await db(some, 12)
    async with engine(steng, gate):
        await db(start, "test", rows, admin_user)
        await until(begun(gate, 8))
        click = await db(request_test, rows[-1], Target(depth=Depth.TLS), user=admin_user)
        await state_is(click, "running")
        assert await db(lambda: Job.objects.filter(lane=Lane.BULK, state="running").count()) == 8
        gate.go.set()


@scenario
async def test_a_click_is_carried_before_what_waits_in_bulk(steng, admin_user):
    gate = Gate(login=False)
    async with engine(steng, gate):
        for number in range(30):
            await put(steng, lane=Lane.BULK, request=request_for(username=f"bulk{number}"))
        await until(begun(gate, 8))
        clicks = [await put(steng, request=request_for(username=name)) for name in "abc"]
        await until(begun(gate, 10))
        assert {(await db(Job.objects.get, pk=click.pk)).state for click in clicks[:2]} == {"running"}
        gate.go.set()
        await state_is(clicks[2], "finished")


@scenario
async def test_cancelling_a_batch_stops_its_probes(steng, admin_user, monkeypatch):
    monkeypatch.setattr(local, "ROUND", 3600.0)
    gate = Gate(login=False)
    rows = await db(some, 12)
    async with engine(steng, gate):
        batch = await db(start, "test", rows, admin_user)
        await until(begun(gate, 8))
        other = await put(steng, request=request_for(host="other.example.org"))
        await state_is(other, "running")
        await db(services.cancel, batch.pk, timezone.now())
        found = await until(over(batch))
        await until(lambda: _is(len(gate.stopped) == 8))
        assert (found.state, found.counts["cancelled"]) == (BatchState.CANCELLED, 12)
        assert (await db(Job.objects.get, pk=other.pk)).state == "running"
        gate.go.set()


async def _is(value):
    return value


@scenario
async def test_a_batch_goes_on_where_another_process_left_it(steng, admin_user):
    rows = await db(some, 12)
    first = Gate()
    batch = await db(start, "test", rows, admin_user)
    async with engine(steng, first):
        await until(lambda: _is(len(first.sent) == 8))
    async with engine(steng, answers):
        counts = (await until(over(batch))).counts
    assert (counts["failed"], counts["success"]) == (8, 4)
    assert list((await db(results, batch)).values()).count(("failed", "lost")) == 8


@scenario
async def test_a_database_that_fails_once_costs_no_item(steng, admin_user, monkeypatch):
    from django.db import OperationalError

    real, failures = dispatch.enqueue, ["database is locked"]

    def fails_once(**arguments):
        if failures:
            raise OperationalError(failures.pop())
        return real(**arguments)

    monkeypatch.setattr(dispatch, "enqueue", fails_once)
    rows = await db(some, 3)
    async with engine(steng, answers):
        batch = await db(start, "test", rows, admin_user)
        assert (await until(over(batch))).counts["success"] == 3
    assert (await db(Job.objects.count), failures) == (3, [])


@scenario
async def test_an_idle_engine_notices_a_batch_without_a_bell(steng, admin_user, monkeypatch):
    monkeypatch.setattr("cluster.batches.services.wake", lambda: None)
    monkeypatch.setattr(local, "ROUND", 0.05)
    async with engine(steng, answers):
        await asyncio.sleep(0)
        batch = await db(start, "disable", await db(some, 1), admin_user)
        await until(over(batch))
