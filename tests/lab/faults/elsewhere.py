"""Codes that no server can provoke from its side of a socket, each with the test that proves it."""

from collections.abc import Mapping

_MANNERS = "tests/integration/test_probe_manners.py::"
_REACH = "tests/integration/test_probe_reach.py::"
_TIME = "tests/integration/test_dispatch_time.py::"

PROVEN: Mapping[tuple[str | None, str], str] = {
    ("connect", "timeout"): f"{_REACH}test_of_several_failures_the_one_that_came_furthest_is_told",
    ("connect", "unreachable"): f"{_REACH}test_of_several_failures_the_one_that_came_furthest_is_told",
    ("connect", "address_family_unreachable"): f"{_REACH}test_addresses_of_a_family_that_is_missing_here_are_told",
    (None, "bug_in_probe"): f"{_MANNERS}test_a_bug_is_reported_with_its_stage_and_without_its_words",
    (None, "not_supported_by_this_steng"): (
        "tests/integration/test_effects_not_yet.py::test_what_this_steng_cannot_do_ends_the_test"
    ),
    ("queue", "cancelled"): "tests/integration/test_dispatch_api.py::test_a_job_without_verdict_has_null_and_a_code",
    ("queue", "timed_out"): f"{_TIME}test_a_running_job_is_stopped_at_its_deadline",
    ("queue", "lost"): f"{_TIME}test_a_lease_that_ran_out_after_a_login_loses_the_job",
    ("queue", "no_steng"): f"{_TIME}test_a_job_that_nobody_claims_says_why",
    ("queue", "steng_unsuitable"): (
        "tests/integration/test_dispatch.py::test_a_request_of_a_newer_format_is_for_another_steng"
    ),
    ("queue", "secret_unreadable"): f"{_TIME}test_a_job_that_cannot_be_made_is_born_failed",
}
