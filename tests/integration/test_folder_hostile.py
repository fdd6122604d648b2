"""IMAP folders and lists of folders that are not what they should be, and what is told of them."""

import asyncio
from collections import Counter

import pytest

from steng.probe import imap_folder, probe, utf7
from steng.probe.mailbox import MAX_LISTED, MAX_LISTED_BYTES
from steng.wire import Mailbox, Pull, Purpose
from tests.lab.asking import PASSWORD, ask, find, run, stage_of
from tests.lab.hostile import HostileServer
from tests.mailbox_talk import CAPABLE, IMAP, tag_of, talk


def signed_in(*answers, then="hang"):
    """Return a script that lets anybody in and answers what follows: the tag of each line for %0, %1, %2..."""

    async def script(peer):
        await talk(peer, IMAP)
        await peer.say(f"{tag_of(await peer.hear())} OK [CAPABILITY {CAPABLE}] in")
        # All five questions come before the first is answered: it is one round trip.
        heard = [tag_of(await peer.hear()) for _ in range(5)]
        for answer in answers:
            for place, tag in enumerate(heard):
                answer = answer.replace(f"%{place}", tag)  # noqa: PLW2901
            await peer.say(answer)
        await getattr(peer, then)()

    return script


WHOLE = ("%0 OK", "* 1 EXISTS", "%1 OK", "%2 OK", "%3 OK")
MAILBOXES = {
    "nothing but garbage": (("garbage",), "hang", "protocol_error"),
    "goodbye": (("* BYE too long",), "hang", "closed"),
    "gone": (("%0 OK",), "close", "closed"),
    "a literal of a gigabyte": (("* 1 FETCH (UID 1 BODY[] {1000000000}",), "hang", "too_much_data"),
    "ten thousand lines": (("* 1 RECENT\r\n" * 10_001,), "hang", "too_much_data"),
    "a line of 70,000 bytes": (("* OK " + "x" * 70_000,), "hang", "too_much_data"),
    "not permitted": (("%0 OK", "%1 NO [NOPERM] no", "%2 BAD", "%3 BAD", "%4 BAD"), "hang", "folder_not_permitted"),
    "not now": (("%0 OK", "%1 NO [UNAVAILABLE] no", "%2 BAD", "%3 BAD", "%4 BAD"), "hang", "folder_unavailable"),
    "in use": (("%0 OK", "%1 NO [INUSE] no", "%2 BAD", "%3 BAD", "%4 BAD"), "hang", "mailbox_in_use"),
    "nonsense for a message": ((*WHOLE, "* 1 FETCH (UID x))) (", "%4 OK"), "hang", None),
    "silence": (("%0 OK",), "hang", "timeout"),
}


@pytest.mark.parametrize(("said", "then", "code"), MAILBOXES.values(), ids=MAILBOXES)
def test_a_strange_mailbox_is_told(said, then, code):
    timeout = 400 if code == "timeout" else 20_000
    finding = find(signed_in(*said, then=then), protocol=IMAP, mechanism="PLAIN", timeout_ms=timeout)
    stage = stage_of(finding.report, "folder")
    assert stage.code == code
    if code is None:
        assert (stage.evidence["messages"], stage.evidence["would_take"]) == (1, None)


def test_what_a_mailbox_holds_is_neither_in_the_transcript_nor_in_the_evidence():
    message = 'UID 7 INTERNALDATE "14-Nov-2023 22:13:20 +0000" RFC822.SIZE 9 BODY[HEADER.FIELDS (SUBJECT)]<0> '
    said = (*WHOLE, f"* 1 FETCH ({message}{{15}}\r\nSubject: canary)", "%4 OK")
    mailbox = Mailbox(show_subject=True, pull=Pull.GET_FIRST_MESSAGE)
    finding = find(signed_in(*said), protocol=IMAP, mechanism="PLAIN", mailbox=mailbox)
    assert dict(finding.report.aside) == {"subject": "canary"}
    assert "canary" not in str((finding.report.stages, finding.report.transcript))
    taken = {"uid": 7, "date": "2023-11-14T22:13:20Z", "size": 9}
    assert stage_of(finding.report, "folder").evidence["would_take"] == taken


def test_a_folder_named_like_the_password_is_not_told():
    async def script(peer):
        await talk(peer, IMAP)
        await peer.say(f"{tag_of(await peer.hear())} OK [CAPABILITY {CAPABLE}] in")
        tag = tag_of(await peer.hear())
        quoted = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
        await peer.say(f'* LIST () "/" "x{quoted}"', '* LIST () "/" good', f"{tag} OK")
        await peer.hang()

    finding = find(script, protocol=IMAP, mechanism="PLAIN", purpose=Purpose.FOLDERS)
    assert stage_of(finding.report, "folder").evidence["folders"] == [
        {"name": "x<redacted>", "separator": "/", "selectable": False},
        {"name": "good", "separator": "/", "selectable": True},
    ]


def test_of_too_many_folders_a_thousand_are_told():
    async def script(peer):
        await talk(peer, IMAP)
        await peer.say(f"{tag_of(await peer.hear())} OK [CAPABILITY {CAPABLE}] in")
        tag = tag_of(await peer.hear())
        await peer.say(*(f'* LIST () "/" {"n" * 40}{number}' for number in range(3_000)), f"{tag} OK")
        await peer.hang()

    evidence = stage_of(
        find(script, protocol=IMAP, mechanism="PLAIN", purpose=Purpose.FOLDERS).report, "folder"
    ).evidence
    assert (len(evidence["folders"]), evidence["listed"]) == (1_000, 3_000)


def listing(*answers, examine="OK"):
    """Return a script that lets anybody in, answers EXAMINE and all else with a status, and LIST with `answers`."""

    async def script(peer):
        await talk(peer, IMAP)
        while line := await peer.hear():
            tag, verb, *_ = line.split()
            if verb == "LIST":
                await peer.say(*answers)
            await peer.say(f"{tag} {examine if verb == 'EXAMINE' else f'OK [CAPABILITY {CAPABLE}] in'}")

    return script


SHIFTS = [f'* LIST () "/" "{"&AOQ-" * 70}{number}"' for number in range(9_000)]
ASKED = {
    "all folders are listed": {"purpose": Purpose.FOLDERS},
    "the nearest are looked for": {"mailbox": Mailbox(folder="nowhere")},
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_however_many_names_a_server_lists_few_are_looked_at_and_others_have_their_turn(asked, monkeypatch):
    turn = 0
    seen = {"answers": Counter(), "names": Counter(), "compared": Counter()}

    def counted(module, attribute, kind, size=lambda *_: 1):
        function = getattr(module, attribute)

        def counting(*arguments):
            seen[kind][turn] += size(*arguments)
            return function(*arguments)

        monkeypatch.setattr(module, attribute, counting)

    async def others():
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    async def go():
        ticking = asyncio.ensure_future(others())
        try:
            async with HostileServer(listing(*SHIFTS, examine="NO [NONEXISTENT] no")) as server:
                report = await probe(ask(server.port, protocol=IMAP, mechanism="PLAIN", **asked))
                await server.gone()
                return stage_of(report, "folder")
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)

    counted(imap_folder, "values_of", "answers")
    counted(utf7, "decode", "names")
    counted(imap_folder, "promising", "compared", lambda _, names: len(names))
    stage = run(go())
    if "purpose" in asked:
        assert (stage.code, stage.evidence["listed"]) == (None, 9_000)
        assert 0 < len(stage.evidence["folders"]) <= imap_folder.MAX_FOLDERS
        assert not seen["compared"]
    else:
        assert (stage.code, stage.evidence["nearest"]) == ("folder_not_found", [])
        assert len(seen["compared"]) == imap_folder.MAX_FOLDERS / imap_folder.TURN
        # A hundred and the few most promising before them.
        assert max(seen["compared"].values()) <= imap_folder.TURN + 20
    assert seen["answers"].total() == MAX_LISTED
    assert seen["names"].total() == imap_folder.MAX_FOLDERS
    assert max(seen["answers"].values()) <= imap_folder.TURN
    assert max(seen["names"].values()) <= imap_folder.TURN


def test_of_long_lines_in_a_list_only_a_megabyte_is_read():
    answers = [f'* LIST () "/" "{"n" * 60_000}{number}"' for number in range(40)]
    finding = find(listing(*answers), protocol=IMAP, mechanism="PLAIN", purpose=Purpose.FOLDERS)
    evidence = stage_of(finding.report, "folder").evidence
    assert (len(evidence["folders"]), evidence["listed"]) == (MAX_LISTED_BYTES // 60_000, 40)
    assert {folder["selectable"] for folder in evidence["folders"]} == {False}


LONG = {
    "plain": ("n" * 501, "n" * 400),
    "within a shift": ("n" * 497 + "&AOQA5ADk-", "n" * 400),
    "of shifts": ("&AOQ-" * 101, "ä" * 20),
}


@pytest.mark.parametrize(("name", "begin"), LONG.values(), ids=LONG)
def test_a_folder_with_an_endless_name_is_shown_cut_and_cannot_be_chosen(name, begin):
    script = listing(f'* LIST () "/" "{name}"', f'* LIST () "/" "{"n" * 500}"')
    finding = find(script, protocol=IMAP, mechanism="PLAIN", purpose=Purpose.FOLDERS)
    cut, whole = stage_of(finding.report, "folder").evidence["folders"]
    assert cut["name"].startswith(begin)
    assert cut["name"].endswith("…")
    assert "&" not in cut["name"]
    assert (cut["selectable"], whole["selectable"], whole["name"]) == (False, True, "n" * 500)


def test_where_a_name_is_cut_no_begin_of_the_password_is_left():
    quoted = PASSWORD.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"').decode()
    for before in range(500 - len(PASSWORD.encode()), 500):
        finding = find(
            listing(f'* LIST () "/" "{"n" * before}{quoted}"'),
            protocol=IMAP,
            mechanism="PLAIN",
            purpose=Purpose.FOLDERS,
        )
        (folder,) = stage_of(finding.report, "folder").evidence["folders"]
        assert PASSWORD[:3] not in folder["name"]


def test_a_folder_that_is_listed_late_and_refused_is_not_said_to_be_missing():
    names = [f'* LIST () "/" n{number}' for number in range(1_500)]
    script = listing(*names, '* LIST () "/" "Entw&APw-rfe"', examine="NO no")
    finding = find(script, protocol=IMAP, mechanism="PLAIN", mailbox=Mailbox(folder="Entwürfe"))
    assert finding.told == ("folder", "folder_not_permitted")
