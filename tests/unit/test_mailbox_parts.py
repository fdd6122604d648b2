"""The pure parts of IMAP and POP3: answers, refusals, values, names of folders, lines, what is told of them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as some

from steng.codes import CATALOGUE, CODES
from steng.probe import headers, refusals, sasl, utf7
from steng.probe.answers import Answer, parse
from steng.probe.failure import ProbeFailure
from steng.probe.imap_values import MAX_DEPTH, astring, read
from steng.probe.lines import MAX_LINE, MAX_UNREAD, LineReader
from steng.probe.nearest import nearest, promising
from steng.probe.withheld import WITHHELD, told_imap_line, told_pop3_line
from steng.wire import Mechanism, Protocol, StageName

# -- answers and refusals ----------------------------------------------------

ANSWERS = {
    "OK done": Answer("OK", text="done"),
    "no [AuthenticationFailed] Wrong": Answer("NO", "AUTHENTICATIONFAILED", text="Wrong"),
    "OK [CAPABILITY IMAP4rev1 ACL] in": Answer("OK", "CAPABILITY", "IMAP4rev1 ACL", "in"),
    "-ERR [SYS/TEMP] later": Answer("-ERR", "SYS/TEMP", text="later"),
    "+OK": Answer("+OK"),
    "+ dGVzdA==": Answer("+", text="dGVzdA=="),
    "OK [] x": Answer("OK", text="[] x"),
    "": Answer(""),
}


@pytest.mark.parametrize(("line", "answer"), ANSWERS.items())
def test_an_answer_is_read(line, answer):
    assert parse(line) == answer


def test_a_code_that_goes_on_in_spaces_for_a_whole_line_is_read_at_once():
    # Looked for in every way there is, its end would take more than a minute.
    line = "OK [A" + " " * 65_000
    assert parse(line) == Answer("OK", text="[A")
    assert parse(line + "b] x") == Answer("OK", "A", "b", "x")


IMAP = {
    "NO [AUTHENTICATIONFAILED] Authentication failed.": "credentials_refused",
    "NO [AUTHENTICATIONFAILED] Application-specific password required": "app_password_required",
    "NO [ALERT] Application-specific password required: https://x.test": "app_password_required",
    "NO [AUTHORIZATIONFAILED] No": "auth_disabled_by_policy",
    "NO [AUTHORIZATIONFAILED] Your account is locked": "account_locked",
    "NO [EXPIRED] Password expired": "password_expired",
    "NO [PRIVACYREQUIRED] Plaintext disallowed": "clear_text_login_disabled",
    "NO [UNAVAILABLE] Temporary authentication failure": "auth_temporarily_unavailable",
    "NO [INUSE] Mailbox locked": "mailbox_in_use",
    "NO [LIMIT] Too many": "rate_limited",
    "NO [CONTACTADMIN] Call": "auth_disabled_by_policy",
    "NO LOGIN failed.": "credentials_refused",
    "NO": "credentials_refused",
    "NO [X-NEW] no": "credentials_refused",
    "NO Too many simultaneous connections": "rate_limited",
    "NO account disabled": "account_locked",
    "NO Basic authentication is disabled": "auth_disabled_by_policy",
    "NO Your account is not enabled for IMAP use": "auth_disabled_by_policy",
    "NO Unsupported authentication mechanism.": "mechanism_not_offered",
    "NO Server error, try again later": "auth_temporarily_unavailable",
    "NO Plaintext authentication disallowed on non-secure connections": "clear_text_login_disabled",
    "BAD Error in IMAP command": "auth_failed",
    "BYE Bye": "closed",
    "BYE Too many invalid sign-ins": "rate_limited",
}
POP3 = {
    "-ERR [AUTH] Authentication failed.": "credentials_refused",
    "-ERR [AUTH] The account is suspended": "account_locked",
    "-ERR [SYS/TEMP] Directory down": "auth_temporarily_unavailable",
    "-ERR [SYS/PERM] Mailbox broken": "auth_failed",
    "-ERR [IN-USE] Do you have another session?": "mailbox_in_use",
    "-ERR [LOGIN-DELAY] minimum time between": "rate_limited",
    "-ERR maildrop already locked": "mailbox_in_use",
    "-ERR Unable to lock maildrop: lock busy": "mailbox_in_use",
    "-ERR invalid password": "credentials_refused",
    "-ERR": "credentials_refused",
    "-ERR must issue a STLS command first": "clear_text_login_disabled",
    "-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.": "clear_text_login_disabled",
}


@pytest.mark.parametrize(("protocol", "said"), [("IMAP", said) for said in IMAP] + [("POP3", said) for said in POP3])
def test_a_refusal_means_a_code(protocol, said):
    expected = (IMAP | POP3)[said]
    assert refusals.of_mailbox(parse(said), Protocol(protocol), encrypted=False) == expected
    assert {(StageName.AUTH, expected), (None, expected)} & set(CATALOGUE)


@pytest.mark.parametrize("said", ["NO [PRIVACYREQUIRED] x", "-ERR must issue a STLS command first"])
def test_a_server_that_wants_tls_under_tls_is_not_sent_to_starttls(said):
    protocol = Protocol.IMAP if said.startswith("NO") else Protocol.POP3
    assert refusals.of_mailbox(parse(said), protocol, encrypted=True) in {"auth_failed", "credentials_refused"}


@given(some.text(max_size=80), some.sampled_from(["NO", "BAD", "BYE", "-ERR"]))
def test_any_refusal_means_a_code_of_the_catalogue(text, status):
    for protocol in (Protocol.IMAP, Protocol.POP3):
        assert refusals.of_mailbox(parse(f"{status} {text}"), protocol, encrypted=True) in CODES


# -- mechanisms --------------------------------------------------------------

LOGIN, USER_PASS, APOP = Mechanism.LOGIN, Mechanism.USER_PASS, Mechanism.APOP
CHOICES = [
    ("IMAP", "AUTO", ("LOGIN", "PLAIN"), (LOGIN,), True, "PLAIN"),
    ("IMAP", "AUTO", ("LOGIN", "CRAM-MD5"), (LOGIN,), True, "LOGIN command"),
    ("IMAP", "AUTO", ("LOGIN", "CRAM-MD5"), (), True, "LOGIN"),
    ("IMAP", "AUTO", ("CRAM-MD5",), (), True, "CRAM-MD5"),
    ("IMAP", "AUTO", ("PLAIN", "CRAM-MD5"), (LOGIN,), False, "CRAM-MD5"),
    ("IMAP", "LOGIN", ("PLAIN", "LOGIN"), (LOGIN,), True, "LOGIN"),
    ("IMAP", "LOGIN", ("PLAIN",), (LOGIN,), True, "LOGIN command"),
    ("POP3", "AUTO", ("CRAM-MD5", "PLAIN"), (USER_PASS, APOP), True, "PLAIN"),
    ("POP3", "AUTO", ("CRAM-MD5",), (USER_PASS, APOP), True, "USER/PASS"),
    ("POP3", "AUTO", (), (APOP,), True, "APOP"),
    ("POP3", "AUTO", ("PLAIN", "CRAM-MD5"), (USER_PASS, APOP), False, "APOP"),
    ("POP3", "USER_PASS", ("PLAIN",), (USER_PASS,), False, "USER/PASS"),
]


@pytest.mark.parametrize(("protocol", "wanted", "names", "commands", "encrypted", "chosen"), CHOICES)
def test_one_way_is_chosen_by_what_is_offered(protocol, wanted, names, commands, encrypted, chosen):
    offer = sasl.Offer(Protocol(protocol), names, commands)
    assert sasl.choose(Mechanism(wanted), offer, encrypted=encrypted).name == chosen


REFUSED = [
    ("IMAP", "AUTO", ("PLAIN", "LOGIN"), (LOGIN,), False, False, "mechanism_not_offered"),
    ("IMAP", "AUTO", (), (), True, False, "clear_text_login_disabled"),
    ("IMAP", "PLAIN", ("CRAM-MD5",), (), True, False, "clear_text_login_disabled"),
    ("IMAP", "CRAM_MD5", (), (), True, False, "mechanism_not_offered"),
    ("IMAP", "APOP", ("PLAIN",), (LOGIN,), False, True, "mechanism_not_offered"),
    ("POP3", "AUTO", ("PLAIN", "CRAM-MD5"), (USER_PASS,), False, False, "mechanism_not_offered"),
    ("POP3", "APOP", ("PLAIN",), (USER_PASS,), False, False, "mechanism_not_offered"),
    ("POP3", "USER_PASS", ("CRAM-MD5",), (), True, False, "clear_text_login_disabled"),
]


@pytest.mark.parametrize(("protocol", "wanted", "names", "commands", "refused", "encrypted", "code"), REFUSED)
def test_no_way_is_chosen_that_is_not_offered(protocol, wanted, names, commands, refused, encrypted, code):
    offer = sasl.Offer(Protocol(protocol), names, commands, clear_refused=refused, starttls=True)
    with pytest.raises(ProbeFailure, match=code):
        sasl.choose(Mechanism(wanted), offer, encrypted=encrypted)


# -- values ------------------------------------------------------------------

VALUES = {
    b"SEARCH 1 22": ["SEARCH", "1", "22"],
    b'LIST (\\A \\B) NIL "a \\"b\\\\"': ["LIST", ["\\A", "\\B"], None, 'a "b\\'],
    b'2 FETCH (UID 5 BODY[HEADER.FIELDS (SUBJECT)]<0> "x")': [
        "2",
        "FETCH",
        ["UID", "5", "BODY[HEADER.FIELDS (SUBJECT)]<0>", "x"],
    ],
    b"OK [x": ["OK", "[x"],
    b"": [],
}


@pytest.mark.parametrize(("line", "values"), VALUES.items())
def test_values_are_read(line, values):
    assert read([line]) == values


@pytest.mark.parametrize("line", [b"(", b")", b'"', b"(" * (MAX_DEPTH + 1) + b")" * (MAX_DEPTH + 1)])
def test_what_is_no_value_is_refused(line):
    with pytest.raises(ValueError, match=r".+"):
        read([line])


def test_a_literal_stands_between_lines():
    assert read([b"LIST () NIL {3}", bytearray(b"a)b"), b" (x)"]) == ["LIST", [], None, b"a)b", ["x"]]


@given(some.binary(max_size=200))
def test_any_bytes_are_values_or_refused(data):
    with contextlib.suppress(ValueError):
        read([data])


ASTRINGS = {
    "plain": ("abc", [b'"abc"']),
    "blanks and quotes": ('a "b\\', [b'"a \\"b\\\\"']),
    "nothing": ("", [b'""']),
    "umlaut": ("ä", [b"{2}", "ä".encode()]),
    "line end": ("a\r\nb", [b"{4}", b"a\r\nb"]),
}


@pytest.mark.parametrize(("text", "pieces"), ASTRINGS.values(), ids=ASTRINGS)
def test_a_string_is_quoted_or_a_literal(text, pieces):
    assert astring(text, at_once=False) == pieces
    at_once = astring(text, at_once=True)
    assert at_once == (pieces if len(pieces) == 1 else [pieces[0].replace(b"}", b"+}") + b"\r\n" + pieces[1]])


# -- names -------------------------------------------------------------------


def test_the_name_of_the_rfc_is_encoded_as_there():
    assert utf7.encode("~peter/mail/台北/日本語") == "~peter/mail/&U,BTFw-/&ZeVnLIqe-"
    assert utf7.encode("Hi Mom -☺-!") == "Hi Mom -&Jjo--!"


@given(some.text())
def test_every_name_comes_back(name):
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    encoded = utf7.encode(name)
    assert encoded.isascii()
    assert encoded.isprintable()
    assert utf7.decode(encoded) == name


@pytest.mark.parametrize("text", ["&", "a&b", "&U,BTFw", "&2D0-", "&A-", "ä"])
def test_what_is_no_modified_utf7_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        utf7.decode(text)


def test_the_nearest_of_a_thousand_names_is_found():
    names = [f"{'x' * 90}{number}" for number in range(1_000)] + ["INBOX/Orders"]
    assert nearest("Orders", names)[0] == "INBOX/Orders"


def test_names_in_batches_are_as_promising_as_all_at_once():
    names = [f"{'order'[: number % 6]}{number}" for number in range(500)]
    likely = []
    for place in range(0, len(names), 100):
        likely = promising("Orders", likely + names[place : place + 100])
    assert likely == promising("Orders", names)


# -- lines -------------------------------------------------------------------


def lines(*chunks):
    """Return what a reader makes of some bytes: lines, at last the code of a failure."""
    reader, found = LineReader(lambda _: None), []
    try:
        for chunk in chunks:
            reader.feed(chunk)
            while (line := reader.next()) is not None:
                found.append(line)
    except ProbeFailure as failure:
        found.append(failure.code)
    return found


def test_lines_are_read_however_they_come():
    data = b"+OK a\r\nb\n\r\n.\r\nrest"
    assert lines(data) == [b"+OK a", b"b", b"", b"."]
    assert lines(*(data[place : place + 1] for place in range(len(data)))) == lines(data)


@pytest.mark.parametrize(
    "chunks",
    [(b"x" * (MAX_LINE + 1),), (b"x" * (MAX_LINE + 1) + b"\r\n",), (b"a\r\n" * (MAX_UNREAD // 3 + 1),)],
    ids=["without end", "with end", "many"],
)
def test_lines_have_limits(chunks):
    assert lines(*chunks)[-1] == "too_much_data"


# -- what is told after the password -----------------------------------------

TOLD = {
    "P3 OK [CAPABILITY IMAP4rev1 hunter2] Logged in": "P3 OK [CAPABILITY]",
    "P3 NO [HUNTER2] hunter2": f"P3 NO {WITHHELD}",
    "* 12 EXISTS": "* 12 EXISTS",
    "* 1 FETCH (BODY[] {3}": "* 1 FETCH [left out]",
    '* LIST () "/" hunter2': "* LIST [left out]",
    "* hunter2": WITHHELD,
    "+ aHVudGVyMg==": "+ [challenge withheld]",
    "hunter2 OK yes": WITHHELD,
}
TOLD_POP3 = {
    "+OK Logged in.": "+OK",
    "+OK 4 320": "+OK 4 320",
    "-ERR [AUTH] hunter2": f"-ERR [AUTH] {WITHHELD}",
    "-ERR [HUNTER2] x": f"-ERR {WITHHELD}",
    "Subject: hunter2": "[left out]",
    ".": ".",
    "+ VXNlcm5hbWU6": "+ [asks for the user name]",
}


@pytest.mark.parametrize(("line", "told"), TOLD.items())
def test_of_imap_is_told_what_kind_of_answer_it_was(line, told):
    assert told_imap_line(line) == told


@pytest.mark.parametrize(("line", "told"), TOLD_POP3.items())
def test_of_pop3_is_told_what_kind_of_answer_it_was(line, told):
    assert told_pop3_line(line) == told


# -- header fields -----------------------------------------------------------

SUBJECTS = {
    b" Hello": "Hello",
    b" =?utf-8?b?w6Q=?= b": "ä b",
    b" =?x-none?q?=E4?=": "\udce4",
    b" a\r\n b": "a b",
    b" caf\xe9": "caf\udce9",
    b"": "",
}


@pytest.mark.parametrize(("field", "subject"), SUBJECTS.items())
def test_a_subject_is_read(field, subject):
    assert headers.subject_of(field) == subject


@given(some.binary(max_size=300))
def test_any_bytes_are_a_subject(field):
    assert isinstance(headers.subject_of(field), str)


DATES = {
    "Tue, 14 Nov 2023 23:13:20 +0100": "2023-11-14T22:13:20Z",
    "1 Jan 2024 00:00 +0000": "2024-01-01T00:00:00Z",
    "yesterday": None,
    "1 Jan 2024 00:00 +99999999999999": None,
    "": None,
}


@pytest.mark.parametrize(("field", "moment"), DATES.items())
def test_a_date_is_read(field, moment):
    assert headers.date_of(field) == moment
