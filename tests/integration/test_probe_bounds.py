"""What a server may put into a report: clean, and little of it."""

import json

import pytest

from steng.probe.smtp import Smtp
from steng.wire import to_json
from tests.lab.asking import find, stage_of

NAMES = [f"X{number:03X}" for number in range(2_400)]


def offering(*words):
    """Return a script that offers sign-in mechanisms over many lines, as bytes."""

    async def script(peer):
        await peer.say("220 mail.test")
        await peer.hear()
        await peer.send(b"250-mail.test\r\n")
        for word in words[:-1]:
            await peer.send(b"250-AUTH " + word + b"\r\n")
        await peer.send(b"250 AUTH " + words[-1] + b"\r\n")
        await peer.hang()

    return script


@pytest.mark.parametrize("mechanism", ["AUTO", "LOGIN"])
def test_words_that_are_not_utf8_are_told_as_escapes(mechanism):
    finding = find(offering(b"\xff\xfe"), mechanism=mechanism)
    assert finding.told == ("auth", "mechanism_not_offered")
    assert finding.stage.evidence["offered"] == ["\\xff\\xfe"]
    assert "it offers: \\xff\\xfe." in finding.stage.detail
    json.dumps(to_json(finding.report), ensure_ascii=False).encode()


def test_of_thousands_of_mechanisms_twenty_are_told():
    words = " ".join(NAMES).encode()
    finding = find(offering(*[words] * 19))
    assert finding.told == ("auth", "mechanism_not_offered")
    assert finding.stage.evidence["offered"] == NAMES[:20]
    assert len(finding.stage.detail) <= 1_000
    assert sum(len(json.dumps(to_json(stage))) for stage in finding.report.stages) < 20_000


def test_a_mechanism_is_told_with_forty_characters():
    finding = find(offering(b"\xff" * 500))
    assert finding.stage.evidence["offered"] == ["\\xff" * 9 + "\\xf" + "…"]


def test_a_mechanism_behind_thousands_of_others_is_still_used():
    finding = find(offering(" ".join([*NAMES, "CRAM-MD5"]).encode()), timeout_ms=300)
    assert finding.told == ("auth", "timeout")
    assert finding.server.peers[0].lines[1] == b"AUTH CRAM-MD5"


def test_what_a_stage_forgot_to_clean_is_cleaned_before_anybody_hears_of_it(monkeypatch):
    async def careless(session, stage):
        stage.evidence["raw"] = ["\udcff" * 5_000] * 100

    monkeypatch.setattr(Smtp, "greeting", careless)
    raw = stage_of(find(offering(b"PLAIN")).report, "greeting").evidence["raw"]
    assert (len(raw), {len(text) for text in raw}, raw[0][:4]) == (50, {1_000}, "\\xff")
