"""aioimaplib bare and hardened: each defect shown where it is, and cured where we use it.

The protocol objects are driven directly, so nothing has to be waited for: what is not done after a hundred turns of
the loop with nothing left to happen will never be.
"""

import pytest

from steng.probe import mailbox
from steng.probe.failure import ProbeFailure
from tests.imap_library import bare, begun, code_of, dropped, hardened, last_tag, tags, turns
from tests.lab.asking import run

# -- nobody is told ----------------------------------------------------------


def test_bare_who_waits_for_the_greeting_cannot_even_be_cancelled_when_the_server_goes():
    async def go():
        protocol = bare()
        protocol.connection_made(protocol.transport)
        waiter = await begun(protocol.wait("AUTH|NONAUTH"))
        protocol.data_received(b"* OK hello\r\n")
        await turns()
        protocol.connection_lost(None)
        waiter.cancel()
        await turns()
        stuck = not waiter.done()
        for task in protocol.tasks:
            task.cancel()
        await turns()
        return stuck

    assert run(go())


def test_hardened_who_waits_can_be_cancelled_and_nothing_is_left():
    async def go():
        ours = hardened()
        task = await begun(ours.examine("INBOX"))
        task.cancel()
        await turns(10)
        assert task.cancelled()
        assert not ours.idle or not tags(ours)[1:]

    run(go())


GONE = {"in order": None, "with a reset": ConnectionResetError(104, "reset")}


@pytest.mark.parametrize("how", GONE.values(), ids=GONE)
def test_bare_who_waits_is_not_told_that_the_server_is_gone(how):
    async def go():
        protocol = bare()
        task = await begun(protocol.simple_command("EXAMINE", "INBOX"))
        protocol.data_received(b"* BYE shutting down\r\n")
        protocol.connection_lost(how)
        await turns()
        stuck = not task.done()
        await dropped(task)
        return stuck

    assert run(go())


@pytest.mark.parametrize("how", GONE.values(), ids=GONE)
def test_hardened_who_waits_is_told_at_once_that_the_server_is_gone(how):
    async def go():
        ours = hardened()
        tasks = [await begun(ours.examine("INBOX")), await begun(ours.folders())]
        ours.connection_lost(how)
        await turns(10)
        if how is None:
            assert [code_of(task) for task in tasks] == ["closed", "closed"]
        else:
            assert [task.exception() for task in tasks] == [how, how]
        with pytest.raises(type(how or ProbeFailure("closed"))):
            await ours.examine("INBOX")

    run(go())


def test_hardened_a_goodbye_ends_what_waits():
    async def go():
        ours = hardened()
        task = await begun(ours.examine("INBOX"))
        ours.data_received(b"* BYE [UNAVAILABLE] shutting down\r\n")
        await turns(10)
        assert code_of(task) == "closed"
        assert ours.transport.aborted

    run(go())


def test_bare_garbage_is_passed_over_and_the_answer_waited_for():
    async def go():
        protocol = bare()
        task = await begun(protocol.simple_command("EXAMINE", "INBOX"))
        protocol.data_received(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await turns()
        stuck = not task.done()
        await dropped(task)
        return stuck

    assert run(go())


GARBAGE = [b"HTTP/1.1 400 Bad Request\r\n", b"ZZZZ9 OK never asked\r\n", b"\xff\xfe\r\n", b"* \r\n", b"*\r\n"]


@pytest.mark.parametrize("said", GARBAGE)
def test_hardened_garbage_ends_what_waits(said):
    async def go():
        ours = hardened()
        task = await begun(ours.examine("INBOX"))
        ours.data_received(said)
        await turns(10)
        assert code_of(task) == "protocol_error"

    run(go())


# -- no end ------------------------------------------------------------------

MANY = b"* 1 EXISTS\r\n" * 3_000


def test_bare_three_thousand_lines_are_too_deep():
    async def go():
        protocol = bare()
        task = await begun(protocol.simple_command("EXAMINE", "INBOX"))
        with pytest.raises(RecursionError):
            protocol.data_received(MANY)
        await dropped(task)

    run(go())


def test_hardened_three_thousand_lines_are_read():
    async def go():
        ours = hardened()
        task = await begun(ours.examine("INBOX"))
        ours.data_received(MANY + f"{last_tag(ours)} OK done\r\n".encode())
        await turns(10)
        assert len(task.result().data("EXISTS")) == 3_000

    run(go())


def test_bare_a_line_without_end_fills_memory():
    async def go():
        protocol = bare()
        for _ in range(20):
            protocol.data_received(b"x" * 100_000)
        return len(protocol.incomplete_line)

    assert run(go()) == 2_000_000


def test_bare_a_literal_of_any_size_is_collected():
    async def go():
        protocol = bare()
        task = await begun(protocol.simple_command("LIST", '""', "*"))
        protocol.data_received(b'* LIST () "/" {999999999}\r\n' + b"x" * 1_000_000)
        size = len(protocol.current_command._resp_literal_data)
        await dropped(task)
        return size

    assert run(go()) == 1_000_000


ENDLESS = {
    "a line": (b"* LIST " + b"x" * 1_000,) * 100,
    "a literal that is announced": (b'* LIST () "/" {65537}\r\n',),
    "a literal that no number holds": (b'* LIST () "/" {99999999999999999999}\r\n',),
    "lines": (b"* 1 EXISTS\r\n" * 1_000,) * 11,
    "bytes": (b'* LIST () "/" {60000}\r\n' + b"x" * 60_000 + b"\r\n",) * 80,
    "empty literals in one line": (b"* {0}\r\n" * 1_000,) * 11,
}


@pytest.mark.parametrize("chunks", ENDLESS.values(), ids=ENDLESS)
def test_hardened_what_has_no_end_is_cut(chunks):
    async def go():
        ours = hardened()
        task = await begun(ours.folders())
        most = 0
        for chunk in chunks:
            ours.data_received(chunk)
            most = max(most, len(ours._buffer))
        await turns(10)
        assert code_of(task) == "too_much_data"
        assert ours.transport.aborted
        assert most <= mailbox.MAX_LINE + 65_000

    run(go())


def test_bare_a_command_has_no_deadline():
    async def go():
        protocol = bare()
        task = await begun(protocol.simple_command("EXAMINE", "INBOX"))
        await turns()
        stuck = not task.done()
        await dropped(task)
        return stuck

    assert run(go())


ASKING = {
    "examine": lambda ours: ours.examine("INBOX"),
    "status": lambda ours: ours.status("INBOX", "UNSEEN"),
    "rights": lambda ours: ours.rights("INBOX"),
    "folders": lambda ours: ours.folders(),
    "find": lambda ours: ours.find("UNSEEN"),
    "peek": lambda ours: ours.peek("1", "UID"),
}


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_hardened_every_command_has_the_deadline(ask):
    async def go():
        ours = hardened(seconds=0)
        task = await begun(ask(ours))
        await turns()
        assert isinstance(task.exception(), TimeoutError)

    run(go())


def test_bare_a_question_of_the_server_is_never_answered():
    async def go():
        protocol = bare("NONAUTH")
        task = await begun(protocol.xoauth2("user", "expired"))
        protocol.transport.written.clear()
        protocol.data_received(b"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n")
        await turns()
        stuck = not task.done() and not protocol.transport.written
        await dropped(task)
        return stuck

    assert run(go())


def test_hardened_a_question_of_the_server_ends_what_waits():
    async def go():
        ours = hardened()
        task = await begun(ours.examine("INBOX"))
        ours.data_received(b"+ go on\r\n")
        await turns(10)
        assert code_of(task) == "protocol_error"

    run(go())
