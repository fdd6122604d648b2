"""Accounts in the engine, with probes made for each test, and then with the real one against a server that counts."""

import contextlib
from dataclasses import replace

import pytest
from django.db import connection
from django.utils import timezone

from cluster import accounts, dispatch
from cluster.choices import Lane
from cluster.models import Job, Steng, SuspendedLogin
from connections import services, testing
from connections.models import SmtpConnection
from connections.selectors import find
from steng import wire
from steng.probe import probe
from tests.engines import Gate, answers, db, engine, put, read, scenario, state_is, true, until
from tests.jobs import local_steng, request_for, running
from tests.lab.facts import Protocol, Security
from tests.lab.pyserver import RecordingServer
from tests.lab.recording import Behaviour

pytestmark = pytest.mark.django_db(transaction=True)
RIGHT, STALE = "right-8d12", "stale-canary-41f7"
SHARERS = 40


@pytest.fixture
def steng(transactional_db):
    return local_steng(timezone.now())


def same_account(number):
    """Return a request that differs from others of the account in what does not matter."""
    return request_for(port=1_000 + number)


@scenario
async def test_tests_of_one_account_run_one_after_the_other(steng):
    at_work, most = [0], [0]

    async def counts(request, on_stage=None, before_credentials=None):
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        assert await before_credentials()
        at_work[0] -= 1
        return await answers(request)

    async with engine(steng, counts):
        jobs = [await put(steng, request=same_account(number)) for number in range(6)]
        assert [(await state_is(job, "finished")).verdict for job in jobs] == ["success"] * 6
    assert most == [1]


@scenario
async def test_who_waits_for_an_account_takes_no_slot_from_others(steng):
    await db(Steng.objects.update, slots=2)
    gate = Gate()
    async with engine(steng, gate):
        crowd = [await put(steng, request=same_account(number)) for number in range(5)]
        other = await put(steng, request=request_for(username="invoices"))
        await state_is(other, "running")
        assert sorted([(await read(job)).state for job in crowd]) == ["queued"] * 4 + ["running"]
        gate.go.set()
        for job in crowd:
            await state_is(job, "finished")


@scenario
async def test_who_waits_for_an_account_takes_no_place_at_its_server(steng):
    gate = Gate()
    async with engine(steng, gate):
        for number in range(30):
            await put(steng, configuration=f"{number:064}", lane=Lane.BULK)
        await state_is(await put(steng, request=request_for(username="invoices")), "running")
        gate.go.set()


@scenario
async def test_a_click_has_the_next_turn_before_a_list(steng):
    order = []

    async def notes(request, on_stage=None, before_credentials=None):
        order.append(request.port)
        if len(order) == 1:
            await first.go.wait()
        return await answers(request)

    first = Gate()
    async with engine(steng, notes):
        jobs = [await put(steng, request=same_account(number), lane=Lane.BULK) for number in range(3)]
        await state_is(jobs[0], "running")
        jobs.append(await put(steng, request=same_account(9)))
        first.go.set()
        for job in jobs:
            await state_is(job, "finished")
    assert order == [1000, 1009, 1001, 1002]


@scenario
async def test_the_next_test_of_an_account_begins_only_after_a_cancelled_one_has_let_go(steng):
    gate = Gate()
    async with engine(steng, gate):
        first = await put(steng)
        await until(lambda: true(gate.sent))
        second = await put(steng, request=same_account(1))
        await db(dispatch.cancel, first.pk, timezone.now())
        await until(lambda: true(len(gate.begun) == 2))
        assert len(gate.stopped) == 1
        gate.go.set()
        await state_is(second, "finished")


@scenario
async def test_what_a_killed_engine_left_does_not_keep_its_account(steng):
    def left():
        now = timezone.now()
        job, _ = running(steng, now=now)
        dispatch.mark_credentials(job.pk, 1, now)
        return job

    lost = await db(left)
    async with engine(steng, answers):
        await state_is(await put(steng, request=same_account(1)), "finished")
    assert (await read(lost)).state == "lost"


# -- with the real probe


@pytest.fixture
def server():
    with RecordingServer(Security.NONE, users={"orders": RIGHT}) as serving:
        yield serving


def definition(server, **changes):
    return {
        "name": "orders-0",
        "host": "localhost",
        "port": server.port,
        "connection_security": "NONE",
        "username": "orders",
        "password": STALE,
        **changes,
    }


def define(server, count, name="orders"):
    """Define connections that share the account, each spelling it in its own way."""
    hosts, users = ("localhost", "LOCALHOST", "localhost."), ("orders", "Orders", "ORDERS")
    saved = []
    for number in range(count):
        values = definition(server, name=f"{name}-{number}", host=hosts[number % 3], username=users[number // 3 % 3])
        saved.append(services.save(SmtpConnection, None, values, user=None).connection)
    return saved


def test_all(connections):
    """Ask for a test of each, in the lane of lists."""
    return [testing.request_test(row, testing.Target(), user=None, lane=Lane.BULK) for row in connections]


test_all.__test__ = False


async def verdicts(jobs):
    """Return what became of tests: how often which code."""
    found = [await state_is(job, "finished") for job in jobs]
    codes = [(job.verdict, job.failed_stage, job.code) for job in found]
    return {code: codes.count(code) for code in codes}


@scenario
async def test_a_stale_password_of_forty_connections_is_tried_once(steng, server):
    saved = await db(define, server, SHARERS)
    async with engine(steng, probe):
        jobs = await db(test_all, saved)
        counted = await verdicts(jobs)
    assert counted == {
        ("failure", "auth", "credentials_refused"): 1,
        ("failure", "auth", "auth_suspended"): SHARERS - 1,
    }
    sessions = server.wait_closed(SHARERS)
    assert sum(len(session.logins) for session in sessions) == 1
    assert sum(b"AUTH" in session.received for session in sessions) == 1


@pytest.fixture
def refused(steng, server):
    """Return a connection whose password was refused once; the server has counted one login."""

    @scenario
    async def story():
        (row,) = await db(define, server, 1)
        async with engine(steng, probe):
            assert await verdicts(await db(test_all, [row])) == {("failure", "auth", "credentials_refused"): 1}
        return row

    row = story()
    assert server.login_attempts("orders") == 1
    return row


def draft(server, based_on, **changes):
    return testing.request_draft_test(
        SmtpConnection, definition(server, name="another", **changes), based_on, testing.Target(), user=None
    )


@scenario
async def ends(steng, jobs):
    """Run tests to their end; return their codes."""
    async with engine(steng, probe):
        return [(await state_is(job, "finished")).code for job in jobs]


def test_a_draft_with_the_stale_password_is_stopped(steng, server, refused):
    assert ends(steng, [draft(server, None, helo_name="a.example")]) == ["auth_suspended"]
    assert server.login_attempts("orders") == 1


def test_a_refused_draft_stops_the_connection(steng, server):
    assert ends(steng, [draft(server, None)]) == ["credentials_refused"]
    assert ends(steng, test_all(define(server, 1))) == ["auth_suspended"]
    assert server.login_attempts("orders") == 1


def test_a_stopped_test_says_what_to_do_and_who_was_refused(steng, server, refused):
    ends(steng, [draft(server, None)])
    stopped, first = Job.objects.get(code="auth_suspended"), Job.objects.get(code="credentials_refused")
    told = next(stage for stage in stopped.stages if stage["name"] == "auth")
    assert (told["outcome"], told["advice"], told["field"]) == ("failed", first.advice, "password")
    assert (told["evidence"]["test"], told["evidence"]["connection"]["name"]) == (str(first.pk), "orders-0")
    assert [stage["outcome"] for stage in stopped.stages if stage["name"] != "auth"] == ["ok"] * 4 + ["skipped"]


def test_a_stopped_test_sends_nothing_of_the_login(steng, server, refused):
    ends(steng, [draft(server, None)])
    commands = [command.split()[0] for command in server.wait_closed(2)[1].commands]
    assert commands == [b"EHLO", b"QUIT"]


def test_a_changed_password_goes_through_at_once(steng, server, refused):
    services.save(SmtpConnection, find(refused.pk), {"password": RIGHT}, user=None, partial=True)
    job = testing.request_test(find(refused.pk), testing.Target(), user=None)
    ends(steng, [job])
    job.refresh_from_db()
    assert (job.verdict, server.logins("orders")) == ("success", 1)


def test_the_stale_password_stays_stopped_after_the_right_one_worked(steng, server, refused):
    ends(steng, [draft(server, None, password=RIGHT)])
    assert ends(steng, [draft(server, None)]) == ["auth_suspended"]


def test_a_lift_lets_exactly_one_more_attempt_go(steng, server, refused):
    accounts.lift(SuspendedLogin.objects.get(), reason="The account was unlocked.", now=timezone.now())
    jobs = [*test_all(define(server, 5, "more")), draft(server, None)]
    assert sorted(ends(steng, jobs)) == ["auth_suspended"] * 5 + ["credentials_refused"]
    assert server.login_attempts("orders") == 2


WAYS = [
    (wire.Protocol.SMTP, {}),
    (wire.Protocol.IMAP, {}),
    (wire.Protocol.POP3, {"mailbox": wire.Mailbox(pull=wire.Pull.GET_FIRST_MESSAGE)}),
    (wire.Protocol.IMAP, {"purpose": wire.Purpose.FOLDERS}),
]


@pytest.mark.parametrize("first", WAYS[:3], ids=lambda way: way[0].value)
def test_a_refusal_by_one_protocol_stops_the_sign_in_by_all(steng, first):
    """Tests of one account by SMTP, IMAP, POP3 and for the list of folders: only the first leaves a credential."""
    with contextlib.ExitStack() as stack:
        servers = {
            protocol: stack.enter_context(RecordingServer(Security.NONE, protocol=Protocol[protocol.value]))
            for protocol, _ in WAYS[:3]
        }

        def ask(protocol, more):
            plain = request_for(host="localhost", port=servers[protocol].port, password=STALE)
            return replace(
                plain, protocol=protocol, security=wire.Security.NONE, egress=wire.Egress(allow_loopback=True), **more
            )

        @scenario
        async def story():
            async with engine(steng, probe):
                jobs = [await put(steng, request=ask(*first))]
                await state_is(jobs[0], "finished")
                jobs += [
                    await put(steng, request=ask(*way), configuration=f"{place:064}") for place, way in enumerate(WAYS)
                ]
                return [(await state_is(job, "finished")).code for job in jobs]

        assert story() == ["credentials_refused"] + ["auth_suspended"] * len(WAYS)
        assert {protocol: server.login_attempts("orders") for protocol, server in servers.items()} == {
            protocol: int(protocol is first[0]) for protocol in servers
        }


def test_what_was_lifted_long_ago_is_forgotten(steng, server, refused, settings):
    past = timezone.now() - settings.POSTERN_JOB_RETENTION
    accounts.lift(SuspendedLogin.objects.get(), reason="The account was unlocked.", now=past)

    @scenario
    async def story():
        async with engine(steng, probe):
            await until(lambda: db(lambda: not SuspendedLogin.objects.exists()))

    story()


def test_a_killed_test_is_lost_and_its_login_not_repeated(steng, server):
    job = draft(server, None)
    now = timezone.now()
    dispatch.accept(job.pk, now)
    dispatch.claim(job.pk, steng, now)
    dispatch.mark_credentials(job.pk, 1, now)

    @scenario
    async def story():
        async with engine(steng, probe):
            return await state_is(job, "lost")

    assert (story().code, server.sessions) == ("lost", [])


def test_the_stale_password_is_in_no_table(steng, server, refused):
    ends(steng, [draft(server, None)])
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names()
        dump = str([cursor.execute(f'SELECT * FROM "{table}"').fetchall() for table in tables])
    assert (STALE in dump, "orders" in dump) == (False, True)


# -- where the server gives no clear answer


@pytest.fixture
def vague():
    behaviour = replace(Behaviour.usual(Security.NONE), login_refused="421 4.3.2 Try again later")
    with RecordingServer(Security.NONE, users={"orders": RIGHT}, behaviour=behaviour) as serving:
        yield serving


@scenario
async def test_what_broke_off_is_not_tried_again_by_the_rest_of_a_list(steng, vague):
    jobs = await db(test_all, await db(define, vague, 8))
    async with engine(steng, probe):
        counted = await verdicts(jobs)
    assert counted == {("failure", "auth", "rate_limited"): 1, ("failure", "auth", "auth_suspended"): 7}
    assert vague.login_attempts("orders") == 1


def test_who_asks_anew_gets_one_more_attempt(steng, vague):
    (row,) = define(vague, 1)
    codes = [ends(steng, test_all([row]))[0] for _ in range(2)]
    assert (codes, vague.login_attempts("orders")) == (["rate_limited", "rate_limited"], 2)
