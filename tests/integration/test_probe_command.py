"""`python -m steng probe`: a request in a file, a report on standard output, an exit status for scripts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from steng.wire import ProbeReport, from_json, to_json
from tests.lab.asking import PASSWORD, USER, ask
from tests.lab.facts import Security
from tests.lab.ports import Ports
from tests.lab.pyserver import RecordingSmtpServer

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments, typed=None):
    return subprocess.run(
        [sys.executable, "-m", "steng", "probe", *arguments], input=typed, capture_output=True, cwd=ROOT, check=False
    )


def text_of(request, **changes):
    return json.dumps(to_json(request) | changes).encode()


@pytest.fixture
def server():
    with RecordingSmtpServer(Security.NONE, users={USER: PASSWORD}) as running:
        yield running


@pytest.fixture
def closed_port():
    ports = Ports()
    yield ports.reserve()
    ports.release()


def test_a_success_ends_with_zero_and_the_report(server, tmp_path):
    file = tmp_path / "request.json"
    file.write_bytes(text_of(ask(server.port)))
    done = command(str(file))
    report = from_json(ProbeReport, json.loads(done.stdout))
    assert (done.returncode, report.verdict, done.stderr) == (0, "success", b"")
    assert PASSWORD.encode() not in done.stdout


def test_a_warning_ends_with_zero(server):
    done = command("-", typed=text_of(ask(server.port, mechanism="PLAIN")))
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "warning")


def test_a_failure_ends_with_one(closed_port):
    done = command("-", typed=text_of(ask(closed_port)))
    assert (done.returncode, json.loads(done.stdout)["stages"][1]["code"]) == (1, "refused")


def test_the_stages_can_be_had_for_people(closed_port):
    done = command("-", "--pretty", typed=text_of(ask(closed_port)))
    lines = done.stdout.decode().splitlines()
    assert lines[0].startswith("failure")
    assert lines[2].split()[:2] == ["connect", "FAILED"]
    assert lines[2].split()[-1] == "refused"
    assert lines[-1].split() == ["quit", "skipped"]


REQUESTS = {
    "no JSON": (b"{nothing", b"-: not JSON, line 1, column 2\n"),
    "not text": (b"\xff\xfe\xfd", b"-: not a request in UTF-8\n"),
    "an unknown key": (text_of(ask(25), hosst="x"), b"-: $.hosst: unknown key\n"),
    "a wrong type": (text_of(ask(25), port="25"), b"-: $.port: wrong type\n"),
    "a port out of range": (text_of(ask(25), port=65_536), b"-: $.port: not 1 to 65535\n"),
    "another format": (text_of(ask(25), format=1), b"-: $.format: this agent speaks format 2 only\n"),
}


@pytest.mark.parametrize(("text", "sentence"), REQUESTS.values(), ids=REQUESTS)
def test_a_request_that_cannot_be_read_ends_with_two_and_a_sentence(text, sentence):
    done = command("-", typed=text)
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", sentence)


def test_a_file_that_is_not_there_ends_with_two():
    done = command("/nowhere/request.json")
    assert (done.returncode, done.stderr) == (2, b"/nowhere/request.json: No such file or directory\n")


def test_no_argument_ends_with_two():
    assert command().returncode == 2
