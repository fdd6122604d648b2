"""The table of job states, and the rules of time around it."""

import datetime as dt
from types import SimpleNamespace

import pytest

from cluster import rules
from cluster.choices import JobState, Lane
from cluster.engines.local import Held, Room
from cluster.states import ARROWS, FINAL, LIVE, Event

NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)


def steng(**changes):
    return SimpleNamespace(**{"enabled": True, "drain": False, "state": "online", "last_seen": NOW, **changes})


def held(number, lane=Lane.INTERACTIVE, target="mail.example.org:25"):
    return [Held(index, lane.value, target) for index in range(number)]


def test_the_table_is_that_of_the_architecture():
    table = {
        (source.value, event.value, arrow.target.value) for event, arrow in ARROWS.items() for source in arrow.sources
    }
    assert table == {
        ("queued", "accept", "dispatched"),
        ("queued", "nobody", "failed"),
        ("queued", "cancel", "cancelled"),
        ("dispatched", "claim", "running"),
        ("dispatched", "return", "queued"),
        ("dispatched", "nobody", "failed"),
        ("dispatched", "unreadable", "failed"),
        ("dispatched", "cancel", "cancelled"),
        ("running", "report", "finished"),
        ("running", "overrun", "timed_out"),
        ("running", "repeat", "queued"),
        ("running", "silent", "lost"),
        ("running", "cancel", "cancelled"),
    }  # fmt: skip


def test_every_event_has_an_arrow():
    assert set(ARROWS) == set(Event)


@pytest.mark.parametrize("state", FINAL)
def test_no_arrow_leaves_a_final_state(state):
    assert [event for event, arrow in ARROWS.items() if state in arrow.sources] == []


def test_live_and_final_states_are_all_states():
    assert sorted((*LIVE, *FINAL)) == sorted(JobState)


def test_a_steng_is_live_until_it_was_silent_for_too_long():
    assert rules.is_live(steng(last_seen=NOW - rules.DEAD_AFTER), NOW)
    assert not rules.is_live(steng(last_seen=NOW - rules.DEAD_AFTER - dt.timedelta(milliseconds=1)), NOW)


@pytest.mark.parametrize("changes", [{"last_seen": None}, {"state": "offline"}, {"state": "unknown"}])
def test_a_steng_without_a_sign_of_life_is_not_live(changes):
    assert not rules.is_live(steng(**changes), NOW)


@pytest.mark.parametrize("changes", [{"enabled": False}, {"drain": True}, {"state": "draining"}])
def test_a_steng_that_was_told_to_stop_takes_no_work(changes):
    assert rules.is_live(steng(**changes), NOW)
    assert not rules.takes_work(steng(**changes), NOW)


@pytest.mark.parametrize(
    ("stengs", "code"),
    [
        ([], "no_steng"),
        ([steng(state="offline")], "no_steng"),
        ([steng(enabled=False)], "steng_unsuitable"),
        ([steng(state="offline"), steng(drain=True)], "steng_unsuitable"),
        ([steng(enabled=False, last_seen=None)], "no_steng"),
        ([steng()], "no_steng"),
    ],
)
def test_why_nobody_claimed_depends_on_who_is_live(stengs, code):
    assert rules.why_unclaimed(stengs, NOW) == code


def test_three_heartbeats_may_go_missing_within_a_lease():
    assert rules.LEASE >= 3 * rules.HEARTBEAT


def test_jobs_are_settled_before_their_steng_counts_as_dead():
    assert rules.DEAD_AFTER > rules.LEASE


def test_bulk_never_takes_the_slots_kept_for_people():
    room = Room(10, held(8, Lane.BULK, "a:1"), 100)
    assert (room.free(Lane.BULK), room.free(Lane.INTERACTIVE)) == (0, 2)


def test_people_may_use_every_slot():
    room = Room(10, held(9, Lane.INTERACTIVE, "a:1"), 100)
    assert (room.free(Lane.BULK), room.free(Lane.INTERACTIVE)) == (1, 1)


def test_a_full_steng_takes_nothing():
    room = Room(10, held(10), 100)
    assert [room.free(lane) for lane in Lane] == [0, 0]


def test_of_a_single_slot_bulk_is_not_locked_out():
    assert Room(1, (), 1).fits(Held(99, "bulk", "a:1"))


def test_a_target_gets_no_more_connections_than_its_share():
    room = Room(500, held(10), 10)
    assert room.full_targets(Lane.INTERACTIVE) == ["mail.example.org:25"]
    assert not room.fits(Held(99, "interactive", "mail.example.org:25"))
    assert room.fits(Held(99, "interactive", "other.example.org:25"))


def test_a_click_finds_room_at_a_target_that_is_tested_in_bulk():
    room = Room(500, held(8, Lane.BULK), 10)
    assert not room.fits(Held(99, "bulk", "mail.example.org:25"))
    assert room.fits(Held(99, "interactive", "mail.example.org:25"))


def test_people_leave_bulk_no_more_than_the_rest_of_a_target():
    room = Room(500, (*held(4, Lane.BULK), *held(6)), 10)
    assert room.full_targets(Lane.BULK) == ["mail.example.org:25"]


@pytest.mark.parametrize(("account", "fits"), [("a" * 64, False), ("b" * 64, True), ("", True)])
def test_an_account_that_somebody_signs_in_to_has_no_room_for_a_second(account, fits):
    room = Room(10, (Held(1, Lane.INTERACTIVE.value, "a:1", "a" * 64), Held(2, Lane.INTERACTIVE.value, "a:1", "")), 10)
    assert room.fits(Held(3, Lane.INTERACTIVE.value, "b:1", account)) is fits


def test_of_several_that_wait_for_one_account_the_first_has_room():
    room, waiting = Room(10, (), 10), [Held(number, Lane.BULK.value, f"{number}:1", "a" * 64) for number in range(3)]
    fitting = []
    for job in waiting:
        if room.fits(job):
            room.add(job)
            fitting.append(job.job)
    assert fitting == [0]
