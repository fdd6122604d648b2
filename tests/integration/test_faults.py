"""Every case of the fault table: the stage and the code, what is skipped then, and what the server received."""

import base64
import json
import tracemalloc
import unicodedata

import pytest

from steng.wire import StageName, StageOutcome, Verdict, to_json
from tests.lab.asking import PASSWORD, USER
from tests.lab.dialects import Moment
from tests.lab.facts import Protocol, Security
from tests.lab.faults import CASES
from tests.lab.faults.course import CREDENTIAL
from tests.lab.faults.fault import Case, Fault
from tests.lab.faults.play import play

NAMES = [case.name for case in CASES]
PLAIN = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode())
SIGNED_IN = {"auth", "sender", "folder", "quit", None}

FLOODS = [case for case in CASES if case.fault.floods and case.security is Security.NONE]
MAX_KEPT = 4 * 1024 * 1024
"""Bytes that a probe and the server that floods it may hold together at any time; they hold less than half of it."""

MAX_TOLD = 100_000
"""Characters of a whole report as JSON."""


def judge(case, played):
    """Assert everything that holds for every case."""
    report = played.report
    assert played.told == case.told
    assert played.heard == case.heard
    judge_stages(case, report)
    judge_secrets(case, played)
    for text in texts(to_json(report)):
        bad = [character for character in text if unicodedata.category(character) in {"Cc", "Cf", "Cs"}]
        assert not bad, text


def judge_stages(case, report):
    stage = report.telling_stage
    failed = [place for place, stage in enumerate(report.stages) if stage.outcome is StageOutcome.FAILED]
    if case.fault.code is None or case.fault.warning:
        assert (report.verdict, failed) == (Verdict.WARNING if case.fault.code else Verdict.SUCCESS, [])
    else:
        (place,) = failed
        assert {stage.outcome for stage in report.stages[place + 1 :]} <= {StageOutcome.SKIPPED}
        assert report.verdict is Verdict.FAILURE
    if stage is not None:
        assert stage.detail
        assert stage.advice
        assert case.fault.evidence.items() <= stage.evidence.items()
        assert case.fault.field in {None, stage.field}


def judge_secrets(case, played):
    """A credential leaves only for the sign-in, never in clear beside TLS, and never on a second look."""
    first, *others = played.peers or [None]
    clear, under_tls = (bytes(first.clear), bytes(first.tls)) if first else (b"", b"")
    secrets = (PLAIN, PASSWORD.encode(), base64.b64encode(PASSWORD.encode()), USER.encode())
    if case.security is not Security.NONE or CREDENTIAL not in " ".join(case.heard):
        assert not any(secret in clear for secret in secrets)
    if case.told[0] not in SIGNED_IN and not case.fault.warning:
        assert not any(secret in under_tls for secret in secrets)
    assert all(other.tls == b"" for other in others)
    told = json.dumps(to_json(played.report), ensure_ascii=False)
    assert json.dumps(PASSWORD, ensure_ascii=False)[1:-1] not in told


def texts(value):
    """Yield every text of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_fault_has_its_stage_and_code_and_the_server_hears_no_more_than_it_may(case):
    judge(case, play(case))


@pytest.mark.parametrize("case", FLOODS, ids=[case.name for case in FLOODS])
def test_a_flood_is_kept_and_told_within_bounds(case):
    tracemalloc.start()
    try:
        played = play(case)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert played.told == case.told
    assert peak < MAX_KEPT
    assert len(json.dumps(to_json(played.report))) < MAX_TOLD


def good(protocol, security):
    return Case(Fault(name="does nothing wrong", at=Moment.QUIT, code=None), protocol, security)


@pytest.mark.parametrize("security", list(Security))
@pytest.mark.parametrize("protocol", list(Protocol))
def test_a_server_without_a_fault_is_a_success(protocol, security):
    case = good(protocol, security)
    played = play(case)
    judge(case, played)
    assert {stage.outcome for stage in played.report.stages} == {StageOutcome.OK}
    assert [stage.name for stage in played.report.stages][-1] is StageName.QUIT


def test_there_are_hundreds_of_cases_and_no_two_of_one_name():
    assert len(CASES) >= 1_000
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("protocol", list(Protocol))
def test_every_moment_of_every_security_has_faults(protocol):
    from tests.lab.faults.course import moments

    for security in Security:
        faulty = {case.fault.at for case in CASES if (case.protocol, case.security) == (protocol, security)}
        assert set(moments(protocol, security)) <= faulty
