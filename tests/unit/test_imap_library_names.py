"""aioimaplib bare and hardened: names, what it does not know, what it logs, and what it will not do."""

import logging

import pytest
from aioimaplib.aioimaplib import Abort, Command, Commands

from steng.probe.mailbox import READING, together
from tests.imap_library import bare, begun, dropped, hardened, last_tag, tags, turns
from tests.lab.asking import run

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
