"""What is recorded: each act of the catalogue by the service that does it, and nothing where nothing changed."""

import json

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import DatabaseError
from django.utils import timezone

from cluster import dispatch
from cluster import services as clusters
from cluster.accounts import services as accounts
from cluster.models import Cluster, Job, Steng, SuspendedLogin
from connections import services as connections
from connections.models import SmtpConnection
from core import audit
from core.audit.acts import KINDS
from core.audit.models import AuditEvent
from core.models import ApiToken, User
from core.services import change_password, create_administrator
from core.tokens import create_token, revoke_token
from credentials import services as vaults
from tests.definitions import GOOD
from tests.integration.untrusted import NOW, decide, imported, issuer_of, met
from tests.jobs import enqueue, failure, local_steng, request_for, running
from tests.lab.pki import Pki
from untrusted_cache import services as trust

pytestmark = pytest.mark.django_db

APPS = frozenset({"core", "cluster", "connections", "credentials", "untrusted_cache"})
PASSWORD = "correct-horse-battery"
CANARIES = ("canary-5c1b7a", "canary-0d44e2", "canary-9b0f31")

ELSEWHERE = frozenset(
    {
        "credential.created", "credential.changed", "credential.deleted",
        "batch.started", "batch.cancelled", "definitions.imported", "definitions.exported",
    }
)  # fmt: skip
"""Acts whose services have tests of their own that look for the event."""

NOT_RECORDED = {
    "core.AuditEvent": "the trail itself",
    "core.IdempotencyRecord": "an answer, kept to be given again",
    "core.LogInAttempt": "a count; the refused log-in is recorded",
    "core.Right": "made by migrations only",
    "cluster.AccountKey": "made once by the console; opens nothing",
    "cluster.Batch": "recorded as a batch that is started and cancelled",
    "cluster.BatchItem": "a part of a batch; what is done to each thing has its own event",
    "cluster.Job": "recorded as a test that is asked for and cancelled; the rest is its own history",
    "cluster.LastTest": "follows from a test",
    "cluster.UnclearSignIn": "follows from a test that broke off",
    "connections.Connection": "a part of the row of its kind, which is declared",
    "credentials.VaultCheck": "recorded as the vault",
    "untrusted_cache.Chain": "what servers presented, not what somebody did",
    "untrusted_cache.ChainLink": "a part of a chain",
    "untrusted_cache.TrustChange": "a trail of its own",
}
"""Models whose rows are in no event, and why."""

WITHOUT_A_ROW = frozenset({"test", "batch", "vault", "definitions"})
"""Kinds of things whose rows, where they have any, are not declared."""


@pytest.fixture(scope="module")
def pki():
    return Pki()


@pytest.fixture
def key_file(tmp_path, settings):
    settings.POSTERN_VAULT_KEY_FILE = tmp_path / "data" / "vault.key"
    return settings.POSTERN_VAULT_KEY_FILE


@pytest.fixture
def user():
    return User.objects.create_user("b.bianchi", password=PASSWORD)


@pytest.fixture
def group():
    return Group.objects.create(name="night shift")


@pytest.fixture
def connection():
    return connections.save(SmtpConnection, None, GOOD, user=None).connection


@pytest.fixture
def cluster():
    return clusters.save_cluster(Cluster(), {"name": "east"}, NOW)


@pytest.fixture
def steng(cluster):
    return clusters.save_steng(Steng(), {"name": "east-1", "cluster": cluster}, NOW)


@pytest.fixture
def log_in(client, user):
    def go(password=PASSWORD, username="b.bianchi"):
        return client.post("/login/", {"username": username, "password": password})

    return go


def of(act):
    """Return the one event of an act."""
    return AuditEvent.objects.get(act=act)


def in_admin(client, path, values):
    answer = client.post(f"/admin/{path}", {"post": "yes", "_save": "Save", **values})
    assert answer.status_code == 302, answer.content.decode()


def user_form(user, **changes):
    return {
        "username": user.username,
        "email": user.email,
        "is_active": "on",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "12:00:00",
        **changes,
    }


class Provoked:
    """For each act, what somebody does to cause it; the arguments are fixtures."""

    @staticmethod
    def connection_created(connection):
        return connection

    @staticmethod
    def connection_changed(connection):
        connections.save(SmtpConnection, connection, {"description": "Orders."}, user=None, partial=True)

    @staticmethod
    def connection_deleted(connection):
        connections.delete(connection)

    @staticmethod
    def connection_disabled(connection):
        connections.set_status(connection, "DISABLED", user=None)

    @staticmethod
    def connection_enabled(connection):
        connections.set_status(connection, "DISABLED", user=None)
        connections.set_status(SmtpConnection.objects.get(pk=connection.pk), "ENABLED", user=None)

    @staticmethod
    def trust_trusted(pki):
        met(pki.leaf())
        decide(issuer_of(pki), "anchor")

    @staticmethod
    def trust_imported(pki):
        imported(pki)

    @staticmethod
    def trust_changed(pki):
        entry = imported(pki)
        trust.edit(entry, {"reason": "Compared again."}, now=NOW)

    @staticmethod
    def trust_removed(pki):
        entry = imported(pki)
        trust.remove(entry, now=NOW)

    @staticmethod
    def trust_rejected(pki):
        met(pki.leaf())
        trust.reject(issuer_of(pki), reason="Stolen.", user="a.rossi", now=NOW)

    @staticmethod
    def trust_unrejected(pki):
        met(pki.leaf())
        trust.reject(issuer_of(pki), reason="Stolen.", user="a.rossi", now=NOW)
        trust.unreject(issuer_of(pki), now=NOW)

    @staticmethod
    def trust_forgotten(pki):
        met(pki.leaf())
        trust.forget(issuer_of(pki))

    @staticmethod
    def cluster_created(cluster):
        return cluster

    @staticmethod
    def cluster_changed(cluster):
        clusters.save_cluster(cluster, {"description": "In the east."}, NOW)

    @staticmethod
    def cluster_deleted(cluster):
        clusters.delete_cluster(cluster)

    @staticmethod
    def steng_created(steng):
        return steng

    @staticmethod
    def steng_changed(steng):
        clusters.save_steng(steng, {"slots": 7}, NOW)

    @staticmethod
    def steng_deleted(steng):
        clusters.delete_steng(steng)

    @staticmethod
    def steng_enabled(steng):
        clusters.disable(steng)
        clusters.enable(steng)

    @staticmethod
    def steng_disabled(steng):
        clusters.disable(steng)

    @staticmethod
    def steng_drained(steng):
        clusters.drain(steng)

    @staticmethod
    def user_created(db):
        create_administrator("admin", PASSWORD, must_change=True)

    @staticmethod
    def user_changed(admin_client, user):
        in_admin(admin_client, f"core/user/{user.pk}/change/", user_form(user, email="b@example.org"))

    @staticmethod
    def user_deleted(admin_client, user):
        in_admin(admin_client, f"core/user/{user.pk}/delete/", {})

    @staticmethod
    def user_password_changed(user):
        change_password(user, "another-horse-battery")

    @staticmethod
    def role_created(admin_client):
        in_admin(admin_client, "auth/group/add/", {"name": "day shift"})

    @staticmethod
    def role_changed(admin_client, group):
        in_admin(admin_client, f"auth/group/{group.pk}/change/", {"name": "late shift"})

    @staticmethod
    def role_deleted(admin_client, group):
        in_admin(admin_client, f"auth/group/{group.pk}/delete/", {})

    @staticmethod
    def token_created(user):
        create_token(user, name="nightly")

    @staticmethod
    def token_revoked(user):
        revoke_token(create_token(user, name="nightly")[0])

    @staticmethod
    def session_logged_in(log_in):
        log_in()

    @staticmethod
    def session_failed(log_in):
        log_in("wrong")

    @staticmethod
    def session_logged_out(client, log_in):
        log_in()
        client.post("/logout/")

    @staticmethod
    def test_requested(db):
        enqueue(local_steng())

    @staticmethod
    def test_cancelled(db):
        dispatch.cancel(enqueue(local_steng()).pk, NOW)

    @staticmethod
    def login_suspended(db):
        job, claim = running(local_steng())
        dispatch.mark_credentials(job.pk, claim.attempt, NOW)
        dispatch.finish(job.pk, claim.attempt, failure(), NOW)

    @staticmethod
    def login_lifted(db):
        Provoked.login_suspended(db)
        accounts.lift(SuspendedLogin.objects.get(), reason="It works again.", now=NOW)

    @staticmethod
    def vault_prepared(key_file):
        vaults.prepare_vault()

    @staticmethod
    def vault_rotated(key_file):
        vaults.prepare_vault()
        vaults.rotate()

    @staticmethod
    def vault_pruned(key_file):
        vaults.prepare_vault()
        vaults.rotate()
        vaults.prune()


PROVOKED = {name.replace("_", ".", 1): getattr(Provoked, name) for name in vars(Provoked) if not name.startswith("__")}


def test_every_act_of_the_catalogue_is_provoked_here_or_elsewhere():
    assert set(PROVOKED) | ELSEWHERE == set(audit.ACTS)


def test_no_act_that_is_provoked_here_is_left_to_others():
    assert set(PROVOKED) & ELSEWHERE == set()


@pytest.mark.parametrize("act", sorted(PROVOKED))
def test_an_act_is_recorded_once(act, request):
    cause = PROVOKED[act]
    wanted = cause.__code__.co_varnames[: cause.__code__.co_argcount]
    cause(**{name: request.getfixturevalue(name) for name in wanted})
    assert of(act).sentence == audit.ACTS[act]


def test_every_kind_of_thing_has_a_name_and_every_name_is_of_a_kind():
    assert {declaration.kind for declaration in audit.declared()} | WITHOUT_A_ROW == set(KINDS)


def test_every_model_is_declared_or_listed_with_the_reason():
    ours = {model._meta.label for model in apps.get_models() if model._meta.app_label in APPS}
    declared = {declaration.model._meta.label for declaration in audit.declared()}
    assert ours - declared == set(NOT_RECORDED)


class TestWhatStandsInAnEvent:
    def test_a_change_holds_the_values_before_and_after(self, steng):
        clusters.save_steng(steng, {"slots": 7, "description": ""}, NOW)
        assert (of("steng.changed").before, of("steng.changed").after) == ({"slots": 500}, {"slots": 7})

    def test_what_is_created_is_shown_whole(self, cluster, steng):
        assert of("steng.created").before is None
        assert of("steng.created").after == {
            "name": "east-1",
            "description": "",
            "cluster": {"id": str(cluster.pk), "name": "east"},
            "enabled": True,
            "drain": False,
            "slots": 500,
        }

    def test_what_is_deleted_keeps_its_id_its_name_and_what_it_was(self, cluster):
        key = str(cluster.pk)
        clusters.delete_cluster(cluster)
        event = of("cluster.deleted")
        assert (event.object_id, event.object_name) == (key, "east")
        assert (event.before, event.after) == ({"name": "east", "description": ""}, None)

    def test_the_reason_of_a_rejection_is_the_reason_of_its_event(self, pki):
        met(pki.leaf())
        trust.reject(issuer_of(pki), reason="Stolen.", user="a.rossi", now=NOW)
        assert of("trust.rejected").reason == "Stolen."

    def test_a_rejection_records_the_trust_that_it_ends(self, pki):
        met(pki.leaf())
        entry = decide(issuer_of(pki), "anchor").entry
        trust.reject(issuer_of(pki), reason="Stolen.", user="a.rossi", now=NOW)
        event = of("trust.removed")
        assert (event.object_id, event.reason, event.extra) == (str(entry.pk), "Stolen.", {"rejected": True})

    def test_a_trusted_certificate_is_named_by_its_fingerprint(self, pki):
        entry = imported(pki)
        assert of("trust.imported").after["fingerprint"] == entry.fingerprint

    def test_a_test_says_what_is_tested_from_where_and_how_far(self, connection):
        steng = local_steng()
        job = enqueue(steng, connection=(connection.pk, "smtp", connection.name))
        event = of("test.requested")
        assert (event.object_kind, event.object_id, event.object_name) == ("test", str(job.pk), "orders-out")
        assert event.extra == {
            "connection": str(connection.pk),
            "draft": False,
            "target": "mail.example.org:587",
            "depth": "full",
            "cluster": "local",
            "steng": "local",
        }

    def test_a_draft_is_called_by_its_server(self):
        enqueue(local_steng())
        event = of("test.requested")
        assert (event.object_name, event.extra["draft"]) == ("mail.example.org:587", True)

    def test_rights_given_to_a_user_are_recorded_with_those_before(self, admin_client, user, group):
        right = group.permissions.model.objects.get(codename="audit_view")
        in_admin(admin_client, f"core/user/{user.pk}/change/", user_form(user, user_permissions=[right.pk]))
        event = of("user.changed")
        assert (event.before["user_permissions"], event.after["user_permissions"]) == ([], [str(right)])

    def test_rights_given_to_a_role_are_recorded(self, admin_client, group):
        right = group.permissions.model.objects.get(codename="audit_view")
        in_admin(admin_client, f"auth/group/{group.pk}/change/", {"name": group.name, "permissions": [right.pk]})
        assert of("role.changed").after == {"permissions": [str(right)]}

    def test_users_deleted_together_are_recorded_one_by_one(self, admin_client):
        gone = [User.objects.create_user(name) for name in ("one", "two")]
        values = {"action": "delete_selected", "_selected_action": [user.pk for user in gone]}
        answer = admin_client.post("/admin/core/user/", {**values, "post": "yes"})
        assert answer.status_code == 302
        names = AuditEvent.objects.filter(act="user.deleted").values_list("object_name", flat=True)
        assert sorted(names) == ["one", "two"]

    def test_a_password_that_somebody_sets_for_another_is_recorded(self, admin_client, user):
        values = {"password1": "another-horse-battery", "password2": "another-horse-battery", "usable_password": "true"}
        in_admin(admin_client, f"core/user/{user.pk}/password/", values)
        assert (of("user.password_changed").actor_name, of("user.password_changed").object_name) == (
            "admin",
            "b.bianchi",
        )

    def test_a_token_revoked_on_the_support_pages_is_recorded(self, admin_client, user):
        token = create_token(user, name="nightly")[0]
        in_admin(admin_client, f"core/apitoken/{token.pk}/delete/", {})
        assert of("token.revoked").before["name"] == "nightly"


class TestLogIns:
    def test_who_logs_in_is_the_one_who_acts(self, log_in, user):
        log_in()
        event = of("session.logged_in")
        assert (event.actor_id, event.actor_name, event.object_name) == (user.pk, "b.bianchi", "b.bianchi")

    def test_a_refused_log_in_names_the_user_who_was_tried(self, log_in):
        log_in("wrong")
        event = of("session.failed")
        assert (event.actor_id, event.actor_name, event.object_name) == (None, "not logged in", "b.bianchi")

    def test_a_name_that_nobody_has_is_not_kept(self, log_in):
        log_in("wrong", username=CANARIES[0])
        assert of("session.failed").object_name == "no such user"
        assert not found_in_the_trail(CANARIES[0])

    def test_who_guesses_on_is_no_longer_recorded_once_he_is_braked(self, log_in, settings):
        settings.POSTERN_LOGIN_FAILURES = 3
        for _ in range(6):
            log_in("wrong")
        assert AuditEvent.objects.filter(act="session.failed").count() == 3

    def test_a_log_in_that_cannot_be_recorded_opens_no_session(self, client, log_in, monkeypatch):
        def full_disk(*_, **__):
            raise DatabaseError("disk full")

        monkeypatch.setattr(AuditEvent, "save", full_disk)
        client.raise_request_exception = False
        assert log_in().status_code == 500
        assert client.get("/connections/").status_code == 302

    def test_a_log_out_without_a_log_in_is_nothing(self, client, db):
        client.post("/logout/")
        assert not AuditEvent.objects.exists()


class TestNothingChanged:
    def nothing_more(self):
        return AuditEvent.objects.count()

    def test_a_cluster_saved_as_it_was(self, cluster):
        before = self.nothing_more()
        clusters.save_cluster(cluster, {"name": "east", "description": ""}, NOW)
        assert self.nothing_more() == before

    def test_a_steng_that_is_enabled_already(self, steng):
        before = self.nothing_more()
        clusters.enable(steng)
        assert self.nothing_more() == before

    def test_a_connection_saved_as_it_was(self, connection):
        before = self.nothing_more()
        connections.save(SmtpConnection, connection, GOOD, user=None)
        assert self.nothing_more() == before

    def test_a_certificate_that_is_trusted_already(self, pki):
        imported(pki)
        before = self.nothing_more()
        imported(pki)
        assert self.nothing_more() == before

    def test_a_certificate_that_is_rejected_already(self, pki):
        met(pki.leaf())
        for _ in range(2):
            trust.reject(issuer_of(pki), reason="Stolen.", user="a.rossi", now=NOW)
        assert AuditEvent.objects.filter(act="trust.rejected").count() == 1

    def test_a_test_that_runs_already(self):
        steng = local_steng()
        enqueue(steng)
        enqueue(steng)
        assert AuditEvent.objects.filter(act="test.requested").count() == 1

    def test_a_test_that_is_cancelled_already(self):
        job = enqueue(local_steng())
        dispatch.cancel(job.pk, NOW)
        dispatch.cancel(job.pk, NOW)
        assert AuditEvent.objects.filter(act="test.cancelled").count() == 1

    def test_a_user_saved_as_he_was_on_the_support_pages(self, admin_client, user):
        in_admin(admin_client, f"core/user/{user.pk}/change/", user_form(user))
        assert not AuditEvent.objects.filter(act="user.changed").exists()

    def test_an_administrator_who_exists(self, admin_user):
        create_administrator("admin", PASSWORD, must_change=True)
        assert not AuditEvent.objects.filter(act="user.created").exists()

    def test_a_vault_without_old_keys(self, key_file):
        vaults.prepare_vault()
        vaults.prune()
        assert not AuditEvent.objects.filter(act="vault.pruned").exists()


class TestNoEventNoChange:
    """Whatever cannot be recorded is not done."""

    @pytest.fixture
    def full(self, monkeypatch):
        def fill():
            def full_disk(*_, **__):
                raise DatabaseError("disk full")

            monkeypatch.setattr(AuditEvent, "save", full_disk)

        return fill

    @pytest.mark.django_db(transaction=True)
    def test_a_cluster_is_not_created(self, full):
        full()
        with pytest.raises(DatabaseError, match="disk full"):
            clusters.save_cluster(Cluster(), {"name": "east"}, NOW)
        assert not Cluster.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_a_steng_is_not_disabled(self, full, steng):
        full()
        with pytest.raises(DatabaseError, match="disk full"):
            clusters.disable(steng)
        assert Steng.objects.get(pk=steng.pk).enabled

    @pytest.mark.django_db(transaction=True)
    def test_a_connection_is_not_deleted(self, full, connection):
        full()
        with pytest.raises(DatabaseError, match="disk full"):
            connections.delete(connection)
        assert SmtpConnection.objects.filter(pk=connection.pk).exists()

    @pytest.mark.django_db(transaction=True)
    def test_a_certificate_is_not_trusted(self, full, pki):
        full()
        with pytest.raises(DatabaseError, match="disk full"):
            imported(pki)
        assert not trust.store.TrustEntry.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_a_test_is_not_asked_for(self, full):
        steng = local_steng()
        full()
        with pytest.raises(DatabaseError, match="disk full"):
            enqueue(steng)
        assert not Job.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_a_token_is_not_made(self, full, user):
        full()
        with pytest.raises(DatabaseError, match="disk full"):
            create_token(user)
        assert not ApiToken.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_the_key_of_the_vault_stays(self, full, key_file):
        vaults.prepare_vault()
        before = key_file.read_bytes()
        full()
        with pytest.raises(DatabaseError, match="disk full"):
            vaults.rotate()
        assert key_file.read_bytes() == before


def found_in_the_trail(text):
    """Tell whether a text stands anywhere in the trail."""
    rows = [json.dumps(row, default=str) for row in AuditEvent.objects.values()]
    return [row for row in rows if text in row]


class TestNoSecret:
    def test_a_password_of_a_connection_shows_only_that_it_is_set(self, key_file):
        vaults.prepare_vault()
        row = connections.save(SmtpConnection, None, {**GOOD, "password": CANARIES[0]}, user=None).connection
        connections.save(SmtpConnection, row, {"password": CANARIES[1]}, user=None, partial=True)
        connections.delete(SmtpConnection.objects.get(pk=row.pk))
        assert of("connection.created").after["password"]["is_set"] is True
        assert set(of("connection.changed").after) == {"password"}
        assert [found_in_the_trail(canary) for canary in CANARIES] == [[], [], []]

    def test_a_password_that_is_sealed_anew_is_a_change_by_its_time(self, connection):
        before = of("connection.created").after["password"]["changed_at"]
        connections.save(
            SmtpConnection, connection, {"password": "another"}, user=None, partial=True, now=timezone.now()
        )
        event = of("connection.changed")
        assert event.before["password"]["changed_at"] == before
        assert event.after["password"]["changed_at"] > before

    def test_neither_a_token_nor_its_digest_is_kept(self, user):
        token, text = create_token(user, name="nightly")
        assert found_in_the_trail(text) == []
        assert found_in_the_trail(token.digest) == []

    def test_neither_a_user_s_password_nor_its_hash_is_kept(self, user):
        change_password(user, CANARIES[2])
        assert found_in_the_trail(CANARIES[2]) == []
        assert found_in_the_trail(user.password) == []

    def test_the_request_of_a_test_is_not_kept(self):
        enqueue(local_steng(), request=request_for(password=CANARIES[0]))
        assert found_in_the_trail(CANARIES[0]) == []
