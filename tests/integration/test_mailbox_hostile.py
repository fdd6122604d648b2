"""IMAP and POP3 servers that misbehave, what is told of them, and what they were sent."""

import asyncio
from collections import Counter

import pytest

from steng.probe import imap_folder, probe, utf7
from steng.probe.failure import ProbeFailure
from steng.probe.mailbox import MAX_LISTED, MAX_LISTED_BYTES
from steng.secret import Secret
from steng.wire import Disposition, Login, Mailbox, Mechanism, Protocol, Pull, Purpose, to_json
from tests.lab.asking import PASSWORD, USER, anchored, ask, der_of, find, outcomes, run, stage_of
from tests.lab.hostile import HostileServer

IMAP, POP3 = Protocol.IMAP, Protocol.POP3
CAPABLE = "IMAP4rev1 SASL-IR LITERAL+ AUTH=PLAIN AUTH=CRAM-MD5 ESEARCH SEARCHRES ACL"
WELCOME = {IMAP: f"* OK [CAPABILITY {CAPABLE}] mail.test", POP3: "+OK mail.test <1@mail.test>"}
CAPA = ("+OK", "SASL PLAIN CRAM-MD5", "USER", "UIDL", "TOP", "PIPELINING", ".")


def saying(*data, then="hang"):
    """Return a script that says these bytes at once."""

    async def script(peer):
        for each in data:
            await peer.send(each)
        await getattr(peer, then)()

    return script


GREETINGS = {
    "BYE, not now": (IMAP, b"* BYE [UNAVAILABLE] later\r\n", "service_unavailable"),
    "BYE, not you": (IMAP, b"* BYE Your address is not allowed\r\n", "access_denied"),
    "signed in already": (IMAP, b"* PREAUTH hello\r\n", "preauthenticated"),
    "NO": (IMAP, b"* NO hm\r\n", "protocol_error"),
    "-ERR, not now": (POP3, b"-ERR [SYS/TEMP] busy\r\n", "service_unavailable"),
    "-ERR, not you": (POP3, b"-ERR access from your host denied\r\n", "access_denied"),
    "HTTP": (IMAP, b"HTTP/1.1 400 Bad Request\r\n", "wrong_protocol"),
    "SSH": (POP3, b"SSH-2.0-OpenSSH_9.2\r\n", "wrong_protocol"),
    "SMTP": (POP3, b"220 mail.test ESMTP\r\n", "wrong_protocol"),
    "POP3 for IMAP": (IMAP, b"+OK ready\r\n", "wrong_protocol"),
    "IMAP for POP3": (POP3, b"* OK ready\r\n", "wrong_protocol"),
    "TLS in clear text": (IMAP, b"\x15\x03\x03\x00\x02\x02\x28", "wrong_protocol"),
    "garbage without end": (POP3, b"\x00\x01\x02", "protocol_error"),
    "NUL": (IMAP, b"* OK a\0b\r\n", "protocol_error"),
    "a long line": (IMAP, b"* OK " + b"x" * 70_000 + b"\r\n", "too_much_data"),
    "an endless line": (POP3, b"+OK " + b"x" * 300_000, "too_much_data"),
}


@pytest.mark.parametrize(("protocol", "said", "code"), GREETINGS.values(), ids=GREETINGS)
def test_a_strange_greeting_is_told(protocol, said, code):
    finding = find(saying(said), protocol=protocol)
    assert finding.told == ("greeting", code)
    assert finding.server.received == b""


@pytest.mark.parametrize("protocol", [IMAP, POP3])
@pytest.mark.parametrize(("then", "code"), [("close", "closed"), ("reset", "reset")])
def test_a_server_that_goes_before_it_greets_is_told(protocol, then, code):
    assert find(saying(then=then), protocol=protocol).told == ("greeting", code)


async def talk(peer, protocol, *, capabilities=CAPA):
    """Greet, and tell the capabilities where they are asked for."""
    await peer.say(WELCOME[protocol])
    if protocol is POP3:
        await peer.hear()
        await peer.say(*capabilities)


def tag_of(line):
    return line.split()[0]


TALK = {
    "CAPABILITY refused": (IMAP, b"%s BAD no\r\n", "capabilities", "protocol_error"),
    "CAPABILITY without capabilities": (IMAP, b"%s OK done\r\n", "capabilities", "protocol_error"),
    "CAPABILITY and goodbye": (IMAP, b"* BYE leave\r\n", "capabilities", "closed"),
    "another's tag": (IMAP, b"P99 OK done\r\n", "capabilities", "protocol_error"),
    "too many lines": (IMAP, b"* 1 EXISTS\r\n" * 1_001, "capabilities", "too_much_data"),
    "a question": (IMAP, b"+ what\r\n", "capabilities", "protocol_error"),
    "an endless list": (POP3, b"+OK\r\n" + b"X\r\n" * 1_001, "capabilities", "too_much_data"),
    "no answer but a list": (POP3, b"X\r\n", "capabilities", "protocol_error"),
}


@pytest.mark.parametrize(("protocol", "said", "stage", "code"), TALK.values(), ids=TALK)
def test_strange_capabilities_are_told(protocol, said, stage, code):
    async def script(peer):
        await peer.say("* OK hi" if protocol is IMAP else "+OK hi")
        tag = tag_of(await peer.hear())
        await peer.send(said.replace(b"%s", tag.encode()))
        await peer.hang()

    assert find(script, protocol=protocol).told == (stage, code)


def test_a_pop3_server_without_capabilities_is_signed_in_to_with_user_and_pass():
    async def script(peer):
        await peer.say("+OK old")
        for answer in ("-ERR what?", "+OK", "+OK", "+OK 0 0"):
            await peer.hear()
            await peer.say(answer)
        await peer.hang()

    finding = find(script, protocol=POP3, mechanism="USER_PASS", mailbox=Mailbox(pull=Pull.GET_FIRST_MESSAGE))
    assert finding.told == ("auth", "clear_text_login")
    password = PASSWORD.encode()
    sent = [b"CAPA", b"USER " + USER.encode(), b"PASS " + password, b"STAT", b"QUIT"]
    assert finding.server.peers[0].lines == sent


STLS = {
    "not offered by IMAP": (IMAP, (), "", "starttls_not_offered"),
    "not offered by POP3": (POP3, (), "", "starttls_not_offered"),
    "refused by IMAP": (IMAP, ("STARTTLS",), "%s NO later", "starttls_refused"),
    "refused by POP3": (POP3, ("STLS",), "-ERR later", "starttls_refused"),
    "injected into IMAP": (IMAP, ("STARTTLS",), "%s OK go\r\n* CAPABILITY AUTH=PLAIN", "injected_data"),
    "injected into POP3": (POP3, ("STLS",), "+OK go\r\n+OK more", "injected_data"),
}


@pytest.mark.parametrize(("protocol", "offered", "said", "code"), STLS.values(), ids=STLS)
def test_tls_that_is_not_to_be_had_is_told_and_nothing_is_said_in_clear_text(protocol, offered, said, code):
    async def script(peer):
        if protocol is IMAP:
            await peer.say(f"* OK [CAPABILITY IMAP4rev1 {' '.join(offered)}] hi")
        else:
            await peer.say("+OK hi")
            await peer.hear()
            await peer.say("+OK", *offered, ".")
        tag = tag_of(await peer.hear())
        await peer.say(said.replace("%s", tag))
        await peer.hang()

    finding = find(script, protocol=protocol, security="STARTTLS")
    assert finding.told == ("starttls", code)
    verbs = {line.split()[-1] for line in finding.server.peers[0].lines}
    assert verbs <= {b"CAPA", b"STARTTLS", b"STLS", b"LOGOUT", b"QUIT"}


def test_capabilities_from_before_the_handshake_count_no_more(pki):
    async def script(peer):
        await peer.say("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR] hi")
        await peer.say(f"{tag_of(await peer.hear())} OK go")
        await peer.start_tls()
        tag = tag_of(await peer.hear())
        await peer.say("* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=GSSAPI", f"{tag} OK done")
        await peer.hang()

    trust = anchored(der_of(pki.root))
    finding = find(script, tls=pki.leaf().server_context(), protocol=IMAP, security="STARTTLS", trust=trust)
    assert finding.told == ("auth", "mechanism_not_offered")
    assert b"AUTHENTICATE" not in finding.server.received


# -- signing in --------------------------------------------------------------

REFUSALS = {
    "IMAP, wrong": (IMAP, "%s NO [AUTHENTICATIONFAILED] no", "credentials_refused"),
    "IMAP, in use": (IMAP, "%s NO [INUSE] no", "mailbox_in_use"),
    "IMAP, expired": (IMAP, "%s NO [EXPIRED] no", "password_expired"),
    "IMAP, for now": (IMAP, "%s NO [UNAVAILABLE] no", "auth_temporarily_unavailable"),
    "IMAP, goodbye": (IMAP, "* BYE Too many invalid attempts", "rate_limited"),
    "POP3, wrong": (POP3, "-ERR [AUTH] no", "credentials_refused"),
    "POP3, in use": (POP3, "-ERR [IN-USE] no", "mailbox_in_use"),
    "POP3, too soon": (POP3, "-ERR [LOGIN-DELAY] no", "rate_limited"),
    "POP3, broken": (POP3, "-ERR [SYS/PERM] no", "auth_failed"),
}


@pytest.mark.parametrize(("protocol", "said", "code"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_told_with_its_code_and_nothing_more_is_tried(protocol, said, code):
    async def script(peer):
        await talk(peer, protocol)
        tag = tag_of(await peer.hear())
        await peer.say(said.replace("%s", tag))
        await peer.hang()

    finding = find(script, protocol=protocol, mechanism="PLAIN")
    assert finding.told == ("auth", code)
    assert sum(b"AUTH" in line for line in finding.server.peers[0].lines) == 1
    assert outcomes(finding.report)[-2:] == ["folder:skipped", "quit:skipped"]


@pytest.mark.parametrize("protocol", [IMAP, POP3])
def test_a_question_after_the_whole_answer_is_given_up(protocol):
    async def script(peer):
        await talk(peer, protocol)
        tag = tag_of(await peer.hear())
        await peer.say("+ eyJzdGF0dXMiOiI0MDEifQ==")
        assert await peer.hear() == "*"
        await peer.say(f"{tag} NO gone" if protocol is IMAP else "-ERR gone")
        await peer.hang()

    assert find(script, protocol=protocol, mechanism="PLAIN").told == ("auth", "protocol_error")


def test_the_login_command_quotes_and_sends_literals():
    async def script(peer):
        await peer.say("* OK [CAPABILITY IMAP4rev1] hi")
        tag = tag_of(await peer.hear())
        await peer.say("+ ready")
        heard.append(await peer.hear())
        await peer.say(f"{tag} NO no")
        await peer.hang()

    heard = []
    finding = find(script, protocol=IMAP, mechanism="LOGIN")
    assert finding.told == ("auth", "credentials_refused")
    assert finding.server.peers[0].lines[0] == f'P1 LOGIN "{USER}" {{{len(PASSWORD.encode())}}}'.encode()
    assert heard == [PASSWORD]
    assert PASSWORD not in str(to_json(finding.report))


def test_in_the_midst_of_a_login_no_farewell_is_sent_that_would_be_taken_for_a_password():
    async def script(peer):
        await peer.say("* OK [CAPABILITY IMAP4rev1] hi")
        await peer.hear()
        await peer.hang()

    finding = find(script, protocol=IMAP, mechanism="LOGIN", timeout_ms=300)
    assert finding.told == ("auth", "timeout")
    assert len(finding.server.peers[0].lines) == 1


@pytest.mark.parametrize("line", ["AUTH PLAIN", "AUTH LOGIN"])
def test_a_long_answer_waits_until_pop3_asks_for_it(line):
    async def script(peer):
        await talk(peer, POP3, capabilities=("+OK", "SASL PLAIN LOGIN", "."))
        while await peer.hear():
            await peer.say("+ ")

    login = Login(Mechanism(line.split()[1]), "u" * 190, Secret("p" * 190))
    lines = find(script, protocol=POP3, login=login, timeout_ms=300).server.peers[0].lines
    assert lines[1] == line.encode()
    assert all(len(sent) <= 253 for sent in lines[:2])


@pytest.mark.parametrize("protocol", [IMAP, POP3])
@pytest.mark.parametrize("stop", ["cancelled", "suspended"])
def test_before_the_first_byte_of_a_credential_the_console_may_stop_everything(protocol, stop):
    async def before():
        if stop == "suspended":
            raise ProbeFailure("auth_suspended", "Refused an hour ago.", advice="Change it.", evidence={"since": "x"})
        return False

    async def script(peer):
        await talk(peer, protocol)
        await peer.hang()

    async def go():
        async with HostileServer(script) as server:
            request = ask(server.port, protocol=protocol, mechanism="PLAIN")
            if stop == "cancelled":
                with pytest.raises(asyncio.CancelledError):
                    await probe(request, before_credentials=before)
            else:
                stage = (await probe(request, before_credentials=before)).telling_stage
                told = (stage.name, stage.code, stage.detail, stage.advice, stage.evidence["since"])
                assert told == ("auth", "auth_suspended", "Refused an hour ago.", "Change it.", "x")
            await server.gone()
            return server.received

    assert b"AUTH" not in run(go())


# -- the mailbox -------------------------------------------------------------


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


# -- what is sent ------------------------------------------------------------


async def agreeable_imap(peer):
    """Agree to everything; there is one message."""
    await talk(peer, IMAP)
    while line := await peer.hear():
        tag, *words = line.split()
        if words[0] == "AUTHENTICATE":
            await peer.say(f"{tag} OK [CAPABILITY {CAPABLE}] in")
        elif "EXAMINE" in words or "SELECT" in words:
            await peer.say("* 1 EXISTS", f"{tag} OK")
        elif "FETCH" in words:
            await peer.say("* 1 FETCH (UID 1 RFC822.SIZE 5)", f"{tag} OK")
        elif "SEARCH" in words:
            await peer.say(f'* ESEARCH (TAG "{tag}") UID COUNT 1 MIN 1 MAX 1', "* SEARCH 1", f"{tag} OK")
        else:
            await peer.say(f"{tag} OK")


async def agreeable_pop3(peer):
    await talk(peer, POP3)
    while line := await peer.hear():
        await (peer.say("+OK", "Date: x", ".") if line.startswith("TOP") else peer.say("+OK 1 5"))


def sent(script, protocol, **mailbox):
    finding = find(script, protocol=protocol, mechanism="PLAIN", mailbox=Mailbox(**mailbox))
    assert stage_of(finding.report, "folder").outcome == "ok"
    assert finding.report.stages[-1].outcome == "ok"
    return [line.decode().upper().split() for line in finding.server.peers[0].lines]


@pytest.mark.parametrize("disposition", Disposition)
@pytest.mark.parametrize("pull", Pull)
def test_imap_is_sent_nothing_that_changes_a_mailbox(pull, disposition):
    lines = sent(agreeable_imap, IMAP, pull=pull, disposition=disposition, show_subject=True)
    verbs = [words[2] if words[1] == "UID" else words[1] for words in lines]
    assert verbs == ["AUTHENTICATE", "MYRIGHTS", "EXAMINE", "SEARCH", "SEARCH", "FETCH", "LOGOUT"]
    (fetch,) = [" ".join(words) for words in lines if "FETCH" in words]
    assert "BODY[" not in fetch
    assert "BODY.PEEK[HEADER.FIELDS (SUBJECT)]" in fetch


@pytest.mark.parametrize("disposition", [Disposition.KEEP, Disposition.DELETE])
@pytest.mark.parametrize("pull", [Pull.GET_FIRST_MESSAGE, Pull.GET_LAST_MESSAGE])
def test_pop3_is_sent_nothing_that_changes_a_mailbox(pull, disposition):
    lines = sent(agreeable_pop3, POP3, pull=pull, disposition=disposition, show_subject=True)
    assert [words[0] for words in lines] == ["CAPA", "AUTH", "STAT", "LIST", "UIDL", "TOP", "QUIT"]
    assert ["TOP", "1", "0"] in lines


@pytest.mark.parametrize("protocol", [IMAP, POP3])
@pytest.mark.parametrize("security", ["STARTTLS", "SSL_TLS"])
def test_who_is_not_trusted_is_sent_no_credential(pki, protocol, security):
    async def script(peer):
        if security == "STARTTLS" and protocol is IMAP:
            await peer.say("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hi")
            await peer.say(f"{tag_of(await peer.hear())} OK go")
        elif security == "STARTTLS":
            await talk(peer, POP3, capabilities=("+OK", "STLS", "SASL PLAIN", "USER", "."))
            await peer.hear()
            await peer.say("+OK go")
        await peer.start_tls()
        await peer.hang()

    finding = find(script, tls=pki.leaf().server_context(), protocol=protocol, security=security)
    assert finding.told == ("trust", "certificate_unknown_issuer")
    verbs = [line.split()[-1] for line in finding.server.peers[0].lines]
    expected = {IMAP: [b"STARTTLS"], POP3: [b"CAPA", b"STLS"]}[protocol]
    assert verbs == (expected if security == "STARTTLS" else [])
