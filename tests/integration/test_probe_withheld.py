"""What a server writes once it knows the password: nothing of it is told but codes and our own wording."""

import base64
import hashlib
import json

import pytest

from steng.secret import Secret
from steng.wire import Login, Mechanism, to_json
from tests.lab.asking import PASSWORD, anchored, der_of, find, stage_of

SECRET = PASSWORD.encode()
WITHHELD = "[text withheld after the password was sent]"
PLAIN = base64.b64encode(b"\0user@lab.test\0" + SECRET).decode()


@pytest.fixture(scope="module")
def secured(pki):
    return {"security": "SSL_TLS", "tls": pki.leaf().server_context(), "trust": anchored(der_of(pki.root))}


def answering(*answers):
    """Return a script over TLS that answers what follows EHLO with these, one by one."""

    async def script(peer):
        await peer.start_tls()
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH PLAIN")
        for answer in answers:
            await peer.hear()
            await peer.say(*answer)
        await peer.hang()

    return script


def texts_after(finding, stage):
    """Return what the transcript shows as received in one stage."""
    return [
        line.text
        for line in finding.report.transcript
        if line.stage.value == stage and line.direction.value == "received"
    ]


DISGUISES = {
    "split over two lines": (PASSWORD[:5], PASSWORD[5:]),
    "the answer of PLAIN over two lines": (PLAIN[:20], PLAIN[20:]),
    "escaped": (PASSWORD.replace('"', '\\"'),),
    "in base32": (base64.b32encode(SECRET).decode(),),
    "backwards": (PASSWORD[::-1],),
    "spelled out": (" ".join(PASSWORD),),
    "as SHA-1": (hashlib.sha1(SECRET).hexdigest(),),
}


@pytest.mark.parametrize("parts", DISGUISES.values(), ids=DISGUISES)
def test_no_disguise_of_the_password_is_told(parts, secured):
    lines = [f"535-5.7.8 {part}" for part in parts[:-1]] + [f"535 5.7.8 {parts[-1]}"]
    finding = find(answering(lines), **secured)
    assert finding.told == ("auth", "credentials_refused")
    told = json.dumps(to_json(finding.report), ensure_ascii=False)
    assert [part for part in parts if json.dumps(part, ensure_ascii=False)[1:-1] in told] == []


def test_of_a_refusal_only_code_status_and_the_lack_of_words_are_told(secured):
    finding = find(answering(["535-5.7.8 s3", "535 5.7.8 cr3t"]), **secured)
    assert {name: finding.stage.evidence[name] for name in ("reply_code", "enhanced_status", "text")} == {
        "reply_code": 535,
        "enhanced_status": "5.7.8",
        "text": WITHHELD,
    }
    assert finding.stage.detail == f"The server refused the sign-in (PLAIN): 535 5.7.8 {WITHHELD}"
    assert texts_after(finding, "auth") == [f"535-5.7.8 {WITHHELD}", f"535 5.7.8 {WITHHELD}"]


KNOWN = {
    "535 5.7.8 Error: authentication failed: xyzzy": "535 5.7.8 authentication failed",
    "535-5.7.8 Username and Password not accepted. xyzzy": "535-5.7.8 invalid credentials",
    "454 4.7.0 Too many login attempts, xyzzy": "454 4.7.0 too many sign-ins",
    "534 5.7.9 Application-specific password required xyzzy": "534 5.7.9 an app password is required",
    "535 5.7.8 your account has been locked, xyzzy": "535 5.7.8 the account is locked",
    "535 5.7.8 your network is blocked, xyzzy": "535 5.7.8 [text withheld after the password was sent]",
}


@pytest.mark.parametrize(("line", "shown"), KNOWN.items())
def test_a_known_phrase_is_told_in_our_words(line, shown, secured):
    last = f"{line[:3]} xyzzy"
    finding = find(answering([line, last] if line[3] == "-" else [line]), **secured)
    assert texts_after(finding, "auth")[0] == shown
    assert "xyzzy" not in json.dumps(to_json(finding.report))


@pytest.mark.parametrize("digits", ["5.123.456", "5.7.123", "4.7.8", "5.7.8s3"])
def test_digits_that_are_no_usual_status_code_are_not_told(digits, secured):
    finding = find(answering([f"535 {digits} no"]), **secured)
    assert finding.stage.evidence["enhanced_status"] == ""
    assert texts_after(finding, "auth") == [f"535 {WITHHELD}"]


def test_what_is_no_reply_is_not_told_after_the_password(secured):
    finding = find(answering([PASSWORD[::-1]]), **secured)
    assert finding.told == ("auth", "protocol_error")
    assert texts_after(finding, "auth") == [WITHHELD]


def test_a_decoded_answer_to_cram_md5_is_told_nowhere():
    decoded = []

    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo("AUTH CRAM-MD5")
        await peer.hear()
        await peer.say("334 PDFAbWFpbD4=")
        decoded.append(base64.b64decode(await peer.hear()).decode().split()[1])
        await peer.say(f"535 5.7.8 {decoded[0]}")
        await peer.hang()

    finding = find(script)
    assert decoded[0] not in json.dumps(to_json(finding.report))
    assert texts_after(finding, "auth") == ["334 [challenge withheld]", f"535 5.7.8 {WITHHELD}"]


def test_the_stages_after_the_sign_in_withhold_words_too(secured):
    script = answering(["235 2.7.0 accepted"], ["550 5.7.1 " + PASSWORD[::-1]])
    finding = find(script, sender_address="a@lab.test", **secured)
    assert finding.told == ("sender", "sender_refused")
    assert stage_of(finding.report, "auth").outcome == "ok"
    assert finding.stage.detail == f"The server does not accept the sender address: 550 5.7.1 {WITHHELD}"
    assert texts_after(finding, "sender") == [f"550 5.7.1 {WITHHELD}"]


def test_without_a_sign_in_the_words_of_the_server_are_told():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo()
        await peer.hear()
        await peer.say("550 5.1.8 ask Martha")
        await peer.hang()

    finding = find(script, login=None, sender_address="a@lab.test")
    assert finding.stage.detail == "The server does not accept the sender address: 550 5.1.8 ask Martha"


def test_a_phrase_that_stands_in_the_password_itself_is_not_told(secured):
    login = Login(Mechanism.PLAIN, "user@lab.test", Secret("locked"))
    finding = find(answering(["535 5.7.8 locked is wrong"]), login=login, **secured)
    assert finding.stage.evidence["text"] == WITHHELD
    assert texts_after(finding, "auth") == [f"535 5.7.8 {WITHHELD}"]
