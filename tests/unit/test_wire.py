"""What travels between console and STENG, the catalogue of codes, and secrets that do not."""

import copy
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from steng.codes import CATALOGUE, CODES, find
from steng.secret import Secret
from steng.wire import ProbeRequest, StageName, TrustSet, WireError, from_json, to_json
from tests.lab.asking import PASSWORD, anchored, ask

REQUEST = ask(25, "STARTTLS", trust=anchored(b"\x30\x00", pins=(b"\x30\x01",), rejected=("ab" * 32,)))


def test_a_request_survives_its_journey():
    data = json.loads(json.dumps(to_json(REQUEST)))
    arrived = from_json(ProbeRequest, data)
    assert to_json(arrived) == data
    assert arrived.login.password.reveal() == PASSWORD
    assert arrived.trust == REQUEST.trust


def changed(path, value):
    data = copy.deepcopy(to_json(REQUEST))
    *way, last = path
    place = data
    for step in way:
        place = place[step]
    place[last] = value
    return data


FAULTS = {
    "an unknown key": (("misspelt",), 1, "$.misspelt: unknown key"),
    "an unknown key deep inside": (("tls", "protocolls"), None, "$.tls.protocolls: unknown key"),
    "a number as text": (("port",), "25", "$.port: wrong type"),
    "a truth as number": (("port",), True, "$.port: wrong type"),
    "a fraction": (("port",), 25.0, "$.port: wrong type"),
    "a number as truth": (("tls", "match_server_hostname"), 1, "$.tls.match_server_hostname: wrong type"),
    "nothing where something must be": (("host",), None, "$.host: wrong type"),
    "a word that is no choice": (("depth",), "deep", "$.depth: not one of connect, tls, login, full"),
    "no base64": (("trust", "anchors", 0, "der"), "*", "$.trust.anchors[0].der: not base64"),
    "a text for a list": (("tls", "protocols"), "TLSv1_2", "$.tls.protocols: wrong type"),
    "another format": (("format",), 1, "$.format: this agent speaks format 2 only"),
}


@pytest.mark.parametrize(("path", "value", "sentence"), FAULTS.values(), ids=FAULTS)
def test_what_is_not_exactly_a_request_is_refused_with_its_place(path, value, sentence):
    with pytest.raises(WireError, match=re.escape(sentence)):
        from_json(ProbeRequest, changed(path, value))


def test_a_missing_key_is_refused():
    data = to_json(REQUEST)
    del data["host"]
    with pytest.raises(WireError, match="host"):
        from_json(ProbeRequest, data)


def test_a_refusal_does_not_show_what_it_refused():
    with pytest.raises(WireError) as refused:
        from_json(ProbeRequest, changed(("login", "password"), {"leak": PASSWORD}))
    assert PASSWORD not in str(refused.value)


def test_a_secret_shows_nothing():
    secret = Secret(PASSWORD)
    assert {str(secret), repr(secret), f"{secret}", f"{[secret]}"} == {"<secret>", "[<secret>]"}
    assert PASSWORD not in repr(REQUEST)
    assert secret != Secret(PASSWORD)
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_a_trust_set_trusts_nothing_by_itself():
    assert TrustSet() == TrustSet(version=0, anchors=(), pins=(), rejected=())


def test_every_code_says_what_happened_and_what_to_do():
    for outcome in CATALOGUE.values():
        assert outcome.detail.endswith(".")
        assert outcome.advice.endswith(".")
        assert re.fullmatch(r"[a-z0-9_]+", outcome.code)


def test_a_code_of_a_stage_wins_over_the_same_code_anywhere():
    assert find(StageName.AUTH, "timeout") is not find(StageName.QUIT, "timeout")
    assert find(StageName.QUIT, "timeout").stage is None
    with pytest.raises(KeyError):
        find(StageName.QUIT, "refused")


def test_every_code_that_the_probe_can_give_is_in_the_catalogue():
    root = Path(__file__).resolve().parents[2] / "steng" / "probe"
    text = "\n".join(path.read_text() for path in root.glob("*.py"))
    used = set(re.findall(r'(?:ProbeFailure|warn)\(\s*"([a-z_]+)"', text))
    assert len(used) > 20
    assert used <= set(CODES)


def test_the_agent_needs_no_django():
    script = "import sys, steng.__main__, steng.probe; print([name for name in sys.modules if 'django' in name])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
