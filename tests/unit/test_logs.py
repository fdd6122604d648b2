"""What the log says of a refusal, and of a fault of ours."""

import logging

import pytest

from console.logs import RefusalsInOneLine


def record(**values):
    fault = PermissionError("not yours")
    made = logging.LogRecord("django.request", logging.WARNING, "", 0, "Forbidden", (), (type(fault), fault, None))
    made.__dict__.update(values)
    return made


@pytest.mark.parametrize(
    ("values", "traced"),
    [({"status_code": 403}, False), ({"status_code": 404}, False), ({"status_code": 500}, True), ({}, True)],
    ids=["forbidden", "not found", "fault of ours", "no request"],
)
def test_only_faults_of_ours_are_traced(values, traced):
    made = record(**values)
    assert (RefusalsInOneLine().filter(made), made.exc_info is not None) == (True, traced)
