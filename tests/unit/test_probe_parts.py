"""The pure parts of the probe: replies, transcript, mechanisms, egress, plans."""

import base64
import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from steng.codes import CODES
from steng.plan import plan_of
from steng.probe import sasl
from steng.probe import transcript as transcripts
from steng.probe.egress import refusal
from steng.probe.failure import ProbeFailure, reading_of
from steng.probe.lookalike import looks_like
from steng.probe.replies import ReplyReader, enhanced_status
from steng.probe.transcript import MAX_LINES, MAX_TOTAL, Redactor, Transcript
from steng.text import visible
from steng.wire import Egress, Mechanism, Protocol
from tests.lab.asking import PASSWORD, USER, ask

# -- replies -----------------------------------------------------------------


def replies(*chunks):
    """Return what a reader makes of some bytes: replies as pairs, at last the code of a failure."""
    reader = ReplyReader(lambda line: None)
    found = []
    try:
        for chunk in chunks:
            reader.feed(chunk)
            while (reply := reader.next()) is not None:
                found.append((reply.code, reply.message))
    except ProbeFailure as failure:
        found.append(failure.code)
    return found


REPLIES = {
    "one line": (b"220 mail\r\n", [(220, "mail")]),
    "a code alone": (b"220\r\n", [(220, "")]),
    "several lines": (b"250-a\r\n250-b\r\n250 c\r\n", [(250, "a\nb\nc")]),
    "two replies": (b"250 a\r\n354 b\r\n", [(250, "a"), (354, "b")]),
    "a bare line feed": (b"250 a\n", [(250, "a")]),
    "half a reply": (b"250-a\r\n250", []),
    "a word": (b"hello\r\n", ["protocol_error"]),
    "an empty line": (b"\r\n", ["protocol_error"]),
    "a code without a blank": (b"250a\r\n", ["protocol_error"]),
    "four digits": (b"2500 a\r\n", ["protocol_error"]),
}


@pytest.mark.parametrize(("data", "expected"), REPLIES.values(), ids=REPLIES)
def test_replies_are_read(data, expected):
    assert replies(data) == expected


@given(some.lists(some.sampled_from([b"2", b"5", b"0", b" ", b"-", b"a", b"\r\n", b"\n", b"\0", b"\xff"]), max_size=40))
def test_bytes_mean_the_same_however_they_arrive(parts):
    data = b"".join(parts)
    whole, single = replies(data), replies(*(data[place : place + 1] for place in range(len(data))))
    assert [each for each in whole if isinstance(each, tuple)] == [each for each in single if isinstance(each, tuple)]
    assert whole == single


@given(some.binary(max_size=300))
def test_any_bytes_give_replies_or_a_code_of_the_catalogue(data):
    assert all(isinstance(each, tuple) or each in CODES for each in replies(data))


@pytest.mark.parametrize(
    ("text", "status"), [("5.7.8 no", "5.7.8"), ("2.0.0", "2.0.0"), ("no 5.7.8", ""), ("1.2.3 x", ""), ("", "")]
)
def test_the_enhanced_status_stands_at_the_beginning(text, status):
    assert enhanced_status(text) == status


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"HTTP/1.1 400", "HTTP"),
        (b"<!DOCTYPE html>", "HTTP"),
        (b"SSH-2.0-x", "SSH"),
        (b"* OK IMAP", "IMAP"),
        (b"+OK POP", "POP3"),
        (b"220 mail", "SMTP"),
        (b"220-mail", "SMTP"),
        (b"\x15\x03\x01\x00\x02", "TLS"),
        (b"\x16\x03\x03\x00\x02", "TLS"),
        (b"hello", None),
        (b"", None),
    ],
)
def test_a_protocol_is_known_by_its_first_bytes(data, name):
    assert looks_like(data) == name


# -- transcript --------------------------------------------------------------


def test_text_is_shown_with_what_cannot_be_seen():
    assert visible("a\x00\u202e\u200b\U000e0041é漢") == "a\\x00\\u202e\\u200b\\U000e0041é漢"
    assert visible(b"\xff".decode("utf-8", "surrogateescape")) == "\\xff"
    assert visible("x" * 9, 3) == "xxx…"


LETTERS = some.text("xyzé漢", min_size=3, max_size=40)


@given(LETTERS, some.text("0123456789 \0\u202e", max_size=20), some.text("0123456789<> ", max_size=20))
def test_no_password_comes_through(password, before, after):
    redactor = Redactor()
    redactor.hide(USER, password)
    assert redactor.clean(f"{before}{password.upper()}{after}") == f"{visible(before)}<redacted>{after}"


@given(some.binary(max_size=5), some.binary(max_size=5))
def test_no_password_comes_through_in_the_middle_of_base64(before, after):
    redactor = Redactor()
    redactor.hide(USER, PASSWORD)
    text = base64.b64encode(before + PASSWORD.encode() + after).decode()
    assert "<redacted>" in redactor.clean(text)


# Each letter here is another in some case: the long s, the Kelvin sign, the Turkish i, the two small sigmas.
CASES = "asSſkK\u212aiIİıσς ß"


@given(some.lists(some.text(CASES, min_size=1, max_size=4), min_size=1, max_size=4), some.text(CASES, max_size=12))
def test_what_is_hidden_is_what_a_pattern_of_all_forms_finds(forms, text):
    redactor = Redactor()
    redactor.hide_text(*forms)
    longest_first = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
    assert redactor.clean(text) == visible(re.sub(longest_first, "<redacted>", text, flags=re.IGNORECASE))


@pytest.mark.parametrize(("form", "text"), [("task", "TA\u017f\u212a"), ("ta\u017f\u212a", "TASK"), ("task", "TaSk")])
def test_no_other_case_of_a_password_comes_through(form, text):
    redactor = Redactor()
    redactor.hide_text(form)
    assert redactor.clean(text) == "<redacted>"


def test_what_is_hidden_later_is_hidden_from_then_on():
    redactor = Redactor()
    redactor.hide(USER, "Tr0ub4dor")
    assert redactor.clean("tr0UB4dor answer") == "<redacted> answer"
    redactor.hide_text("ANSWER")
    assert redactor.clean("tr0UB4dor answer") == "<redacted> <redacted>"


def test_no_pattern_is_made_for_a_text_that_echoes_nothing(monkeypatch):
    monkeypatch.setattr(transcripts, "re", None)
    redactor = Redactor()
    redactor.hide(USER, "Tr0ub4dor")
    assert redactor.clean("250 2.1.0 Ok") == "250 2.1.0 Ok"


def transcript():
    return Transcript(Redactor(), iter(range(1_000_000)).__next__)


def test_a_transcript_ends_after_its_lines():
    full = transcript()
    for number in range(MAX_LINES * 2):
        full.received(str(number))
    lines = full.lines()
    assert len(lines) == MAX_LINES + 1
    assert lines[-1].text == "The rest of the conversation is left out."


def test_a_transcript_ends_after_its_characters():
    full = transcript()
    for _ in range(MAX_LINES):
        full.received("x" * 5_000)
    assert sum(len(line.text) for line in full.lines()) < MAX_TOTAL + 1_000


# -- mechanisms --------------------------------------------------------------

CHOICES = [
    ("AUTO", ("PLAIN", "LOGIN", "CRAM-MD5"), True, "PLAIN"),
    ("AUTO", ("LOGIN", "CRAM-MD5"), True, "LOGIN"),
    ("AUTO", ("CRAM-MD5", "GSSAPI"), True, "CRAM-MD5"),
    ("AUTO", ("plain", "cram-md5"), False, "CRAM-MD5"),
    ("LOGIN", ("PLAIN", "LOGIN"), False, "LOGIN"),
]


@pytest.mark.parametrize(("wanted", "offered", "encrypted", "name"), CHOICES)
def test_one_mechanism_is_chosen_by_what_is_offered(wanted, offered, encrypted, name):
    assert sasl.choose(Mechanism(wanted), sasl.Offer(Protocol.SMTP, offered), encrypted=encrypted).name == name


@pytest.mark.parametrize(
    ("wanted", "offered", "encrypted"),
    [("AUTO", ("GSSAPI",), True), ("AUTO", ("PLAIN", "LOGIN"), False), ("CRAM_MD5", ("PLAIN",), True)],
)
def test_no_mechanism_is_chosen_that_is_not_offered(wanted, offered, encrypted):
    with pytest.raises(ProbeFailure, match="mechanism_not_offered"):
        sasl.choose(Mechanism(wanted), sasl.Offer(Protocol.SMTP, offered), encrypted=encrypted)


# -- egress ------------------------------------------------------------------

PLACES = [
    ("192.0.2.1", None),
    ("10.0.0.1", None),
    ("2001:db8::1", None),
    ("127.0.0.1", "loopback"),
    ("::1", "loopback"),
    ("169.254.169.254", "link-local"),
    ("fe80::1", "link-local"),
    ("fd00:ec2::254", "metadata"),
    ("100.100.100.200", "metadata"),
    ("168.63.129.16", "metadata"),
    ("224.0.0.1", "multicast"),
    ("ff02::1", "multicast"),
    ("255.255.255.255", "multicast"),
    ("0.0.0.0", "unspecified"),
    ("0.1.2.3", "unspecified"),
    ("::", "unspecified"),
    ("::ffff:127.0.0.1", "loopback"),
    ("::ffff:10.0.0.1", None),
    ("::127.0.0.1", "loopback"),
    ("64:ff9b::169.254.169.254", "link-local"),
    ("64:ff9b::192.0.2.1", None),
    ("2002:7f00:1::", "loopback"),
    ("2002:c000:201::", None),
    ("2001:0:c000:201:0:0:80ff:fffe", "loopback"),
]


@pytest.mark.parametrize(("address", "reason"), PLACES)
def test_an_address_is_refused_for_a_reason(address, reason):
    assert refusal(ipaddress.ip_address(address), Egress()) == reason


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_loopback_may_be_allowed(address):
    assert refusal(ipaddress.ip_address(address), Egress(allow_loopback=True)) is None


# -- plans and readings ------------------------------------------------------


def test_a_plan_has_every_stage_of_its_security():
    assert [stage.value for stage in plan_of(ask(25, "STARTTLS", sender_address="a@b.test"))] == [
        *("resolve", "connect", "greeting", "capabilities", "starttls", "tls", "trust", "hostname"),
        *("capabilities", "auth", "sender", "quit"),
    ]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectionResetError(104, "reset"), "reset"),
        (BrokenPipeError(32, "pipe"), "reset"),
        (ConnectionResetError(), "closed"),
        (TimeoutError(), "timeout"),
        (OSError(5, "I/O"), "closed"),
    ],
)
def test_an_error_of_the_system_says_what_the_peer_did(error, code):
    assert reading_of(error).code == code


def test_an_error_of_ours_says_nothing_about_the_peer():
    assert reading_of(ZeroDivisionError()) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("🏴‍☠️ x", "🏴‍☠️ x"),
        ("a\u200db", "a\\u200db"),
        ("👨\u200d", "👨\\u200d"),
        ("\u200d👨", "\\u200d👨"),
        ("👨\u200d\u200d👩", "👨\\u200d\\u200d👩"),
    ],
)
def test_a_joiner_is_kept_only_between_two_pictures(text, shown):
    assert visible(text) == shown
