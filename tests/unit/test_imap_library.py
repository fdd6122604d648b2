"""aioimaplib bare and hardened: each defect shown where it is, and cured where we use it.

The protocol objects are driven directly, so nothing has to be waited for: what is not done after a hundred turns of
the loop with nothing left to happen will never be.
"""

import asyncio
import logging
from types import SimpleNamespace

import pytest
from aioimaplib.aioimaplib import AUTH, Abort, Command, Commands, IMAP4ClientProtocol

from steng.probe import mailbox
from steng.probe.failure import ProbeFailure
from steng.probe.mailbox import READING, Mailboxes, together
from steng.probe.transcript import Redactor, Transcript
from tests.lab.asking import run

FOR_EVER = 86_400


class Transport(asyncio.Transport):
    """A transport that remembers what was written, and that it was cut."""

    def __init__(self):
        super().__init__()
        self.written = bytearray()
        self.aborted = False
        self.protocol = None

    def write(self, data):
        self.written += data

    def set_protocol(self, protocol):
        self.protocol = protocol

    def abort(self):
        self.aborted = True


async def turns(count=100):
    for _ in range(count):
        await asyncio.sleep(0)


def bare(state=AUTH):
    """Return the library's own protocol, signed in."""
    protocol = IMAP4ClientProtocol(asyncio.get_running_loop())
    protocol.connection_made(Transport())
    protocol.state = state
    return protocol


def hardened(seconds=FOR_EVER):
    loop = asyncio.get_running_loop()
    sock = SimpleNamespace(setsockopt=lambda *_: None)
    ours = Mailboxes(Transport(), sock, Transcript(Redactor(), loop.time), loop.time() + seconds)
    ours.take_over()
    return ours


async def begun(coroutine):
    task = asyncio.ensure_future(coroutine)
    await turns(10)
    return task


async def dropped(task):
    task.cancel()
    await asyncio.wait({task})


def tags(protocol):
    return [line.split()[0].decode() for line in bytes(protocol.transport.written).splitlines()]


def last_tag(protocol):
    return tags(protocol)[-1]


def code_of(task):
    assert task.done()
    assert isinstance(task.exception(), ProbeFailure), task.exception()
    return task.exception().code


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


# -- names -------------------------------------------------------------------

NAMES = {
    "blanks": ("my folder", b'"my folder"'),
    "quotes and backslashes": ('a"b\\c', b'"a\\"b\\\\c"'),
    "letters of all kinds": ("Entwürfe/台北", b'"Entw&APw-rfe/&U,BTFw-"'),
    "an ampersand": ("R&D", b'"R&-D"'),
    "an emoji": ("😀", b'"&2D3eAA-"'),
    "line ends": ("a\r\nP1 DELETE b", b'"a&AA0ACg-P1 DELETE b"'),
    "nothing": ("", b'""'),
}
SENT_BARE = {"my folder": b"my folder", "Entwürfe/台北": "Entwürfe/台北".encode(), 'a"b\\c': b'a"b\\c', "R&D": b"R&D"}


@pytest.mark.parametrize(("name", "sent"), SENT_BARE.items())
def test_bare_a_name_is_sent_as_it_is(name, sent):
    async def go():
        protocol = bare()
        await dropped(await begun(protocol.simple_command("EXAMINE", name)))
        return bytes(protocol.transport.written).partition(b" ")[2]

    assert run(go()) == b"EXAMINE " + sent + b"\r\n"


@pytest.mark.parametrize(("name", "sent"), NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("command", ["EXAMINE", "MYRIGHTS"])
def test_hardened_a_name_is_encoded_and_quoted(command, name, sent):
    async def go():
        ours = hardened()
        asking = ours.examine(name) if command == "EXAMINE" else ours.rights(name)
        await dropped(await begun(asking))
        return bytes(ours.transport.written).partition(b" ")[2]

    assert run(go()) == command.encode() + b" " + sent + b"\r\n"


def test_bare_a_user_name_is_not_quoted():
    async def go():
        protocol = bare("NONAUTH")
        await dropped(await begun(protocol.login('my "user"', "x")))
        return bytes(protocol.transport.written).partition(b" ")[2]

    assert run(go()) == b'LOGIN my "user" "x"\r\n'


LISTED = b'* LIST (\\HasNoChildren) "/" "orders * new* {3}"\r\n'


def test_bare_a_star_in_a_name_is_lost():
    async def go():
        protocol = bare()
        task = await begun(protocol.simple_command("LIST", '""', "*"))
        protocol.data_received(LISTED.replace(b" {3}", b"") + f"{last_tag(protocol)} OK done\r\n".encode())
        await turns(10)
        return task.result().lines[0]

    assert run(go()) == b'(\\HasNoChildren) "/" "orders new*"'


def test_hardened_a_name_is_read_as_it_is():
    async def go():
        ours = hardened()
        task = await begun(ours.folders())
        literal = b'* LIST () "/" {7}\r\na* "b\r\n\r\n* LIST () NIL {0}\r\n\r\n'
        ours.data_received(LISTED + literal + f"{last_tag(ours)} OK ends like a literal {{5}}\r\n".encode())
        await turns(10)
        return [values[1:] for values in task.result().data("LIST")]

    assert run(go()) == [
        [["\\HasNoChildren"], "/", "orders * new* {3}"],
        [[], "/", b'a* "b\r\n'],
        [[], None, ""],
    ]


# -- what it does not know ---------------------------------------------------


def test_bare_after_examine_nothing_may_be_fetched():
    async def go():
        protocol = bare()
        task = await begun(protocol.simple_command("EXAMINE", "INBOX"))
        protocol.data_received(f"{last_tag(protocol)} OK [READ-ONLY] done\r\n".encode())
        await task
        with pytest.raises(Abort):
            await protocol.fetch("1", "(UID)")

    run(go())


def test_hardened_several_questions_are_asked_at_once_and_told_apart():
    async def go():
        ours = hardened()
        asking = [ours.rights("INBOX"), ours.examine("INBOX")]
        asking += [ours.find("RETURN", "(COUNT)", "UNSEEN", extended=True), ours.find("ALL", uid=True)]
        asking.append(ours.peek("$", "UID", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]", uid=True))
        task = await begun(together(*asking))
        rights, examine, count, find, peek = tags(ours)
        ours.data_received(
            (
                f'* 3 EXISTS\r\n* SEARCH 5 6\r\n* ESEARCH (TAG "{count}") COUNT 2\r\n* MYRIGHTS INBOX lr\r\n'
                f"{rights} OK\r\n* OK [UIDVALIDITY 9] x\r\n{examine} OK [READ-ONLY] done\r\n{find} OK\r\n"
                "* 2 FETCH (UID 7 BODY[HEADER.FIELDS (SUBJECT)] {12}\r\nSubject: (x) FLAGS ())\r\n"
                f"{count} OK\r\n{peek} NO [LIMIT] no more\r\n"
            ).encode()
        )
        await turns(10)
        return task.result()

    rights, examine, count, find, peek = run(go())
    assert rights.data("MYRIGHTS") == [["MYRIGHTS", "INBOX", "lr"]]
    assert (examine.data("EXISTS"), examine.codes()) == ([["3", "EXISTS"]], {"UIDVALIDITY": "9"})
    assert count.data("ESEARCH")[0][2:] == ["COUNT", "2"]
    assert find.data("SEARCH") == [["SEARCH", "5", "6"]]
    assert (peek.ok, peek.answer.code) == (False, "LIMIT")
    fetched = ["UID", "7", "BODY[HEADER.FIELDS (SUBJECT)]", b"Subject: (x)", "FLAGS", []]
    assert peek.data("FETCH") == [["2", "FETCH", fetched]]


def test_hardened_the_answer_may_come_in_any_pieces():
    said = b'* LIST () "/" {3}\r\na"b\r\n* LIST () "/" c\r\n'

    async def go(size):
        ours = hardened()
        task = await begun(ours.folders())
        whole = said + f"{last_tag(ours)} OK done\r\n".encode()
        for place in range(0, len(whole), size):
            ours.data_received(whole[place : place + size])
        await turns(10)
        return [values[3] for values in task.result().data("LIST")]

    assert {tuple(run(go(size))) for size in range(1, 70)} == {(b'a"b', "c")}


def heard(protocol, caplog):
    with caplog.at_level(logging.DEBUG):
        protocol.data_received(b"* 1 FETCH (canary)\r\n")
    return "canary" in caplog.text


def test_bare_all_that_is_heard_is_logged(caplog, monkeypatch):
    async def go():
        return heard(bare(), caplog)

    monkeypatch.setattr(logging.getLogger("aioimaplib.aioimaplib"), "level", logging.NOTSET)
    monkeypatch.setattr(logging.getLogger("aioimaplib"), "level", logging.NOTSET)
    logging.getLogger("aioimaplib.aioimaplib")._cache.clear()
    assert run(go())
    logging.getLogger("aioimaplib.aioimaplib")._cache.clear()


def test_hardened_nothing_that_is_heard_is_logged(caplog):
    async def go():
        return heard(hardened(), caplog)

    assert not run(go())


# -- what it will not do -----------------------------------------------------


@pytest.mark.parametrize("name", sorted(set(Commands) - READING))
def test_hardened_a_command_that_could_change_something_is_not_sent(name):
    async def go():
        ours = hardened()
        with pytest.raises(ValueError, match="only reads"):
            await ours.execute(Command(name, "T1", loop=ours.loop))
        return bytes(ours.transport.written)

    assert run(go()) == b""


@pytest.mark.parametrize("item", ["BODY[]", "RFC822", "RFC822.TEXT", "BODY[HEADER.FIELDS (SUBJECT)]"])
def test_hardened_nothing_is_fetched_that_marks_a_message(item):
    async def go():
        ours = hardened()
        with pytest.raises(ValueError, match="as seen"):
            await ours.peek("1", "UID", item)

    run(go())
