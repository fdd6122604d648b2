"""What is said aside, in memory: given once, for a minute, and never too much."""

import datetime as dt
import uuid

from cluster.asides import KEPT, MAX_ASIDES, MAX_WORDS, Asides

NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)
JOB = uuid.UUID(int=1)


def with_one(**words):
    asides = Asides()
    asides.put(JOB, words or {"subject": "Invoice 7"}, NOW)
    return asides


def test_it_is_given_once():
    asides = with_one()
    assert [asides.take(JOB, NOW), asides.take(JOB, NOW)] == [{"subject": "Invoice 7"}, {}]


def test_it_is_given_for_its_own_job_only():
    assert with_one().take(uuid.UUID(int=2), NOW) == {}


def test_it_is_there_until_its_time_is_up():
    assert with_one().take(JOB, NOW + KEPT - dt.timedelta(milliseconds=1)) == {"subject": "Invoice 7"}
    assert with_one().take(JOB, NOW + KEPT) == {}


def test_whether_it_is_there_is_told_without_giving_it():
    asides = with_one()
    assert [asides.names(JOB, NOW), asides.names(JOB, NOW)] == [["subject"], ["subject"]]
    assert asides.take(JOB, NOW) == {"subject": "Invoice 7"}
    assert asides.names(JOB, NOW) == []


def test_what_is_too_old_is_not_there():
    assert with_one().names(JOB, NOW + KEPT) == []


def test_what_nobody_fetched_leaves_the_memory():
    asides = with_one()
    asides.purge(NOW + KEPT)
    assert len(asides) == 0


def test_nothing_said_is_nothing_kept():
    asides = Asides()
    asides.put(JOB, {}, NOW)
    assert len(asides) == 0


def test_of_too_many_the_oldest_go():
    asides = Asides()
    for number in range(MAX_ASIDES + 1):
        asides.put(uuid.UUID(int=number), {"subject": str(number)}, NOW)
    kept = [asides.take(uuid.UUID(int=number), NOW) for number in (0, 1, MAX_ASIDES)]
    assert kept == [{}, {"subject": "1"}, {"subject": str(MAX_ASIDES)}]


def test_too_long_a_subject_is_cut():
    assert with_one(subject="s" * 1_000_000).take(JOB, NOW) == {"subject": "s" * MAX_WORDS}


def test_too_many_words_are_not_kept():
    asides = with_one(**{f"name{number}": "word" for number in range(1_000)})
    assert len(asides.take(JOB, NOW)) == 8


def test_it_can_be_dropped():
    asides = with_one()
    asides.drop(JOB)
    assert asides.take(JOB, NOW) == {}


def test_it_shows_in_no_repr():
    asides = with_one(subject="canary-subject")
    assert "canary-subject" not in repr(asides) + repr(vars(asides)["_kept"])
