"""Signing in to a server that answers as it is told: one attempt, one verdict, and no secret in what is told."""

import asyncio
import base64
import hashlib
import hmac
import json
import urllib.parse

import pytest

from steng.probe import probe
from steng.secret import Secret
from steng.wire import Authentication, Login, Mechanism, to_json
from tests.lab.asking import PASSWORD, USER, anchored, ask, der_of, find, outcomes, run, stage_of
from tests.lab.hostile import HostileServer

PLAIN = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()


@pytest.fixture(scope="module")
def leaf(pki):
    return pki.leaf()


@pytest.fixture(scope="module")
def trust(pki):
    return anchored(der_of(pki.root))


def refusing(*answer):
    """Return a script over TLS that answers AUTH PLAIN with these lines."""

    async def script(peer):
        await peer.start_tls()
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH PLAIN LOGIN CRAM-MD5")
        await peer.hear()
        await peer.say(*answer)
        await peer.hang()

    return script


ANSWERS = {
    "535 means wrong credentials": ("535 5.7.8 authentication failed", "credentials_refused"),
    "535 over two lines too": ("535-5.7.8 Username and Password\r\n535 5.7.8 not accepted", "credentials_refused"),
    "454 is for a while only": ("454 4.7.0 Temporary authentication failure", "auth_temporarily_unavailable"),
    "another 4xx is for a while only": ("451 4.3.0 try later", "auth_temporarily_unavailable"),
    "421 asks to wait": ("421 4.7.0 try again later", "rate_limited"),
    "too many logins ask to wait": ("454 4.7.0 Too many login attempts", "rate_limited"),
    "too many connections ask to wait": ("535 5.7.0 too many connections from this host", "rate_limited"),
    "5.7.9 wants an app password": ("534 5.7.9 Application-specific password required", "app_password_required"),
    "the words app password are enough": ("535 5.7.8 use an app password", "app_password_required"),
    "534 without them is a policy": ("534 5.7.14 Please log in via your web browser", "auth_disabled_by_policy"),
    "Microsoft's policy is a policy": (
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
        "auth_disabled_by_policy",
    ),
    "a locked account is told": ("535 5.7.8 your account has been locked", "account_locked"),
    "a suspended user is told": ("535 5.7.0 User is suspended", "account_locked"),
    "504 means another mechanism": ("504 5.5.4 unrecognized mechanism", "mechanism_not_offered"),
    "550 is unclear": ("550 5.7.1 no", "auth_failed"),
    "501 is unclear": ("501 5.5.2 cannot decode", "auth_failed"),
    "530 over TLS is unclear": ("530 5.7.0 authentication required", "auth_failed"),
}


@pytest.mark.parametrize(("answer", "code"), ANSWERS.values(), ids=ANSWERS)
def test_a_refusal_is_told_by_number_and_words(answer, code, leaf, trust):
    finding = find(refusing(answer), security="SSL_TLS", tls=leaf.server_context(), trust=trust)
    assert finding.told == ("auth", code)
    assert finding.stage.evidence["reply_code"] == int(answer[:3])
    assert sum(line.startswith(b"AUTH") for line in finding.server.peers[0].lines) == 1
    assert len(finding.server.peers) == 1


@pytest.mark.parametrize("number", [530, 538])
def test_a_server_that_wants_encryption_first_suggests_it(number):
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH PLAIN")
        await peer.hear()
        await peer.say(f"{number} 5.7.0 Must issue a STARTTLS command first")
        await peer.hang()

    finding = find(script, mechanism="PLAIN")
    assert finding.told == ("auth", "clear_text_login_disabled")
    assert finding.stage.evidence["suggestion"] == {"connection_security": "STARTTLS"}


CLEAR = {
    "AUTO uses CRAM-MD5 only": ("AUTO", ("AUTH PLAIN LOGIN",), "mechanism_not_offered"),
    "a named mechanism has to be offered": ("LOGIN", ("AUTH PLAIN",), "mechanism_not_offered"),
    "no mechanism but STARTTLS means clear text is off": ("AUTO", ("STARTTLS",), "clear_text_login_disabled"),
    "no mechanism at all is not offered": ("PLAIN", (), "mechanism_not_offered"),
}


@pytest.mark.parametrize(("mechanism", "capabilities", "code"), CLEAR.values(), ids=CLEAR)
def test_in_clear_text_nothing_is_sent_that_was_not_offered(mechanism, capabilities, code):
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo(*capabilities)
        await peer.hang()

    finding = find(script, mechanism=mechanism)
    assert finding.told == ("auth", code)
    assert finding.server.peers[0].lines == [b"EHLO [127.0.0.1]", b"QUIT"]


def test_a_mechanism_that_is_not_offered_suggests_one_that_is():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH PLAIN")
        await peer.hang()

    assert find(script, mechanism="LOGIN").stage.evidence["suggestion"] == {"basic_mechanism": "PLAIN"}


ORDER = {
    "PLAIN first": ("CRAM-MD5 LOGIN PLAIN XOAUTH2", "PLAIN"),
    "then LOGIN": ("CRAM-MD5 LOGIN", "LOGIN"),
    "then CRAM-MD5": ("CRAM-MD5 NTLM", "CRAM-MD5"),
}


@pytest.mark.parametrize(("offered", "used"), ORDER.values(), ids=ORDER)
def test_auto_over_tls_takes_exactly_one_mechanism(offered, used, leaf, trust):
    async def script(peer):
        await peer.start_tls()
        await peer.say("220 mail.test")
        await peer.ehlo(f"AUTH {offered}")
        await peer.hear()
        await peer.say("535 5.7.8 no")
        await peer.hang()

    finding = find(script, security="SSL_TLS", tls=leaf.server_context(), trust=trust)
    assert finding.told == ("auth", "credentials_refused")
    assert [line.split()[1].decode() for line in finding.server.peers[0].lines if line.startswith(b"AUTH")] == [used]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_password_sent_in_clear_by_choice_is_a_warning(mechanism):
    heard = []

    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo(f"AUTH {mechanism}")
        heard.append(await peer.hear())
        for prompt in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6")[: 2 if mechanism == "LOGIN" else 0]:
            await peer.say(f"334 {prompt}")
            heard.append(base64.b64decode(await peer.hear()).decode())
        await peer.say("235 ok")
        await peer.hang()

    finding = find(script, mechanism=mechanism)
    assert finding.told == ("auth", "clear_text_login")
    assert finding.report.verdict == "warning"
    assert heard == ([f"AUTH PLAIN {PLAIN}"] if mechanism == "PLAIN" else ["AUTH LOGIN", USER, PASSWORD])


def test_cram_md5_in_clear_is_no_warning_and_answers_the_challenge():
    challenge = b"<1.2@mail.test>"
    heard = []

    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH CRAM-MD5")
        await peer.hear()
        await peer.say(f"334 {base64.b64encode(challenge).decode()}")
        heard.append(base64.b64decode(await peer.hear()).decode())
        await peer.say("235 ok")
        await peer.hang()

    finding = find(script)
    assert finding.told == (None, None)
    assert heard == [f"{USER} {hmac.new(PASSWORD.encode(), challenge, 'md5').hexdigest()}"]


def test_a_long_password_waits_for_the_server_to_ask():
    login = Login(Mechanism.PLAIN, USER, Secret("p" * 1_024))
    heard = []

    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH PLAIN")
        heard.append(await peer.hear())
        await peer.say("334 ")
        heard.append(base64.b64decode(await peer.hear()).decode())
        await peer.say("235 ok")
        await peer.hang()

    find(script, login=login)
    assert heard == ["AUTH PLAIN", f"\0{USER}\0{'p' * 1_024}"]


def test_a_server_that_never_has_enough_is_told_to_stop():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH PLAIN")
        await peer.hear()
        await peer.say("334 ")
        await peer.hear()
        await peer.say("501 aborted")
        await peer.hang()

    finding = find(script, mechanism="PLAIN")
    assert finding.told == ("auth", "protocol_error")
    assert finding.server.peers[0].lines[-2:] == [b"*", b"QUIT"]


def test_a_challenge_that_is_not_base64_gets_no_answer():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH CRAM-MD5")
        await peer.hear()
        await peer.say("334 <not base64>")
        await peer.hear()
        await peer.say("501 aborted")
        await peer.hang()

    finding = find(script)
    assert finding.told == ("auth", "protocol_error")
    assert finding.server.peers[0].lines[-2:] == [b"*", b"QUIT"]


def test_an_answer_to_the_login_that_never_comes_is_a_timeout():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH PLAIN")
        await peer.hang()

    finding = find(script, mechanism="PLAIN", timeout_ms=300)
    assert finding.told == ("auth", "timeout")
    assert finding.server.peers[0].lines == [b"EHLO [127.0.0.1]", f"AUTH PLAIN {PLAIN}".encode()]


SECRET = PASSWORD.encode()
FORMS = {
    "the password": PASSWORD,
    "the password in capitals": PASSWORD.upper(),
    "the password in base64": base64.b64encode(SECRET).decode(),
    "the password in base64 for URLs": base64.urlsafe_b64encode(SECRET).decode(),
    "the answer of PLAIN": PLAIN,
    "the password in another base64 text": base64.b64encode(b"you said: " + SECRET + b", did you?").decode(),
    "the password in a URL": urllib.parse.quote(PASSWORD, safe=""),
    "the password in a form": urllib.parse.quote_plus(PASSWORD),
    "the password in hex": SECRET.hex(),
    "the hash of the password": hashlib.md5(SECRET).hexdigest(),
    "the password in HTML": PASSWORD.replace("&", "&amp;").replace('"', "&quot;"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_that_the_server_echoes_is_told_nowhere(form, leaf, trust):
    script = refusing(f"535-5.7.8 you sent {form}", f"535 5.7.8 {form} is wrong")
    finding = find(script, security="SSL_TLS", tls=leaf.server_context(), trust=trust)
    assert finding.told == ("auth", "credentials_refused")
    told = json.dumps(to_json(finding.report), ensure_ascii=False)
    assert "[text withheld after the password was sent]" in told
    for secret in (form, PASSWORD, base64.b64encode(SECRET).decode(), PLAIN):
        assert json.dumps(secret, ensure_ascii=False)[1:-1].lower() not in told.lower()


def test_an_echoed_answer_to_cram_md5_is_told_nowhere():
    answers = []

    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH CRAM-MD5")
        await peer.hear()
        await peer.say("334 PDFAbWFpbD4=")
        answers.append(await peer.hear())
        await peer.say(f"535 5.7.8 {answers[0]} is wrong")
        await peer.hang()

    finding = find(script)
    assert answers[0] not in json.dumps(to_json(finding.report))


def test_the_transcript_holds_the_conversation_without_the_credentials():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH PLAIN")
        await peer.hear()
        await peer.say("235 welcome")
        await peer.hang()

    lines = find(script, mechanism="PLAIN").report.transcript
    assert [(line.direction.value, line.stage.value, line.text) for line in lines] == [
        ("received", "greeting", "220 mail.test"),
        ("sent", "capabilities", "EHLO [127.0.0.1]"),
        ("received", "capabilities", "250-mail.test"),
        ("received", "capabilities", "250 AUTH PLAIN"),
        ("sent", "auth", "AUTH PLAIN <redacted>"),
        ("received", "auth", "235 [text withheld after the password was sent]"),
        ("sent", "quit", "QUIT"),
    ]


def test_the_mark_before_the_credentials_is_asked_for_once_and_before_them():
    seen = []

    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH PLAIN")
        await peer.hear()
        await peer.say("235 ok")
        await peer.hang()

    async def look():
        async with HostileServer(script) as server:

            async def before():
                seen.append(bytes(server.received))
                return True

            report = await probe(ask(server.port, mechanism="PLAIN"), before_credentials=before)
            await server.gone()
            return report

    assert stage_of(run(look()), "auth").code == "clear_text_login"
    assert seen == [b"EHLO [127.0.0.1]\r\n"]


def test_a_mark_that_is_denied_stops_the_probe_before_any_credential():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH PLAIN")
        await peer.hang()

    async def look():
        async def before():
            return False

        async with HostileServer(script) as server:
            with pytest.raises(asyncio.CancelledError):
                await probe(ask(server.port, mechanism="PLAIN"), before_credentials=before)
            await server.gone()
            return server.received

    assert run(look()) == b"EHLO [127.0.0.1]\r\nQUIT\r\n"


def test_a_mark_that_breaks_is_a_bug_and_no_credential_is_sent():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH PLAIN")
        await peer.hang()

    async def look():
        async def before():
            raise RuntimeError(PASSWORD)

        async with HostileServer(script) as server:
            report = await probe(ask(server.port, mechanism="PLAIN"), before_credentials=before)
            await server.gone()
            return report, server.received

    report, received = run(look())
    assert (report.telling_stage.name, report.telling_stage.code) == ("auth", "bug_in_probe")
    assert b"AUTH" not in received
    assert PASSWORD not in str(to_json(report))


SENDERS = {
    "an address that is refused": ("a@lab.test", (), "550 5.1.8 no", b"MAIL FROM:<a@lab.test>"),
    "a domain outside ASCII as A-labels": ("a@münchen.test", (), "550 no", b"MAIL FROM:<a@xn--mnchen-3ya.test>"),
    "a local part outside ASCII with SMTPUTF8": (
        "ä@lab.test",
        ("SMTPUTF8",),
        "550 no",
        "MAIL FROM:<ä@lab.test> SMTPUTF8".encode(),
    ),
}


@pytest.mark.parametrize(("address", "capabilities", "answer", "line"), SENDERS.values(), ids=SENDERS)
def test_a_sender_is_named_to_the_server(address, capabilities, answer, line):
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo(*capabilities)
        await peer.hear()
        await peer.say(answer)
        await peer.hang()

    finding = find(script, login=None, sender_address=address)
    assert finding.told == ("sender", "sender_refused")
    assert finding.server.peers[0].lines[1:] == [line, b"QUIT"]


def test_a_sender_outside_ascii_without_smtputf8_is_not_sent():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo()
        await peer.hang()

    finding = find(script, login=None, sender_address="ä@lab.test")
    assert finding.told == ("sender", "sender_refused")
    assert finding.server.peers[0].lines[1:] == [b"QUIT"]


def test_oauth2_goes_as_far_as_it_can_and_sends_nothing(leaf, trust):
    finding = find(
        refusing(),
        security="SSL_TLS",
        tls=leaf.server_context(),
        trust=trust,
        authentication=Authentication.OAUTH2_CLIENT_CREDENTIAL,
        login=None,
    )
    assert finding.told == ("auth", "not_supported_by_this_steng")
    assert finding.stage.field == "authentication_type"
    assert finding.server.peers[0].lines == [b"EHLO [127.0.0.1]", b"QUIT"]
    assert outcomes(finding.report)[-2:] == ["auth:failed", "quit:skipped"]
