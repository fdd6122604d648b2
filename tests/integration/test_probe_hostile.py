"""Servers that misbehave before anybody signs in: each gives its own stage and code."""

import asyncio
import tracemalloc

import pytest

from steng.probe import probe
from steng.probe import run as running
from steng.wire import StageOutcome
from tests.lab.asking import ask, find, outcomes, run, stage_of
from tests.lab.hostile import HostileServer

SHORT = 300


@pytest.fixture(scope="module")
def server_tls(pki):
    return pki.leaf().server_context()


def saying(*lines):
    async def script(peer):
        await peer.say(*lines)
        await peer.hang()

    return script


def sending(data):
    async def script(peer):
        await peer.send(data)
        await peer.hang()

    return script


GREETINGS = {
    "a 421 is a service that is not available": (b"421 too busy\r\n", "service_unavailable"),
    "a 451 is a service that is not available": (b"451 later\r\n", "service_unavailable"),
    "a 554 is a refusal": (b"554 no\r\n", "access_denied"),
    "a 550 over two lines is a refusal": (b"550-go\r\n550 away\r\n", "access_denied"),
    "another good code is not a greeting": (b"250 hello\r\n", "protocol_error"),
    "garbage is no reply": (b"\x00\xff\x13garbage\r\n", "protocol_error"),
    "garbage without an end is not waited for": (b"\xff\xff\xff\xff", "protocol_error"),
    "a NUL in a greeting is an error": (b"220 mail\x00.test\r\n", "protocol_error"),
    "a code of the first hundred is no reply": (b"120 soon\r\n", "protocol_error"),
    "different codes in one reply are an error": (b"220-mail\r\n250 test\r\n", "protocol_error"),
    "HTTP is another protocol": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "wrong_protocol"),
    "SSH is another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n", "wrong_protocol"),
    "IMAP is another protocol": (b"* OK ready\r\n", "wrong_protocol"),
    "POP3 is another protocol": (b"+OK ready\r\n", "wrong_protocol"),
    "a TLS alert in clear is another protocol": (b"\x15\x03\x01\x00\x02\x02\x46", "wrong_protocol"),
    "a line beyond 64 kB is too much": (b"220 " + b"x" * 70_000 + b"\r\n", "too_much_data"),
    "more than 200 lines are too many": (b"220-x\r\n" * 201 + b"220 x\r\n", "too_much_data"),
    "more than 256 kB are too many": ((b"220-" + b"x" * 60_000 + b"\r\n") * 5, "too_much_data"),
}


@pytest.mark.parametrize(("data", "code"), GREETINGS.values(), ids=GREETINGS)
def test_the_first_bytes_name_the_fault(data, code):
    finding = find(sending(data))
    assert finding.told == ("greeting", code)


@pytest.mark.parametrize("name", ["HTTP", "SSH"])
def test_what_speaks_there_instead_is_named(name):
    finding = find(saying({"HTTP": "HTTP/1.0 200 OK", "SSH": "SSH-2.0-x"}[name]))
    assert finding.stage.evidence["looks_like"] == name


def test_a_greeting_is_shown_without_its_control_characters():
    finding = find(saying("554 no \x1b[31m\u202etset"))
    assert finding.stage.evidence["text"] == "no \\x1b[31m\\u202etset"


@pytest.mark.parametrize("security", ["NONE", "STARTTLS", "SSL_TLS"])
def test_a_silent_server_is_a_timeout_where_it_is_silent(security):
    async def silent(peer):
        await peer.hang()

    finding = find(silent, security=security, timeout_ms=SHORT)
    assert finding.told == ("tls" if security == "SSL_TLS" else "greeting", "timeout")
    assert finding.report.duration_ms >= SHORT * 0.9


def test_a_server_that_drips_lines_is_cut_off_by_the_deadline():
    async def dripping(peer):
        while True:
            await peer.say("220-one more")
            await asyncio.sleep(0.02)

    assert find(dripping, timeout_ms=SHORT).told == ("greeting", "timeout")


FLOODS = {
    "an endless line": (b"2" * 65_536, "too_much_data"),
    "an endless reply": (b"220-more\r\n" * 4_096, "too_much_data"),
    "endless garbage": (b"\0" * 65_536, "protocol_error"),
}


@pytest.mark.parametrize(("data", "code"), FLOODS.values(), ids=FLOODS)
def test_a_flood_is_read_no_further_than_its_limit(data, code):
    async def flooding(peer):
        await peer.flood(data)

    tracemalloc.start()
    try:
        finding = find(flooding)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert finding.told == ("greeting", code)
    assert peak < 16 * 1024 * 1024
    assert sum(len(line.text) for line in finding.report.transcript) < 200_000


@pytest.mark.parametrize("security", ["NONE", "STARTTLS"])
@pytest.mark.parametrize("manner", ["waits", "hangs up"])
def test_clear_text_against_a_tls_port_suggests_tls(security, manner, server_tls):
    async def look():
        seen = []

        async def script(peer):
            seen.append(peer)
            if manner == "hangs up" and len(seen) == 1:
                await peer.close()
            else:
                await peer.start_tls()

        async with HostileServer(script, tls=server_tls) as server:
            report = await probe(ask(server.port, security, timeout_ms=3_000))
            await server.gone()
            return report, server.received

    report, received = run(look())
    stage = report.telling_stage
    assert (stage.name, stage.code) == ("greeting", "tls_expected")
    assert stage.evidence["suggestion"] == {"connection_security": "SSL_TLS"}
    assert received == b""


NOT_TLS = {
    "a mail greeting suggests STARTTLS": ("220 mail.test ESMTP", "tls_not_spoken", "SMTP"),
    "HTTP is another protocol": ("HTTP/1.1 400 Bad Request", "wrong_protocol", "HTTP"),
    "SSH is another protocol": ("SSH-2.0-OpenSSH_9.2", "wrong_protocol", "SSH"),
    "text of no kind is no TLS": ("what do you want?", "tls_not_spoken", None),
}


@pytest.mark.parametrize(("line", "code", "name"), NOT_TLS.values(), ids=NOT_TLS)
def test_tls_against_a_port_without_it_names_what_is_there(line, code, name):
    finding = find(saying(line), security="SSL_TLS")
    assert finding.told == ("tls", code)
    assert finding.stage.evidence.get("looks_like") == name
    suggestion = {"connection_security": "STARTTLS"} if name == "SMTP" else None
    assert finding.stage.evidence.get("suggestion") == suggestion


def test_a_broken_tls_record_is_a_protocol_error():
    finding = find(sending(b"\x16\x03\x03\x00\x05\xff\xff\xff\xff\xff"), security="SSL_TLS")
    assert finding.told == ("tls", "protocol_error")


def test_a_refused_ehlo_is_not_followed_by_helo():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.hear()
        await peer.say("502 what?")
        await peer.hang()

    finding = find(script)
    assert finding.told == ("capabilities", "ehlo_refused")
    assert finding.server.peers[0].lines == [b"EHLO [127.0.0.1]", b"QUIT"]


def test_the_helo_name_of_the_definition_is_sent():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo()
        await peer.hang()

    finding = find(script, helo_name="mft.example", login=None)
    assert finding.told == (None, None)
    assert finding.server.peers[0].lines == [b"EHLO mft.example", b"QUIT"]


def test_starttls_that_is_not_offered_ends_before_any_credential():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH PLAIN LOGIN")
        await peer.hang()

    finding = find(script, security="STARTTLS")
    assert finding.told == ("starttls", "starttls_not_offered")
    assert finding.server.peers[0].lines == [b"EHLO [127.0.0.1]", b"QUIT"]
    assert outcomes(finding.report)[-6:] == [
        "tls:skipped",
        "trust:skipped",
        "hostname:skipped",
        "capabilities:skipped",
        "auth:skipped",
        "quit:skipped",
    ]


def test_starttls_that_is_refused_ends_before_any_credential():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("STARTTLS")
        await peer.hear()
        await peer.say("454 4.7.0 TLS not available")
        await peer.hang()

    finding = find(script, security="STARTTLS")
    assert finding.told == ("starttls", "starttls_refused")
    assert finding.stage.evidence["reply_code"] == 454


def test_bytes_in_the_segment_of_the_starttls_answer_are_an_injection(server_tls):
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("STARTTLS")
        await peer.hear()
        await peer.say("220 go ahead", "250-mail.test", "250 AUTH PLAIN")
        await peer.start_tls()
        await peer.hang()

    finding = find(script, security="STARTTLS", tls=server_tls)
    assert finding.told == ("starttls", "injected_data")
    assert finding.server.received == b"EHLO [127.0.0.1]\r\nSTARTTLS\r\n"


def test_bytes_after_the_client_hello_are_the_same_injection(server_tls):
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("STARTTLS")
        await peer.hear()
        await peer.say("220 go ahead")
        await peer.client_hello()
        await peer.say("250-mail.test", "250 AUTH PLAIN")
        await peer.hang()

    finding = find(script, security="STARTTLS", tls=server_tls)
    assert finding.told == ("starttls", "injected_data")
    assert outcomes(finding.report)[4:6] == ["starttls:failed", "tls:skipped"]


def test_an_answer_that_nobody_asked_for_is_an_error():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.hear()
        await peer.say("250-mail.test", "250 AUTH PLAIN", "235 welcome")
        await peer.hang()

    finding = find(script, mechanism="PLAIN")
    assert finding.told == ("auth", "protocol_error")
    assert b"AUTH" not in finding.server.received


def test_a_421_between_two_commands_is_heard():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.hear()
        await peer.say("250-mail.test", "250 AUTH PLAIN", "421 4.3.2 shutting down")
        await peer.close()

    finding = find(script, mechanism="PLAIN")
    assert finding.told == ("auth", "rate_limited")


def test_the_stages_of_clear_text_are_these():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH CRAM-MD5")
        await peer.hear()
        await peer.say("334 PDFAbWFpbD4=")
        await peer.hear()
        await peer.say("235 ok")
        await peer.hear()
        await peer.say("250 ok")
        await peer.hear()
        await peer.say("250 ok")
        await peer.hang()

    finding = find(script, sender_address="a@lab.test")
    assert outcomes(finding.report) == ["resolve", "connect", "greeting", "capabilities", "auth", "sender", "quit"]
    assert all(stage.duration_ms is not None and stage.duration_ms >= 0 for stage in finding.report.stages)


def test_a_greeting_in_time_wins_over_the_second_look(monkeypatch):
    async def go():
        looking = asyncio.Event()

        async def never(*_):
            looking.set()
            await asyncio.get_running_loop().create_future()

        async def script(peer):
            await looking.wait()
            await peer.say("220 mail.test")
            await peer.ehlo()
            await peer.hang()

        monkeypatch.setattr(running, "speaks_tls", never)
        async with HostileServer(script) as server:
            report = await probe(ask(server.port, timeout_ms=3_000, login=None))
            await server.gone()
            return report

    report = run(go())
    assert stage_of(report, "greeting").outcome is StageOutcome.OK
