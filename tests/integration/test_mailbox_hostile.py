"""IMAP and POP3 servers that misbehave, what is told of them, and what they were sent."""

import asyncio

import pytest

from steng.probe import probe
from steng.probe.failure import ProbeFailure
from steng.secret import Secret
from steng.wire import Login, Mailbox, Mechanism, Pull, to_json
from tests.lab.asking import PASSWORD, USER, anchored, ask, der_of, find, outcomes, run
from tests.lab.hostile import HostileServer
from tests.mailbox_talk import IMAP, POP3, tag_of, talk


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
