"""What stands in an event, that nothing is recorded where nothing changed, and that no secret is."""

import pytest
from django.db import DatabaseError
from django.utils import timezone

from cluster import dispatch
from cluster import services as clusters
from cluster.models import Cluster, Job, Steng
from connections import services as connections
from connections.models import SmtpConnection
from core.audit.models import AuditEvent
from core.models import ApiToken, User
from core.services import change_password, create_administrator
from core.tokens import create_token
from credentials import services as vaults
from tests.auditing import CANARIES, PASSWORD, found_in_the_trail, in_admin, of, user_form
from tests.definitions import GOOD
from tests.integration.untrusted import NOW, decide, imported, issuer_of, met
from tests.jobs import enqueue, local_steng, request_for
from untrusted_cache import services as trust

pytestmark = pytest.mark.django_db


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
