"""The local engine with a real table of jobs, a real bell and a probe made for each test."""

import asyncio
import functools

import pytest
from django.db import OperationalError
from django.utils import timezone

from cluster import dispatch, services
from cluster.choices import Lane
from cluster.engines import local
from cluster.engines.local import LocalEngine, SupersededError
from cluster.models import Job, Steng
from steng.wire import StageName
from tests.engines import PATIENCE, Gate, answers, db, engine, put, read, scenario, state_is, true, until
from tests.jobs import enqueue, local_steng, request_for, stage, success

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def steng(transactional_db):
    return local_steng(timezone.now())


@pytest.fixture
def only_the_bell(monkeypatch):
    """Let no second pass: what happens is due to the bell."""
    monkeypatch.setattr(local, "ROUND", 3600.0)


@scenario
async def test_the_bell_alone_brings_a_job_to_its_end(steng, only_the_bell):
    async with engine(steng, answers):
        job = await put(steng)
        assert (await state_is(job, "finished")).verdict == "success"


@scenario
async def test_a_job_that_was_there_before_the_engine_is_found(steng, only_the_bell):
    job = await put(steng)
    async with engine(steng, answers):
        await state_is(job, "finished")


@scenario
async def test_the_history_is_shortened_while_the_engine_runs(steng, settings):
    settings.POSTERN_JOB_LIMIT = 0
    job = await put(steng)
    await db(dispatch.cancel, job.pk, timezone.now())
    async with engine(steng, answers):
        await until(functools.partial(db, lambda: not Job.objects.exists()))


@scenario
async def test_without_a_bell_a_job_is_found_all_the_same(steng, monkeypatch):
    monkeypatch.setattr("cluster.dispatch.intake.wake", lambda: None)
    async with engine(steng, answers):
        job = await put(steng)
        await state_is(job, "finished")


@scenario
async def test_the_bell_brings_a_cancel_to_the_probe(steng, only_the_bell):
    gate = Gate()
    async with engine(steng, gate):
        job = await put(steng)
        await until(lambda: true(gate.sent))
        await db(dispatch.cancel, job.pk, timezone.now())
        await until(lambda: true(gate.stopped))
        assert (await read(job)).state == "cancelled"


@scenario
async def test_the_mark_is_on_disk_before_the_probe_goes_on(steng):
    seen = []

    async def looks(request, on_stage=None, before_credentials=None):
        assert await before_credentials()
        seen.append((await db(Job.objects.get)).credentials_sent_at)
        return success()

    async with engine(steng, looks):
        await state_is(await put(steng), "finished")
    assert seen[0] is not None


@scenario
async def test_stages_are_shown_while_the_probe_runs(steng):
    gate = Gate(login=False)
    async with engine(steng, gate):
        job = await put(steng)

        async def shown():
            return [each["name"] for each in (await read(job)).stages]

        assert await until(shown) == ["resolve"]
        gate.go.set()
        assert [each["name"] for each in (await state_is(job, "finished")).stages] == ["resolve", "auth"]


@scenario
async def test_one_target_gets_no_more_than_its_share_and_others_are_not_held_up(steng, settings):
    gate = Gate(login=False)
    async with engine(steng, gate):
        number = settings.POSTERN_PER_TARGET
        crowd = [await put(steng, request=request_for(username=f"u{each}")) for each in range(number + 3)]
        other = await put(steng, request=request_for(host="other.example.org"))
        await state_is(other, "running")
        states = [(await read(job)).state for job in crowd]
        assert (states.count("running"), states.count("queued")) == (settings.POSTERN_PER_TARGET, 3)
        gate.go.set()
        for job in crowd:
            await state_is(job, "finished")


@scenario
async def test_a_click_does_not_wait_behind_bulk_tests(steng):
    await db(Steng.objects.update, slots=5)
    gate = Gate(login=False)
    async with engine(steng, gate):
        for number in range(8):
            request = request_for(host=f"bulk{number}.example.org")
            await put(steng, lane=Lane.BULK, request=request)
        await until(lambda: true(len(gate.begun) == 4))
        await state_is(await put(steng), "running")
        gate.go.set()


@scenario
async def test_a_disabled_steng_takes_nothing_until_it_is_enabled(steng, only_the_bell):
    await db(services.disable, steng)
    async with engine(steng, answers) as running:
        job = await put(steng)
        running._ring.set()
        await db(lambda: None)
        assert (await read(job)).state == "queued"
        await db(services.enable, steng)
        await state_is(job, "finished")


@scenario
async def test_an_engine_that_ends_gives_back_what_sent_nothing(steng):
    gate = Gate(login=False)
    async with engine(steng, gate):
        job = await put(steng)
        await until(lambda: true(gate.begun))
    assert ((await read(job)).state, len(gate.stopped)) == ("queued", 1)


@scenario
async def test_an_engine_that_ends_after_a_login_says_that_the_job_is_lost(steng):
    gate = Gate()
    async with engine(steng, gate):
        job = await put(steng)
        await until(lambda: true(gate.sent))
    found = await read(job)
    assert (found.state, [each["name"] for each in found.stages]) == ("lost", ["resolve"])


@scenario
async def test_an_engine_that_ends_is_seen_as_offline(steng):
    async with engine(steng, answers):
        await state_is(await put(steng), "finished")
        assert (await db(Steng.objects.get)).state == "online"
    assert (await db(Steng.objects.get)).state == "offline"


@scenario
async def test_what_a_killed_engine_left_is_settled_when_the_next_one_begins(steng):
    def left():
        now = timezone.now()
        sent, unsent = (enqueue(steng, now=now, request=request_for(username=name)) for name in "de")
        for job in (sent, unsent):
            dispatch.accept(job.pk, now)
            dispatch.claim(job.pk, steng, now)
        dispatch.mark_credentials(sent.pk, 1, now)
        return sent, unsent

    sent, unsent = await db(left)
    async with engine(steng, answers):
        assert (await state_is(unsent, "finished")).attempt == 2
        assert (await read(sent)).state == "lost"


@scenario
async def test_an_engine_whose_place_was_taken_stops(steng, monkeypatch):
    monkeypatch.setattr(local, "ROUND", 0.01)
    monkeypatch.setattr(local, "HEARTBEAT", local.HEARTBEAT * 0)
    running = LocalEngine(steng, answers, timezone.now)
    task = asyncio.create_task(running.run())
    await until(lambda: db(lambda: Steng.objects.get().incarnation == running._incarnation))
    await db(Steng.objects.update, incarnation="younger")
    with pytest.raises(SupersededError):
        async with asyncio.timeout(PATIENCE):
            await task


@pytest.mark.parametrize("name", ["accept", "claim", "mark_credentials", "progress", "finish", "reap", "abandon"])
def test_a_database_that_fails_once_costs_no_job(name, steng, monkeypatch):
    real, failures = getattr(dispatch, name), ["database is locked"]

    def fails_once(*args, **kwargs):
        if failures:
            raise OperationalError(failures.pop())
        return real(*args, **kwargs)

    monkeypatch.setattr(dispatch, name, fails_once)

    async def signs_in(request, on_stage=None, before_credentials=None):
        on_stage(stage(StageName.CONNECT))
        assert await before_credentials()
        await until(lambda: true(name != "progress" or not failures))
        return success()

    @scenario
    async def story():
        async with engine(steng, signs_in):
            job = await put(steng)
            return await state_is(job, "finished")

    assert (story().attempt, failures) == (1, [])


def test_a_report_that_cannot_be_stored_is_a_bug_and_not_a_lost_job(steng, monkeypatch):
    real = dispatch.finish

    def refuses(job, attempt, report, now):
        if report.verdict == "success":
            raise ValueError("cannot be stored")
        return real(job, attempt, report, now)

    monkeypatch.setattr(dispatch, "finish", refuses)

    @scenario
    async def story():
        async with engine(steng, answers):
            return await state_is(await put(steng), "finished")

    assert story().code == "bug_in_probe"
