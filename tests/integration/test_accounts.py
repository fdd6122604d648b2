"""One account, one test at a time: which tests share an account, who gets it, and who waits for it."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from cluster import dispatch, selectors
from cluster.accounts.identity import identify
from cluster.choices import JobState, Lane
from cluster.dispatch.intake import SEALED_FIELD
from cluster.models import AccountKey, Cluster, Job, Steng
from cluster.rules import CLAIM_WAIT, HAND_OVER_WAIT, LEASE, RUN_MARGIN, TURN_WAIT
from cluster.services import save_cluster, save_steng
from credentials import vault
from credentials.services import prepare_vault, prune, rotate
from steng.wire import Authentication, Depth, Purpose
from tests.jobs import NOW, PASSWORD, enqueue, failure, local_steng, request_for, running, seconds, success

pytestmark = pytest.mark.django_db


@pytest.fixture
def steng(db):
    return local_steng()


def online(*names):
    """Return STENGs of clusters of their own."""
    made = []
    for name in names:
        cluster = save_cluster(Cluster(), {"name": name}, NOW)
        steng = save_steng(Steng(), {"name": name, "cluster": cluster}, NOW)
        Steng.objects.filter(pk=steng.pk).update(state="online", last_seen=NOW)
        made.append(Steng.objects.get(pk=steng.pk))
    return made


def state_of(job):
    return Job.objects.get(pk=job.pk).state


class TestWhichAccount:
    @pytest.mark.parametrize(
        "other",
        [
            {"host": "MAIL.Example.Org"},
            {"host": "mail.example.org."},
            {"username": "ORDERS"},
            {"port": 25},
            {"password": "another"},
            {"depth": Depth.LOGIN},
            {"depth": Depth.CONNECT, "purpose": Purpose.FOLDERS},
        ],
        ids=["case of the host", "final dot", "case of the user", "port", "password", "depth", "list of folders"],
    )
    def test_it_is_the_same(self, steng, other):
        assert identify(request_for(**other)).account == identify(request_for()).account

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({"host": "bücher.example"}, {"host": "xn--bcher-kva.example"}),
            ({"host": "[2001:DB8::1]"}, {"host": "2001:db8:0:0:0:0:0:1"}),
            ({"username": "straße"}, {"username": "STRASSE"}),
            ({"username": "caf\u00e9"}, {"username": "cafe\u0301"}),
            ({"host": "no host."}, {"host": "NO HOST"}),
        ],
        ids=["IDNA", "IPv6", "sharp s", "composed", "no host at all"],
    )
    def test_two_spellings_are_one(self, steng, one, other):
        assert identify(request_for(**one)) == identify(request_for(**other))

    @pytest.mark.parametrize(
        "other",
        [{"host": "mail.example.net"}, {"username": "invoices"}, {"host": "mail.example.orgo", "username": "rders"}],
    )
    def test_it_is_another(self, steng, other):
        assert identify(request_for(**other)).account != identify(request_for()).account

    def test_a_secret_is_told_from_another(self, steng):
        assert identify(request_for(password="another")).secret != identify(request_for()).secret

    def test_the_same_secret_of_two_accounts_does_not_look_the_same(self, steng):
        assert identify(request_for(username="invoices")).secret != identify(request_for()).secret

    @pytest.mark.parametrize(
        "changes",
        [
            {"depth": Depth.CONNECT},
            {"depth": Depth.TLS},
            {"username": ""},
            {"authentication": Authentication.NONE},
        ],
        ids=["connect", "tls", "no login", "no authentication"],
    )
    def test_a_test_that_does_not_sign_in_has_none(self, steng, changes):
        authentication = changes.pop("authentication", Authentication.BASIC)
        request = type(request_for())(
            **{
                **{name: getattr(request_for(**changes), name) for name in request_for().__dataclass_fields__},
                "authentication": authentication,
            }
        )
        assert identify(request) == ("", "")


class TestTheKey:
    def test_it_is_made_once(self, steng):
        enqueue(steng)
        enqueue(steng, configuration="d" * 64)
        assert AccountKey.objects.count() == 1

    def test_a_rotation_of_the_vault_changes_no_digest(self, steng):
        prepare_vault()
        before = identify(request_for())
        rotate()
        prune()
        assert identify(request_for()) == before

    def test_it_does_not_stand_in_the_database(self, steng):
        enqueue(steng)
        row = AccountKey.objects.get()
        assert vault.open_(row.sealed, row.pk, "account key").reveal() not in row.sealed

    def test_another_key_makes_other_digests(self, steng):
        before = identify(request_for())
        AccountKey.objects.all().delete()
        assert not set(identify(request_for())) & set(before)


class TestOneAtATime:
    def test_the_second_test_of_an_account_is_not_accepted(self, steng):
        running(steng)
        second = enqueue(steng, configuration="d" * 64)
        assert dispatch.accept(second.pk, NOW) is False
        assert state_of(second) == JobState.QUEUED

    def test_nor_on_another_steng_and_for_another_connection(self, steng):
        (other,) = online("dmz")
        running(steng)
        second = enqueue(other, request=request_for(port=25), connection=(Job().pk, "smtp", "other"))
        assert dispatch.accept(second.pk, NOW) is False

    def test_the_database_itself_refuses_it(self, steng):
        running(steng)
        second = enqueue(steng, configuration="d" * 64)
        with pytest.raises(IntegrityError), transaction.atomic():
            Job.objects.filter(pk=second.pk).update(state=JobState.DISPATCHED)

    def test_two_tests_that_do_not_sign_in_run_side_by_side(self, steng):
        running(steng, request=request_for(depth=Depth.TLS))
        second = enqueue(steng, request=request_for(depth=Depth.TLS), configuration="d" * 64)
        assert dispatch.accept(second.pk, NOW) is True

    @pytest.mark.parametrize(
        "ends",
        [
            lambda job, steng: dispatch.finish(job.pk, 1, success(), NOW),
            lambda job, steng: dispatch.cancel(job.pk, NOW),
            lambda job, steng: dispatch.overrun(job.pk, 1, NOW),
            lambda job, steng: dispatch.abandon(steng, NOW),
            lambda job, steng: dispatch.reap(NOW + LEASE),
            lambda job, steng: (dispatch.mark_credentials(job.pk, 1, NOW), dispatch.reap(NOW + LEASE)),
            lambda job, steng: (
                dispatch.renew(steng, {job.pk: 1}, NOW + seconds(10) + RUN_MARGIN),
                dispatch.reap(NOW + seconds(10) + RUN_MARGIN),
            ),
        ],
        ids=["report", "cancel", "overrun", "killed before the login", "lease", "lost after the login", "deadline"],
    )
    def test_the_account_is_free_once_a_test_has_ended(self, steng, ends):
        job, _ = running(steng)
        ends(job, steng)
        assert dispatch.accept(enqueue(steng, configuration="d" * 64).pk, NOW) is True

    def test_the_account_is_free_when_a_steng_never_asks_for_the_test(self, steng):
        first, second = enqueue(steng), enqueue(steng, configuration="d" * 64)
        dispatch.accept(first.pk, NOW)
        dispatch.reap(NOW + HAND_OVER_WAIT)
        assert dispatch.accept(second.pk, NOW) is True

    def test_the_account_is_free_when_a_request_cannot_be_opened(self, steng):
        first, second = enqueue(steng), enqueue(steng, configuration="d" * 64)
        Job.objects.filter(pk=first.pk).update(sealed_request="v1.damaged")
        dispatch.accept(first.pk, NOW)
        dispatch.claim(first.pk, steng, NOW)
        assert dispatch.accept(second.pk, NOW) is True

    def test_a_test_that_was_not_to_sign_in_gets_no_leave_to(self, steng):
        job, claim = running(steng, request=request_for(depth=Depth.TLS))
        with pytest.raises(ValueError, match="was not to sign in"):
            dispatch.mark_credentials(job.pk, claim.attempt, NOW)


class TestWaiting:
    def waiting(self, steng, *lanes):
        rows = [
            row
            for lane in lanes or (Lane.INTERACTIVE,)
            for row in selectors.waiting_for(steng, lane=lane, full_targets=[], limit=50)
        ]
        return [row[0] for row in rows]

    def test_a_test_of_a_busy_account_is_not_picked(self, steng):
        running(steng)
        enqueue(steng, configuration="d" * 64)
        other = enqueue(steng, request=request_for(username="invoices"))
        assert self.waiting(steng) == [other.pk]

    def test_a_list_does_not_get_an_account_that_a_person_has(self, steng):
        running(steng)
        enqueue(steng, configuration="d" * 64, lane=Lane.BULK)
        assert self.waiting(steng, Lane.BULK) == []

    def test_tests_without_account_never_wait_for_each_other(self, steng):
        running(steng, request=request_for(depth=Depth.TLS))
        second = enqueue(steng, request=request_for(depth=Depth.TLS), configuration="d" * 64)
        assert self.waiting(steng) == [second.pk]

    def keep_busy(self, steng, until):
        """Let a test of the account run until a moment, with its STENG alive."""
        job, claim = running(steng, request=request_for(timeout_ms=3_600_000))
        waiting = enqueue(steng, configuration="d" * 64)
        moment = NOW
        while moment < until:
            moment += seconds(1)
            Steng.objects.update(last_seen=moment)
            dispatch.renew(steng, {job.pk: claim.attempt}, moment)
            dispatch.reap(moment)
        return job, waiting

    def test_whose_account_is_busy_waits_on(self, steng):
        _, waiting = self.keep_busy(steng, NOW + 3 * CLAIM_WAIT)
        assert state_of(waiting) == JobState.QUEUED

    def test_the_moment_between_two_turns_costs_nobody_the_test(self, steng):
        job, waiting = self.keep_busy(steng, NOW + 3 * CLAIM_WAIT)
        dispatch.finish(job.pk, 1, success(), NOW + 3 * CLAIM_WAIT)
        dispatch.reap(NOW + 3 * CLAIM_WAIT + CLAIM_WAIT / 2 - seconds(2))
        assert state_of(waiting) == JobState.QUEUED

    def test_a_click_waits_for_its_turn_not_for_ever_and_is_told_why(self, steng):
        _, waiting = self.keep_busy(steng, NOW + TURN_WAIT + CLAIM_WAIT)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.code, "same account" in waiting.summary) == ("failed", "no_steng", True)

    def test_a_test_that_no_steng_takes_fails_in_its_time_beside_a_waiting_one(self, steng):
        alone, waiting = enqueue(steng, request=request_for(username="invoices")), enqueue(steng)
        dispatch.reap(NOW + CLAIM_WAIT)
        assert (state_of(alone), state_of(waiting)) == (JobState.FAILED, JobState.FAILED)


class TestWhatIsKept:
    def test_the_digest_of_the_secret_goes_with_the_request(self, steng):
        job, claim = running(steng)
        assert job.secret_digest == identify(request_for()).secret
        dispatch.finish(job.pk, claim.attempt, failure(), NOW)
        job.refresh_from_db()
        assert (job.sealed_request, job.secret_digest) == ("", "")

    @pytest.mark.parametrize("end", ["cancel", "reap"])
    def test_so_it_does_at_an_end_without_verdict(self, steng, end):
        job = enqueue(steng)
        acts = {
            "cancel": lambda: dispatch.cancel(job.pk, NOW),
            "reap": lambda: dispatch.reap(NOW + dt.timedelta(hours=1)),
        }
        acts[end]()
        assert Job.objects.get(pk=job.pk).secret_digest == ""

    def test_no_digest_is_that_of_the_bare_secret(self, steng):
        job = enqueue(steng)
        text = vault.open_(job.sealed_request, job.pk, SEALED_FIELD).reveal()
        assert PASSWORD in text
        assert job.secret_digest not in text
