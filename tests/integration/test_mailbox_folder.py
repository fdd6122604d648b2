"""The folder of a real mailbox: what is in it, which message a job would take, what may be done with it."""

import json

import pytest

from steng.__main__ import main
from steng.probe import imap_folder
from steng.wire import Disposition, Mailbox, Pull, Purpose, to_json
from tests.integration.test_mailbox_login import asked, examine
from tests.lab.asking import outcomes, stage_of

pytestmark = pytest.mark.postfix

USER = "agent10"
ODD = [
    "Entwürfe",
    "台北/日本語",
    "R&D",
    'quote"d',
    "back\\slash",
    "😀 smile",
    "a b  c",
    "100%",
    "* star",
    "{3}",
    "&",
    "til~de",
]


def message(number, subject=None):
    date = f"Date: Wed, {14 + number} Nov 2023 10:00:00 +0100\r\n"
    return f"{date}Subject: {subject or f'Order {number}'}\r\n\r\nbody {number}\r\n".encode()


ENCODED = "=?utf-8?b?5rOo5paH?= =?utf-8?q?_n=C2=B0_7?= (x"
KNOWN = [(message(1), "S"), (message(2), ""), (message(3, ENCODED), ""), (message(4), "S")]


@pytest.fixture(scope="module")
def stocked(lab):
    lab.dovecot.put(USER, "INBOX", *KNOWN)
    for name in ODD:
        lab.dovecot.put(USER, name, *KNOWN[:2])
    lab.dovecot.put(USER, "Read", KNOWN[0])
    lab.dovecot.mailbox(USER, "Empty")
    for name, rights in {"Look": "lr", "Mark": "lrs", "Hidden": "", "Closed": "l"}.items():
        lab.dovecot.put(USER, name, KNOWN[1])
        lab.dovecot.rights(USER, name, rights)
    return lab


def look(lab, protocol="IMAP", **values):
    mailbox = Mailbox(**({"pull": Pull.GET_FIRST_MESSAGE} | values))
    return examine(lab, protocol, "SSL_TLS", username=USER, mailbox=mailbox)


def folder_of(lab, *asking, **values):
    return stage_of(look(lab, *asking, **values), "folder")


def day(number):
    return f"2023-11-{14 + number}T22:13:20Z"


TAKEN = {
    "GET_FIRST_MESSAGE": 1,
    "GET_FIRST_UNREAD_MESSAGE": 2,
    "GET_LAST_UNREAD_MESSAGE": 3,
    "GET_LAST_MESSAGE": 4,
}
WITHOUT = {"with all": (), "without SEARCHRES": ("SEARCHRES",), "without ESEARCH": ("SEARCHRES", "ESEARCH")}


@pytest.fixture(params=WITHOUT.values(), ids=WITHOUT)
def extensions(request, monkeypatch):
    """Let the probe overlook extensions that the server has, as if it had not."""
    has = imap_folder._Look._has
    monkeypatch.setattr(imap_folder._Look, "_has", lambda self, name: name not in request.param and has(self, name))


@pytest.mark.parametrize(("pull", "number"), TAKEN.items())
def test_the_message_that_a_job_would_take_is_named(stocked, extensions, pull, number):
    stage = folder_of(stocked, pull=Pull(pull))
    assert (stage.outcome, stage.code) == ("ok", None)
    assert {name: stage.evidence[name] for name in ("folder", "messages", "unread", "would_take")} == {
        "folder": "INBOX",
        "messages": 4,
        "unread": 2,
        "would_take": {"uid": number, "date": day(number - 1), "size": len(KNOWN[number - 1][0])},
    }


@pytest.mark.parametrize(("folder", "messages"), [("Read", 1), ("Empty", 0)])
@pytest.mark.parametrize("pull", ["GET_FIRST_UNREAD_MESSAGE", "GET_LAST_UNREAD_MESSAGE"])
def test_where_nothing_is_unread_nothing_would_be_taken(stocked, extensions, folder, messages, pull):
    evidence = folder_of(stocked, folder=folder, pull=Pull(pull)).evidence
    assert (evidence["messages"], evidence["unread"], evidence["would_take"]) == (messages, 0, None)


def test_in_an_empty_folder_there_is_no_last_message(stocked, extensions):
    evidence = folder_of(stocked, folder="Empty", pull=Pull.GET_LAST_MESSAGE).evidence
    assert (evidence["messages"], evidence["would_take"]) == (0, None)


@pytest.mark.parametrize("folder", ODD)
def test_a_folder_of_any_name_is_opened(stocked, folder):
    stage = folder_of(stocked, folder=folder)
    assert (stage.outcome, stage.evidence["folder"], stage.evidence["messages"]) == ("ok", folder, 2)


@pytest.mark.parametrize("protocol", ["IMAP", "POP3"])
def test_the_subject_is_told_aside_and_nowhere_else(stocked, protocol):
    pull = Pull.GET_FIRST_UNREAD_MESSAGE if protocol == "IMAP" else Pull.GET_LAST_MESSAGE
    stocked.dovecot.put("agent11", "INBOX", (message(1, ENCODED), ""))
    mailbox = Mailbox(pull=pull, show_subject=True)
    report = examine(stocked, protocol, "SSL_TLS", username="agent11", mailbox=mailbox)
    assert dict(report.aside) == {"subject": "注文 n° 7 (x"}
    assert [stage.evidence.get("subject_available") for stage in report.stages if stage.name == "folder"] == [True]
    assert "注文" not in str((report.stages, report.transcript))
    assert "=?utf-8" not in str((report.stages, report.transcript))


@pytest.mark.parametrize("protocol", ["IMAP", "POP3"])
def test_the_subject_is_not_asked_for_where_nobody_may_see_it(stocked, protocol):
    report = look(stocked, protocol)
    assert dict(report.aside) == {}
    assert "SUBJECT" not in str(report.transcript)
    assert "subject_available" not in str(report.stages)


@pytest.mark.parametrize("protocol", ["IMAP", "POP3"])
def test_a_message_without_a_subject_is_said_to_have_none(stocked, protocol):
    stocked.dovecot.put("agent47", "INBOX", (b"From: sender@lab.test\r\n\r\nNo subject.\r\n", ""))
    pull = Pull.GET_FIRST_UNREAD_MESSAGE if protocol == "IMAP" else Pull.GET_LAST_MESSAGE
    mailbox = Mailbox(pull=pull, show_subject=True)
    report = examine(stocked, protocol, "SSL_TLS", username="agent47", mailbox=mailbox)
    told = [stage.evidence.get("subject_available") for stage in report.stages if stage.name == "folder"]
    assert (dict(report.aside), told) == ({}, [False])


RIGHTS = [
    ("Look", "KEEP", None),
    ("Look", "SEEN", ["s"]),
    ("Look", "DELETE", ["e", "t"]),
    ("Mark", "SEEN", None),
    ("Mark", "DELETE", ["e", "t"]),
    ("INBOX", "DELETE", None),
]


@pytest.mark.parametrize(("folder", "disposition", "missing"), RIGHTS)
def test_rights_that_the_disposition_needs_and_the_account_lacks_are_a_warning(stocked, folder, disposition, missing):
    stage = folder_of(stocked, folder=folder, disposition=Disposition(disposition))
    assert stage.code == ("folder_rights_missing" if missing else None)
    assert stage.evidence.get("rights_missing") == missing
    assert stage.field == ("disposition" if missing else None)


LOST = {
    "a slip": ("Entwurfe", "Entwürfe"),
    "another case": ("read", "Read"),
    "another separator": ("台北.日本語", "台北/日本語"),
    "the way to it forgotten": ("日本語", "台北/日本語"),
}


@pytest.mark.parametrize(("wanted", "meant"), LOST.values(), ids=LOST)
def test_of_a_folder_that_is_not_there_the_nearest_are_told(stocked, wanted, meant):
    stage = folder_of(stocked, folder=wanted)
    assert (stage.outcome, stage.code, stage.field) == ("failed", "folder_not_found", "folder")
    assert (stage.evidence["nearest"][0], stage.evidence["separator"]) == (meant, "/")
    assert stage.evidence["suggestion"] == {"folder": meant}


def test_of_a_folder_like_no_other_nothing_is_suggested(stocked):
    stage = folder_of(stocked, folder="Zzyzx/Qwfpgj")
    assert (stage.code, stage.evidence["nearest"]) == ("folder_not_found", [])
    assert "suggestion" not in stage.evidence


@pytest.mark.parametrize(("folder", "code"), [("Closed", "folder_not_permitted"), ("Hidden", "folder_not_found")])
def test_a_folder_that_may_not_be_opened_is_told(stocked, folder, code):
    stage = folder_of(stocked, folder=folder)
    assert (stage.outcome, stage.code) == ("failed", code)


def test_after_a_missing_folder_leave_is_taken_in_order(stocked):
    report = look(stocked, folder="nowhere")
    assert outcomes(report)[-2:] == ["folder:failed", "quit:skipped"]
    assert report.transcript[-1].text.endswith(" LOGOUT")


def test_all_folders_are_listed(stocked):
    report = examine(stocked, "IMAP", "SSL_TLS", username=USER, purpose=Purpose.FOLDERS, depth="connect")
    folders = stage_of(report, "folder").evidence["folders"]
    assert folders[0] == {"name": "INBOX", "separator": "/", "selectable": True}
    assert {folder["name"] for folder in folders if folder["selectable"]} >= {*ODD, "Read", "Empty", "Look"}
    assert {"name": "台北", "separator": "/", "selectable": False} in folders
    assert report.verdict == "success"


def test_a_listed_folder_can_be_opened_by_the_name_that_is_told(stocked):
    report = examine(stocked, "IMAP", "SSL_TLS", username=USER, purpose=Purpose.FOLDERS)
    names = [folder["name"] for folder in stage_of(report, "folder").evidence["folders"] if folder["selectable"]]
    assert [folder_of(stocked, folder=name).code for name in names if name != "Closed"] == [None] * (len(names) - 1)


def test_pop3_lists_its_one_mailbox(stocked):
    report = examine(stocked, "POP3", "SSL_TLS", username=USER, purpose=Purpose.FOLDERS)
    assert stage_of(report, "folder").evidence["folders"] == [{"name": "INBOX", "separator": "", "selectable": True}]


@pytest.mark.parametrize(("pull", "number"), [("GET_FIRST_MESSAGE", 1), ("GET_LAST_MESSAGE", 4)])
def test_pop3_counts_and_names_the_message(stocked, pull, number):
    evidence = folder_of(stocked, "POP3", pull=Pull(pull)).evidence
    size = sum(len(text) for text, _ in KNOWN)
    assert (evidence["folder"], evidence["messages"], evidence["size"]) == ("INBOX", 4, size)
    taken = dict(evidence["would_take"])
    assert taken.pop("uid")
    assert taken == {"number": number, "date": f"2023-11-{14 + number}T09:00:00Z", "size": len(KNOWN[number - 1][0])}


def test_pop3_with_nothing_in_it_takes_nothing(lab):
    evidence = stage_of(examine(lab, "POP3", "SSL_TLS", username="agent12"), "folder").evidence
    assert (evidence["messages"], evidence["would_take"]) == (0, None)


IMPOSSIBLE = {
    "folder": {"folder": "Sent"},
    "disposition": {"disposition": Disposition.SEEN},
    "pull_disposition": {"pull": Pull.GET_FIRST_UNREAD_MESSAGE},
}


@pytest.mark.parametrize(("field", "values"), IMPOSSIBLE.items())
def test_what_pop3_cannot_do_is_refused_before_anything_is_sent(lab, field, values):
    stage = look(lab, "POP3", **values).telling_stage
    assert (stage.name, stage.code, stage.field) == ("resolve", "not_supported_by_this_steng", field)


@pytest.mark.parametrize(("pull", "number"), [("GET_FIRST_UNREAD_MESSAGE", 2), ("GET_LAST_UNREAD_MESSAGE", 3)])
def test_a_large_folder_is_searched_window_by_window(stocked, monkeypatch, pull, number):
    has = imap_folder._Look._has
    monkeypatch.setattr(imap_folder._Look, "_has", lambda self, name: name == "ACL" and has(self, name))
    monkeypatch.setattr(imap_folder, "_UNSEEN", "none")
    monkeypatch.setattr(imap_folder, "WINDOW", 1)
    assert folder_of(stocked, pull=Pull(pull)).evidence["would_take"]["uid"] == number
    monkeypatch.setattr(imap_folder, "MAX_WINDOWS", 1)
    evidence = folder_of(stocked, pull=Pull(pull)).evidence
    assert (evidence["would_take"], evidence["unread"], evidence["searched"]) == (None, 2, 1)


@pytest.mark.parametrize("protocol", ["IMAP", "POP3"])
def test_without_a_console_a_mailbox_is_tested_too(lab, protocol, tmp_path, capsys):
    file = tmp_path / "request.json"
    file.write_text(json.dumps(to_json(asked(lab, protocol, "STARTTLS"))))
    assert main(["probe", str(file)]) == 0
    stages = json.loads(capsys.readouterr().out)["stages"]
    assert [stage["outcome"] for stage in stages if stage["name"] == "folder"] == ["ok"]
