"""Every case of the fault table: the stage and the code, what is skipped then, and what the server received."""

import base64

import pytest

from steng.wire import StageOutcome, Verdict
from tests.lab.asking import PASSWORD, USER
from tests.lab.facts import Security
from tests.lab.faults import CASES
from tests.lab.faults.course import CREDENTIAL
from tests.lab.faults.play import play

SECRET = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode())
IMPLEMENTED = [case for case in CASES if case.protocol.value == "SMTP"]


@pytest.mark.parametrize("case", IMPLEMENTED, ids=[case.name for case in IMPLEMENTED])
def test_a_fault_has_its_stage_and_code_and_the_server_hears_no_more_than_it_may(case):
    played = play(case)
    report = played.report
    assert played.told == case.told
    assert played.heard == case.heard
    assert report.telling_stage is None or case.fault.evidence.items() <= report.telling_stage.evidence.items()
    failed = [place for place, stage in enumerate(report.stages) if stage.outcome is StageOutcome.FAILED]
    if report.verdict is Verdict.FAILURE:
        (place,) = failed
        assert {stage.outcome for stage in report.stages[place + 1 :]} <= {StageOutcome.SKIPPED}
    first = played.peers[0] if played.peers else None
    clear, under_tls = (bytes(first.clear), bytes(first.tls)) if first else (b"", b"")
    assert SECRET not in clear or case.told == ("auth", "clear_text_login")
    assert PASSWORD.encode() not in clear + under_tls
    assert (SECRET in under_tls) is (CREDENTIAL in " ".join(case.heard) and case.security is not Security.NONE)
    for second_look in played.peers[1:]:
        assert second_look.tls == b""
