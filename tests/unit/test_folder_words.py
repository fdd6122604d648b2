"""How pages put into words what a mailbox holds."""

import uuid

import pytest

from cluster.models import Job
from cluster.templatetags.folders import folder_facts, folder_list, size, suggestions
from cluster.templatetags.stages import depth_words, headline, stage_label, stage_rows
from core.templatetags.postern import as_words, field_labels

TAKEN = {"uid": 12, "date": "2026-11-03T10:12:00Z", "size": 14_200}
INBOX = {"folder": "INBOX", "pull": "GET_FIRST_UNREAD_MESSAGE", "disposition": "KEEP", "messages": 120, "unread": 3}
DROP = {"folder": "INBOX", "pull": "GET_FIRST_MESSAGE", "disposition": "DELETE", "messages": 2, "size": 4_096}


def job(store_type="IMAP", **changes):
    definition = {
        "store_type": store_type,
        "connection_security": "SSL_TLS",
        "authentication_type": "BASIC",
        "username": "orders",
    }
    return Job(**{"definition": definition, "state": "finished", "verdict": "success", "depth": "full", **changes})


def facts(evidence, store_type="IMAP", outcome="ok"):
    return [str(line) for line in folder_facts({"outcome": outcome, "evidence": evidence}, job(store_type))]


@pytest.mark.parametrize(
    ("evidence", "lines"),
    [
        (INBOX | {"would_take": TAKEN}, ["120 messages, 3 unread.", "UID 12 of 3 Nov 2026 10:12 UTC, 14 kB"]),
        (INBOX | {"messages": 1, "unread": 1, "would_take": {"uid": 7}}, ["1 message, 1 unread.", "take UID 7."]),
        (INBOX | {"unread": 0, "would_take": None}, ["120 messages, 0 unread.", "No message to take: none is unread."]),
        (INBOX | {"messages": 0, "unread": 0, "would_take": None}, ["0 messages", "No message to take: it is empty."]),
        (
            INBOX | {"unread": None, "would_take": None, "searched": 100_000},
            ["120 messages.", "among the 100,000 that were looked at: none of them is unread."],
        ),
        (
            INBOX | {"pull": "GET_LAST_MESSAGE", "would_take": None},
            ["120 messages", "The server does not tell which message a poll would take."],
        ),
        (
            INBOX | {"would_take": TAKEN, "disposition": "DELETE", "rights": "lr", "rights_missing": ["e", "t"]},
            [
                "120 messages",
                "UID 12",
                "Missing rights: e (remove what is marked as deleted) and t (mark messages as deleted).",
            ],
        ),
        (
            INBOX | {"would_take": TAKEN, "disposition": "SEEN", "rights": "lrs"},
            ["120 messages", "UID 12", "The account may mark messages as read here."],
        ),
        (
            INBOX | {"would_take": TAKEN, "disposition": "SEEN"},
            ["120 messages", "UID 12", "Whether the account may mark messages as read is not known"],
        ),
    ],
)
def test_a_folder_is_told_in_sentences(evidence, lines):
    told = facts(evidence)
    assert [part in line for line, part in zip(told, lines, strict=True)] == [True] * len(lines)


def test_a_maildrop_has_no_folders_no_unread_and_no_rights():
    would_take = {"number": 1, "uid": "000001", "size": 900, "date": None}
    assert facts(DROP | {"would_take": would_take}, "POP3") == [
        "2 messages, 4.1 kB in all.",
        "A poll would take message 1 (UID 000001), 900 bytes.",
    ]


def test_the_name_of_a_folder_is_isolated_and_escaped():
    name = "<b>البريد</b>"
    assert facts(INBOX | {"folder": name, "would_take": TAKEN})[0].startswith("<bdi>&lt;b&gt;البريد&lt;/b&gt;</bdi>: ")


def test_of_a_folder_that_is_not_there_nothing_is_counted():
    assert facts({"nearest": [], "separator": "."}, outcome="failed") == [
        "This server separates the parts of a name with <bdi>.</bdi>"
    ]
    assert facts({"nearest": ["Orders"], "separator": "."}, outcome="failed") == []


def test_each_of_the_nearest_folders_is_proposed():
    assert suggestions({"evidence": {"nearest": ["Orders", "Order"], "suggestion": {"folder": "Orders"}}}) == [
        {"folder": "Orders"},
        {"folder": "Order"},
    ]
    assert suggestions({"evidence": {"suggestion": {"port": 993}}}) == [{"port": 993}]
    assert suggestions({}) == []


def test_folders_are_listed_by_name_with_the_inbox_first():
    names = ["b", "A", "inbox", "INBOX/x"]
    folders = [{"name": name, "separator": "/", "selectable": True} for name in names]
    listed = folder_list(job(stages=[{"name": "folder", "evidence": {"folders": folders, "listed": 7}}]))
    assert [folder["name"] for folder in listed["folders"]] == ["inbox", "A", "b", "INBOX/x"]
    assert (listed["total"], listed["left_out"], listed["many"]) == (7, 3, False)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (None, ""),
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_400, "1.4 kB"),
        (14_200, "14 kB"),
        (2_300_000, "2.3 MB"),
        (5_000_000_000, "5,000 MB"),
    ],
)
def test_a_size_is_short_and_has_its_unit(number, words):
    assert size(number) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Connection successful"),
        ({"depth": "tls"}, "Works as far as TLS"),
        ({"depth": "login", "verdict": "warning"}, "Works as far as the sign-in, with a warning"),
        ({"kind": "folder_list"}, "Folders listed"),
        ({"kind": "folder_list", "verdict": "warning"}, "Folders listed"),
        (
            {"kind": "folder_list", "verdict": "failure", "failed_stage": "folder"},
            "No folders listed: failed at Folders",
        ),
        ({"verdict": "failure", "failed_stage": "capabilities"}, "Connection failed at Capabilities"),
        ({"kind": "folder_list", "state": "cancelled", "verdict": None}, "Cancelled: no folders listed"),
    ],
)
def test_what_stands_first_says_what_was_asked_and_how_far(changes, words):
    assert headline(job(**changes))["text"] == words


def test_smtp_says_hello_and_mailboxes_have_capabilities():
    assert [stage_label("capabilities", each) for each in (None, job(""), job("POP3"))] == [
        "EHLO",
        "EHLO",
        "Capabilities",
    ]


@pytest.mark.parametrize(
    ("depth", "kind", "coming"),
    [
        ("full", "configuration_test", ["greeting", "capabilities", "auth", "folder", "quit"]),
        ("login", "configuration_test", ["greeting", "capabilities", "auth", "quit"]),
        ("tls", "configuration_test", ["greeting", "capabilities", "quit"]),
        ("login", "folder_list", ["greeting", "capabilities", "auth", "folder", "quit"]),
    ],
)
def test_a_running_test_shows_what_is_still_to_come(depth, kind, coming):
    done = [{"name": name, "outcome": "ok"} for name in ("resolve", "connect", "tls", "trust", "hostname")]
    running = job(depth=depth, kind=kind, state="running", verdict=None, stages=done)
    assert [row["name"] for row in stage_rows(running)][len(done) :] == coming


def test_a_definition_that_no_stage_is_known_of_shows_none():
    assert stage_rows(Job(id=uuid.uuid4(), state="running", depth="full", definition={"host": "h"})) == []


def test_every_depth_has_its_words():
    assert [depth_words(depth) for depth in ("connect", "tls", "login", "full")] == [
        "up to the server, no TLS",
        "up to TLS, no sign-in",
        "up to the sign-in",
        "all of it",
    ]


def test_what_is_proposed_has_the_words_of_the_form():
    assert as_words({"pull_disposition": "GET_FIRST_MESSAGE"}) == "pull disposition: First (oldest) message"
    assert as_words({"folder": "Orders/2026", "port": 993}) == "folder Orders/2026, port 993"
    assert as_words({"match_server_hostname": False, "made_up": 1}) == "match server hostname off, made up 1"
    assert field_labels(["ssl_protocols", "trust"]) == "SSL protocols, trust"
