"""What is recorded: each act of the catalogue by the service that does it, and nothing where nothing changed."""

import pytest
from django.apps import apps

from cluster import dispatch
from cluster import services as clusters
from cluster.accounts import services as accounts
from cluster.models import SuspendedLogin
from connections import services as connections
from connections.models import SmtpConnection
from core import audit
from core.audit.acts import KINDS
from core.services import change_password, create_administrator
from core.tokens import create_token, revoke_token
from credentials import services as vaults
from tests.auditing import PASSWORD, in_admin, of, user_form
from tests.integration.untrusted import NOW, decide, imported, issuer_of, met
from tests.jobs import enqueue, failure, local_steng, running
from untrusted_cache import services as trust

pytestmark = pytest.mark.django_db

APPS = frozenset({"core", "cluster", "connections", "credentials", "untrusted_cache"})

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
