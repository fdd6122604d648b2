"""Whatever a report holds can be stored, shown and sent, and takes no more than its room."""

import json
import math

import pytest

from cluster import dispatch
from cluster.dispatch import told
from cluster.models import Job
from steng.wire import Direction, ProbeReport, StageName, StageOutcome, TranscriptLine, Verdict
from tests.jobs import NOW, local_steng, running, stage

pytestmark = pytest.mark.django_db
BAD = "a\udcffb\0c"
GOOD = "a\\udcffb\\x00c"


def nested(depth):
    return [nested(depth - 1)] if depth else []


HOSTILE = {
    "text": BAD,
    BAD: "key",
    "deep": {"list": [BAD, (BAD,)]},
    "number": [math.nan, math.inf, -math.inf, 10**5000, 5],
    "bytes": b"\x00",
    "set": {1},
    "nested": nested(50),
}


def line(text, ms=1):
    return TranscriptLine(ms, Direction.RECEIVED, StageName.GREETING, text)


def hostile(*, duration=1.0, transcript=(), evidence=HOSTILE, detail=BAD, stages=1):
    """Return a report of a failure in which nothing is as it should be."""
    bad = stage(StageName.GREETING, StageOutcome.FAILED, code="timeout", detail=detail, advice=BAD, evidence=evidence)
    return ProbeReport(Verdict.FAILURE, (bad,) * stages, duration, BAD, BAD, transcript=transcript)


def finished(report):
    """Return the job that a report has ended."""
    job, claim = running(local_steng())
    assert dispatch.finish(job.pk, claim.attempt, report, NOW)
    return Job.objects.get(pk=job.pk)


def size(job):
    return len(json.dumps(job.stages, ensure_ascii=False).encode()) + len(
        json.dumps(job.transcript, ensure_ascii=False).encode()
    )


@pytest.mark.parametrize("path", ["/api/v1/jobs/", "/api/v1/jobs/{}/", "/api/v1/jobs/{}/transcript/"])
def test_a_hostile_report_breaks_no_answer_of_the_api(path, api):
    job = finished(hostile(duration=math.inf, transcript=(line(BAD),)))
    assert api.get(path.format(job.pk)).status_code == 200


@pytest.mark.parametrize("path", ["/tests/", "/tests/{}/"])
def test_a_hostile_report_breaks_no_page(path, admin_client):
    job = finished(hostile(duration=math.nan, transcript=(line(BAD),)))
    assert admin_client.get(path.format(job.pk)).status_code == 200


def test_what_cannot_be_stored_is_made_visible_wherever_it_stands():
    evidence = finished(hostile()).stages[0]["evidence"]
    assert (evidence["text"], evidence[GOOD], evidence["deep"]) == (GOOD, "key", {"list": [GOOD, [GOOD]]})


def test_numbers_that_json_does_not_know_are_left_out():
    assert finished(hostile()).stages[0]["evidence"]["number"] == [None, None, None, None, 5]


def test_the_addresses_and_the_transcript_are_made_visible_too():
    job = finished(hostile(transcript=(line(BAD),)))
    assert (job.source_address, job.peer_address, job.transcript[0]["text"]) == (GOOD, GOOD, GOOD)


def test_stages_that_are_shown_while_a_test_runs_are_storable(api):
    job, claim = running(local_steng())
    assert dispatch.progress(job.pk, claim.attempt, hostile().stages)
    assert api.get(f"/api/v1/jobs/{job.pk}/").json()["stages"][0]["detail"] == GOOD


def test_stages_that_are_shown_while_a_test_runs_are_bounded():
    job, claim = running(local_steng())
    dispatch.progress(job.pk, claim.attempt, hostile(evidence={"much": "x" * told.MAX_BYTES}).stages)
    assert Job.objects.get(pk=job.pk).stages[0]["evidence"] == {}


def test_a_transcript_that_is_too_long_ends_in_a_note():
    job = finished(hostile(transcript=[line("é" * 500, ms) for ms in range(1_000)]))
    kept, note = job.transcript[:-1], job.transcript[-1]
    assert [each["ms"] for each in kept] == list(range(len(kept)))
    assert (note["direction"], note["text"]) == (
        "note",
        f"{1_000 - len(kept)} more lines are not kept: the server said too much.",
    )
    assert told.MAX_BYTES - 2_000 < size(job) <= told.MAX_BYTES


def test_a_long_transcript_costs_no_evidence():
    job = finished(hostile(evidence={"kept": 1}, transcript=[line("x" * 500)] * 1_000))
    assert job.stages[0]["evidence"] == {"kept": 1}


def test_evidence_that_is_too_much_goes_and_the_transcript_stays():
    job = finished(hostile(evidence={"much": "x" * told.MAX_BYTES}, transcript=(line("kept"),)))
    assert (job.stages[0]["evidence"], [each["text"] for each in job.transcript]) == ({}, ["kept"])


def test_whatever_is_too_long_the_whole_is_bounded():
    much = "\x01" * told.MAX_BYTES
    job = finished(hostile(detail=much, evidence={much: much}, transcript=[line(much)] * 2, stages=100))
    assert size(job) <= told.MAX_BYTES
    assert len(job.summary) == told.MAX_TEXT


def test_a_report_of_ordinary_size_is_stored_as_it_came():
    job = finished(hostile(evidence={"a": [1, 2.5, True, None, "ä"]}, detail="It is so.", transcript=(line("220 hi"),)))
    assert (job.stages[0]["evidence"], job.stages[0]["detail"], job.transcript[0]["text"]) == (
        {"a": [1, 2.5, True, None, "ä"]},
        "It is so.",
        "220 hi",
    )
