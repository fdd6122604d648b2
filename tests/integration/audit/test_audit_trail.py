"""The audit trail itself: what one event holds, who is named, and that nothing takes it back."""

import datetime as dt
import threading
import uuid

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, models, transaction
from django.db.transaction import TransactionManagementError

from core import audit
from core.audit.models import AppendOnly, AuditEvent
from core.models import ApiToken, User

pytestmark = pytest.mark.django_db

ROSSI = audit.Actor(7, "a.rossi", audit.Door.PAGE, "192.0.2.7")
THING = audit.Thing("connection", "42", "mail-out")


def record(act="connection.changed", subject=THING, **facts):
    audit.record(act, subject, **facts)
    return AuditEvent.objects.first()


@transaction.atomic
def make_group(name):
    group = Group.objects.create(name=name)
    record("role.created", group, after=audit.snapshot(group))


def test_an_event_names_who_did_what_to_what_when_through_which_door_and_why():
    now = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
    with audit.acting(ROSSI):
        event = record("connection.deleted", before={"port": 25}, reason="Not used any more.", now=now, batch="b-1")
    assert {name: getattr(event, name) for name in ("actor_id", "actor_name", "door", "address")} == {
        "actor_id": 7,
        "actor_name": "a.rossi",
        "door": "page",
        "address": "192.0.2.7",
    }
    assert (event.act, event.act_group, event.at) == ("connection.deleted", "connection", now)
    assert (event.object_kind, event.object_id, event.object_name) == ("connection", "42", "mail-out")
    assert (event.before, event.after, event.reason, event.extra) == (
        {"port": 25},
        None,
        "Not used any more.",
        {"batch": "b-1"},
    )


def test_an_event_holds_only_what_differs():
    event = record(before={"port": 25, "host": "a"}, after={"port": 587, "host": "a"})
    assert (event.before, event.after) == ({"port": 25}, {"port": 587})


def test_a_write_that_changes_nothing_writes_no_event():
    assert record(before={"port": 25}, after={"port": 25}) is None


def test_the_token_of_a_request_is_named():
    with audit.acting(audit.Actor(7, "a.rossi", audit.Door.API, "192.0.2.7", token="nightly")):
        assert record().extra == {"token": "nightly"}


def test_an_act_outside_the_catalogue_is_refused():
    with pytest.raises(KeyError):
        record("connection.painted")


class TestWhoActs:
    def test_an_act_without_an_actor_is_refused(self, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr("core.audit.actors._everywhere", [])
            with pytest.raises(LookupError):
                record()

    def test_the_inner_actor_acts_until_its_block_ends(self):
        with audit.acting(ROSSI):
            with audit.acting(audit.Actor(8, "b.bianchi", audit.Door.API, "")):
                assert audit.current().name == "b.bianchi"
            assert audit.current() == ROSSI

    def test_who_acts_in_one_thread_does_not_act_in_another(self):
        seen = []
        with audit.acting(ROSSI):
            thread = threading.Thread(target=lambda: seen.append(audit.current().name))
            thread.start()
            thread.join()
        assert seen == ["tests"]


class TestInTheTransactionOfTheChange:
    @pytest.mark.django_db(transaction=True)
    def test_an_event_outside_a_transaction_is_refused(self):
        with pytest.raises(TransactionManagementError):
            record()

    @pytest.mark.django_db(transaction=True)
    def test_a_change_is_rolled_back_where_its_event_cannot_be_written(self, monkeypatch):
        def full_disk(*_, **__):
            raise DatabaseError("disk full")

        monkeypatch.setattr(AuditEvent, "save", full_disk)
        with pytest.raises(DatabaseError, match="disk full"):
            make_group("night shift")
        assert not Group.objects.filter(name="night shift").exists()

    @pytest.mark.django_db(transaction=True)
    def test_an_event_is_rolled_back_with_its_change(self):
        with transaction.atomic():
            record()
            transaction.set_rollback(True)
        assert not AuditEvent.objects.exists()


class TestAppendOnly:
    @pytest.fixture
    def event(self):
        return record()

    def test_the_model_refuses_a_change(self, event):
        event.reason = "another"
        with pytest.raises(AppendOnly):
            event.save()

    def test_the_model_refuses_a_removal(self, event):
        with pytest.raises(AppendOnly):
            event.delete()

    @pytest.mark.parametrize("act", ["delete", "update", "bulk_update"])
    def test_a_queryset_refuses_too(self, event, act):
        with pytest.raises(AppendOnly):
            getattr(AuditEvent.objects.all(), act)()

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE core_auditevent SET reason = 'another'",
            "DELETE FROM core_auditevent",
            "INSERT OR REPLACE INTO core_auditevent SELECT * FROM core_auditevent",
        ],
    )
    def test_the_database_refuses_raw_sql(self, event, statement):
        with (
            pytest.raises(DatabaseError, match="neither changed nor removed"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
        assert AuditEvent.objects.get() == event


class TestWhatIsShown:
    @pytest.mark.parametrize("declaration", audit.declared(), ids=lambda declaration: declaration.model.__name__)
    def test_every_column_of_a_declared_model_is_shown_secret_or_left_out(self, declaration):
        assert list(declaration.undeclared()) == []

    def test_a_column_that_nobody_decided_about_is_found(self):
        declaration = audit.Declaration(User, "user", ("username",), (), frozenset(), "username")
        assert "password" in list(declaration.undeclared())

    def test_the_models_of_users_roles_and_tokens_are_declared(self):
        assert {User, Group, ApiToken} <= {declaration.model for declaration in audit.declared()}

    @pytest.mark.parametrize("declaration", audit.declared(), ids=lambda declaration: declaration.model.__name__)
    def test_no_sealed_column_and_no_digest_is_shown(self, declaration):
        shown = set(declaration.fields)
        assert not {name for name in shown if name.endswith(("_sealed", "digest")) or name in ("password", "der")}

    def test_a_secret_shows_that_it_is_set(self, make_user):
        shown = audit.snapshot(make_user())
        assert shown["password"] == {"is_set": True, "changed_at": None}

    def test_a_model_that_nobody_declared_has_no_snapshot(self):
        with pytest.raises(LookupError):
            audit.snapshot(AuditEvent())

    def test_values_become_what_json_can_hold(self):
        key = uuid.UUID(int=1)
        event = record(
            after={"id": key, "at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "door": audit.Door.API, "s": {3}}
        )
        assert event.after == {"id": str(key), "at": "2026-01-02T00:00:00+00:00", "door": "api", "s": [3]}

    def test_bytes_are_refused(self):
        with pytest.raises(TypeError):
            record(after={"der": b"\x30"})

    def test_a_row_that_is_gone_cannot_be_named_by_accident(self):
        group = Group.objects.create(name="night shift")
        group.delete()
        with pytest.raises(ValueError, match="no id"):
            record("role.deleted", group)


def test_every_sentence_of_the_catalogue_is_a_sentence():
    assert not [act for act, text in audit.ACTS.items() if not (text[0].isupper() and text.endswith("."))]


def test_no_reference_can_cascade_into_the_audit_trail():
    assert not [field for field in AuditEvent._meta.get_fields() if isinstance(field, models.ForeignKey)]
    assert apps.get_model("core", "AuditEvent") is AuditEvent
