"""How pages put moments, durations, fingerprints and stages into words."""

from datetime import UTC, datetime, timedelta

import pytest

from cluster.templatetags.stages import code_words, evidence_line, stage_label
from core.templatetags.postern import age, as_query, as_words, duration, fingerprint

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (None, ""),
        (0, "0.0 ms"),
        (0.42, "0.4 ms"),
        (1, "1 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (60_000, "60.00 s"),
    ],
)
def test_a_duration_is_short_and_has_its_unit(milliseconds, shown):
    assert duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("ago", "shown"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=9), "just now"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(days=1), "yesterday"),
        (timedelta(days=59), "59 days ago"),
        (timedelta(days=60), "2 months ago"),
        (timedelta(days=800), "2 years ago"),
    ],
)
def test_an_age_is_told_in_the_unit_that_fits(ago, shown):
    assert f">{shown}</time>" in age(NOW - ago, NOW)


def test_an_age_carries_the_exact_moment_with_its_zone():
    assert age(NOW, NOW) == (
        '<time datetime="2026-11-20T12:00:00+00:00" title="20 Nov 2026 12:00:00 UTC">just now</time>'
    )


def test_a_fingerprint_is_shown_in_two_lines_and_carried_whole():
    shown = fingerprint("0a" * 32)
    assert f'data-fingerprint="{"0a" * 32}"' in shown
    assert f"<span>{':'.join(['0A'] * 16)}:</span><span>{':'.join(['0A'] * 16)}</span>" in shown


def test_what_a_stranger_wrote_is_escaped():
    assert "<script>" not in fingerprint("<script>")


@pytest.mark.parametrize(
    ("stage", "line"),
    [
        ({"name": "trust", "detail": "Its own sentence.", "evidence": {"accepted_by": None}}, "Its own sentence."),
        ({"name": "resolve", "evidence": {"host": "h.example", "addresses": ["192.0.2.1", "2001:db8::1"]}},
         "h.example → 192.0.2.1, 2001:db8::1"),
        ({"name": "resolve", "evidence": {"host": "192.0.2.1", "addresses": ["192.0.2.1"]}}, "192.0.2.1"),
        ({"name": "connect", "evidence": {"peer_address": "::1", "port": 25, "source_address": "::1"}},
         "[::1]:25 from ::1"),
        ({"name": "capabilities", "evidence": {"capabilities": ["STARTTLS"], "mechanisms": ["PLAIN", "LOGIN"]}},
         "STARTTLS offered · Sign-in by PLAIN, LOGIN"),
        ({"name": "trust", "evidence": {"accepted_by": {"kind": "anchor", "name": "Lab"}, "complete_to_root": False}},
         "Accepted by anchor Lab · complete to a root: no"),
        ({"name": "quit", "evidence": {"anything": 1}}, ""),
        ({"name": "tls"}, ""),
    ],
)  # fmt: skip
def test_a_stage_shows_one_line_of_what_it_saw(stage, line):
    assert evidence_line(stage) == line


def test_a_name_without_a_label_is_still_readable():
    assert stage_label("a_new_stage") == "A new stage"
    assert code_words("credentials_refused") == "Credentials refused"


def test_a_suggestion_is_a_query_for_the_button_and_words_for_people():
    values = {"host": "mail.example", "port": 465, "connection_security": "SSL_TLS"}
    assert as_query(values) == "host=mail.example&port=465&connection_security=SSL_TLS"
    assert as_words(values) == "host mail.example, port 465, SSL/TLS"
