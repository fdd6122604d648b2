"""A credential on its way in: what is checked, kept, dropped, sealed, asked for again, refused and recorded."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from core import usage
from core.audit.models import AuditEvent
from core.errors import Refused
from credentials import key_ring, selectors, services, vault
from credentials.models import Credential
from credentials.rules import permits
from tests.credentials import BASIC, FAULTS, JSON_FAULTS, OAUTH2, pretend_use

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC)


def save(values=BASIC, before=None, **options):
    return services.save(before, values, user=None, **options)


def change(row, **values):
    return save(values, row, partial=True)


def without(values, *names):
    return {name: value for name, value in values.items() if name not in names}


def refusals(values, before=None, **options):
    with pytest.raises(ValidationError) as caught:
        save(values, before, **options)
    return {(name, error.code) for name, errors in caught.value.error_dict.items() for error in errors}


def codes(saved):
    return {(problem.field, problem.code) for problem in saved.advisories}


@pytest.mark.parametrize("fault", [*FAULTS, *JSON_FAULTS])
def test_one_fault_gives_one_code_on_its_field(fault):
    values, field, code = {**FAULTS, **JSON_FAULTS}[fault]
    assert refusals(values) == {(field, code)}


@pytest.mark.parametrize("values", [BASIC, OAUTH2], ids=lambda values: values["kind"])
def test_a_sound_credential_is_saved_as_typed(values):
    row = Credential.objects.get(pk=save(values).credential.pk)
    plain = without(values, "password", "client_secret")
    assert {name: getattr(row, name) for name in plain} == plain


def test_absent_values_take_their_defaults():
    row = save(OAUTH2).credential
    assert (row.scope, row.client_auth, row.secret_expires, row.description) == ("", "POST", None, "")


def test_names_that_differ_in_case_only_are_one_name():
    other = save().credential
    with pytest.raises(ValidationError) as caught:
        save({**OAUTH2, "name": "ORDERS-Mailbox"})
    (error,) = caught.value.error_dict["name"]
    assert (error.code, error.params["other"]) == ("not_unique", str(other.pk))


def test_who_loses_the_race_for_a_name_is_told_the_same(monkeypatch):
    save()
    monkeypatch.setattr(Credential, "full_clean", lambda row, **_: setattr(row, "name_key", row.name.casefold()))
    assert refusals(BASIC) == {("name", "not_unique")}


def test_another_fault_of_the_database_is_not_taken_for_a_name(monkeypatch):
    monkeypatch.setattr(Credential, "full_clean", lambda row, **_: setattr(row, "kind", "OTHER"))
    with pytest.raises(IntegrityError):
        save()


def test_destinations_that_mean_the_same_are_kept_once():
    row = save({**BASIC, "destinations": ["a.example:25", "A.Example.:25", "b.example:*"]}).credential
    assert row.destinations == ["a.example:25", "b.example:*"]


def test_a_full_write_sets_absent_values_back_and_keeps_the_secret():
    row = save({**BASIC, "description": "old"}).credential
    again = save(without(BASIC, "password"), row).credential
    assert (again.description, services.open_secret(again).reveal()) == ("", "correct horse")


def test_a_partial_write_keeps_what_is_absent():
    row = change(save().credential, description="new").credential
    assert (row.username, row.description, row.version) == ("orders@example.org", "new", 2)


def test_a_write_that_changes_nothing_writes_nothing():
    row = save().credential
    again = save(BASIC, row)
    assert (again.changed, again.credential.version, AuditEvent.objects.count()) == ((), 1, 1)


def test_the_fields_that_changed_are_named():
    row = save().credential
    assert change(row, description="x", password="another").changed == ("description", "password")


def test_what_a_read_shows_of_a_secret_keeps_it():
    row = save().credential
    again = change(row, password={"is_set": True, "changed_at": None}).credential
    assert services.open_secret(again).reveal() == "correct horse"


def test_an_old_version_is_refused_with_what_changed():
    row = save().credential
    change(row, description="theirs")
    with pytest.raises(Refused) as caught:
        save({"description": "mine"}, row, partial=True, expected_version=1)
    assert (caught.value.code, caught.value.extra["changed"]) == ("precondition_failed", ["description"])


class TestSecrets:
    @pytest.mark.parametrize(("values", "name"), [(BASIC, "password"), (OAUTH2, "client_secret")])
    def test_a_secret_is_sealed_for_its_row_and_field(self, values, name):
        row = save(values).credential
        sealed = getattr(Credential.objects.get(pk=row.pk), f"{name}_sealed")
        assert values[name] not in sealed
        assert vault.open_(sealed, row.pk, name).reveal() == values[name]

    def test_a_sealed_secret_does_not_open_in_another_row(self):
        one, other = save().credential, save({**BASIC, "name": "other", "password": "second"}).credential
        Credential.objects.filter(pk=one.pk).update(password_sealed=other.password_sealed)
        one.refresh_from_db()
        with pytest.raises(vault.SecretUnreadable):
            services.open_secret(one)

    def test_a_sealed_secret_does_not_open_in_another_field(self):
        row = save(OAUTH2).credential
        row.password_sealed = row.client_secret_sealed
        with pytest.raises(vault.SecretUnreadable):
            services.open_secret(row, "password")

    def test_a_secret_that_is_not_stored_is_unreadable_and_not_empty(self):
        with pytest.raises(vault.SecretUnreadable):
            services.open_secret(save().credential, "client_secret")

    def test_a_rotation_of_the_vault_reaches_both_secrets(self, tmp_path, settings):
        settings.POSTERN_VAULT_KEY_FILE = tmp_path / "vault.key"
        services.prepare_vault()
        rows = [save().credential, save(OAUTH2).credential]
        services.rotate()
        key_ring.write(settings.POSTERN_VAULT_KEY_FILE, vault.ring().keys[:1])
        for row in rows:
            row.refresh_from_db()
        assert [services.open_secret(row).reveal() for row in rows] == ["correct horse", "battery staple"]

    def test_the_time_of_a_change_is_that_of_the_secret(self):
        row = save(now=NOW).credential
        later = save({"description": "x"}, row, partial=True, now=NOW + dt.timedelta(days=1)).credential
        assert (later.password_changed_at, later.updated) == (NOW, NOW + dt.timedelta(days=1))

    def test_the_secret_of_the_kind_cannot_be_cleared(self):
        assert refusals({"password": None}, save().credential, partial=True) == {("password", "required")}

    def test_a_secret_that_cannot_be_opened_any_more_is_mended_by_typing_it(self):
        row = save().credential
        Credential.objects.update(password_sealed="v1.nothing.nothing")
        assert services.open_secret(change(row, password="correct horse").credential).reveal() == "correct horse"


class TestRetyping:
    @pytest.mark.parametrize(
        ("values", "changes", "secret"),
        [
            (BASIC, {"username": "somebody"}, "password"),
            (BASIC, {"destinations": []}, "password"),
            (BASIC, {"destinations": ["mail.example.org:587", "evil.example:587"]}, "password"),
            (BASIC, {"destinations": ["mail.example.org:*"]}, "password"),
            (OAUTH2, {"client_id": "another"}, "client_secret"),
            (OAUTH2, {"token_endpoint": "https://evil.example/t"}, "client_secret"),
            (OAUTH2, {"destinations": ["*.org:993"]}, "client_secret"),
        ],
        ids=str,
    )
    def test_a_change_of_what_the_secret_is_for_asks_for_it_again(self, values, changes, secret):
        row = save(values).credential
        assert refusals(changes, row, partial=True) == {(secret, "secret_must_be_retyped")}
        assert change(row, **changes, **{secret: "new one"}).changed == (*changes, secret)

    @pytest.mark.parametrize(
        "changes",
        [{"destinations": ["Mail.Example.org:587"]}, {"name": "renamed"}, {"description": "x"}],
        ids=str,
    )
    def test_any_other_change_does_not(self, changes):
        assert change(save().credential, **changes).changed == tuple(changes)

    def test_fewer_destinations_do_not(self):
        row = save({**BASIC, "destinations": []}).credential
        assert change(row, destinations=["mail.example.org:587"]).changed == ("destinations",)

    def test_the_way_of_client_authentication_does_not(self):
        assert change(save(OAUTH2).credential, client_auth="BASIC").changed == ("client_auth",)

    def test_the_same_secret_typed_again_is_enough(self):
        row = save().credential
        assert change(row, username="somebody", password="correct horse").changed == ("username",)


class TestKinds:
    def test_a_value_of_the_other_kind_is_dropped_and_said(self):
        saved = save({**BASIC, "client_id": "x", "token_endpoint": "nonsense", "secret_expires": "never"})
        assert (saved.credential.client_id, saved.credential.token_endpoint) == ("", "")
        assert codes(saved) == {
            ("client_id", "field_ignored"),
            ("token_endpoint", "field_ignored"),
            ("secret_expires", "field_ignored"),
        }

    def test_where_the_kind_is_not_known_nothing_is_dropped_for_it(self):
        values = {**BASIC, "kind": "basic", "username": "u" * 321, "client_id": "c" * 513}
        assert refusals(values) == {("kind", "invalid_choice"), ("username", "too_long"), ("client_id", "too_long")}

    def test_a_default_of_the_other_kind_is_nothing_to_speak_of(self):
        assert codes(save({**BASIC, "client_id": "", "client_auth": "POST", "secret_expires": None})) == set()

    def test_an_unused_credential_may_change_its_kind_and_keeps_the_unused_secret(self):
        row = save().credential
        saved = change(row, **without(OAUTH2, "name", "destinations"))
        assert (saved.credential.kind, saved.credential.username) == ("OAUTH2_CLIENT_CREDENTIAL", "")
        assert (codes(saved), saved.credential.secret_is_set("password")) == ({("password", "field_ignored")}, True)

    def test_null_clears_the_unused_secret(self):
        row = change(save().credential, **without(OAUTH2, "name", "destinations")).credential
        cleared = change(row, password=None)
        assert (cleared.changed, cleared.credential.password_changed_at, codes(cleared)) == (("password",), None, set())

    def test_a_kept_secret_does_not_serve_another_user_after_two_changes_of_kind(self):
        row = change(save().credential, **without(OAUTH2, "name", "destinations")).credential
        back = {"kind": "BASIC", "username": "eve", "client_secret": None}
        assert refusals(back, row, partial=True) == {("password", "secret_must_be_retyped")}

    def test_an_unused_secret_does_not_follow_wider_destinations(self):
        row = change(save().credential, **without(OAUTH2, "name", "destinations")).credential
        saved = change(row, destinations=["evil.example:25"], client_secret="battery staple")
        assert ("password", "field_ignored") in codes(saved)
        assert saved.credential.secret_is_set("password") is False

    def test_the_kind_does_not_change_under_a_user(self, monkeypatch):
        row = save().credential
        user = pretend_use(monkeypatch, row)
        with pytest.raises(Refused) as caught:
            change(row, **without(OAUTH2, "name", "destinations"))
        assert (caught.value.code, caught.value.extra["used_by"]) == ("in_use", [user])
        assert Credential.objects.get().kind == "BASIC"

    def test_everything_else_may_change_under_a_user(self, monkeypatch):
        row = save().credential
        pretend_use(monkeypatch, row)
        assert change(row, password="new one").changed == ("password",)


class TestAdvisories:
    def test_no_destination_means_any_and_is_said(self):
        assert codes(save(without(BASIC, "destinations"))) == {("destinations", "any_destination")}

    @pytest.mark.parametrize(
        ("day", "words"),
        [
            ("2027-01-31", "expires in 30 days"),
            ("2027-01-02", "expires in 1 day:"),
            ("2027-01-01", "expires today"),
            ("2026-12-31", "expired"),
        ],
    )
    def test_the_end_of_a_client_secret_is_spoken_of(self, day, words):
        saved = save({**OAUTH2, "secret_expires": day}, now=NOW)
        (advisory,) = saved.advisories
        assert (advisory.field, advisory.code) == ("secret_expires", "secret_expires_soon")
        assert words in advisory.detail

    def test_an_end_that_is_far_off_is_not(self):
        assert codes(save({**OAUTH2, "secret_expires": "2027-02-01"}, now=NOW)) == set()


def test_a_time_is_no_day():
    assert refusals({**OAUTH2, "secret_expires": NOW}) == {("secret_expires", "invalid_type")}


class TestUse:
    def test_a_credential_in_use_is_not_deleted(self, monkeypatch):
        row = save().credential
        user = pretend_use(monkeypatch, row)
        with pytest.raises(Refused) as caught:
            services.delete(row)
        assert (caught.value.code, caught.value.extra) == ("in_use", {"used_by": [user]})
        assert Credential.objects.count() == 1

    def test_one_that_nothing_uses_is_deleted(self, monkeypatch):
        row, other = save().credential, save(OAUTH2).credential
        pretend_use(monkeypatch, other)
        services.delete(row)
        assert list(Credential.objects.all()) == [other]

    def test_who_uses_it_hears_of_a_change_in_its_transaction(self, monkeypatch):
        heard = []
        monkeypatch.setitem(usage._listeners, "credential", [lambda row, changed: heard.append((row.pk, changed))])
        row = save().credential
        assert heard == []
        change(row, password="new one")
        change(row, password="new one")
        assert heard == [(row.pk, ["password"])]

    def test_a_listener_that_fails_undoes_the_change(self, monkeypatch):
        def fail(row, changed):
            raise RuntimeError

        row = save().credential
        monkeypatch.setitem(usage._listeners, "credential", [fail])
        with pytest.raises(RuntimeError):
            change(row, description="new")
        assert Credential.objects.get().description == ""

    def test_it_may_be_used_where_its_destinations_say(self):
        row = save().credential
        assert (permits(row, "mail.example.org", 587), permits(row, "mail.example.org", 25)) == (True, False)

    def test_users_are_counted_for_many_things_at_once(self, monkeypatch):
        one, other = save().credential, save(OAUTH2).credential
        pretend_use(monkeypatch, one)
        assert usage.usage_counts("credential", [one, other]) == {one.pk: 1, other.pk: 0}

    def test_a_counter_spares_the_question_for_each_row(self, monkeypatch):
        one = save().credential

        def never(thing):
            raise AssertionError

        monkeypatch.setattr(usage, "_providers", {})
        monkeypatch.setattr(usage, "_counters", {})
        usage.register_usage("credential", never, lambda things: {thing.pk: 7 for thing in things})
        assert usage.usage_counts("credential", [one]) == {one.pk: 7}


class TestReading:
    def test_a_credential_is_found_by_name_by_id_and_as_it_was_read(self):
        row = save().credential
        references = ["Orders-Mailbox", str(row.pk), {"id": str(row.pk), "name": "whatever"}]
        assert [selectors.find(reference) for reference in references] == [row] * 3

    @pytest.mark.parametrize("value", ["nobody", "", None, 5, {}, {"id": "x"}, {"id": 5}, ["orders-mailbox"]], ids=str)
    def test_what_refers_to_nothing_finds_nothing(self, value):
        save()
        assert selectors.find(value) is None

    def test_a_search_takes_parts_of_the_name_in_any_order_and_case(self):
        row = save().credential
        save(OAUTH2)
        assert selectors.search("BOX order") == [row]

    def test_a_search_is_narrowed_by_kind_and_bounded(self):
        for number in range(5):
            save({**BASIC, "name": f"c{number}"})
        save(OAUTH2)
        assert [row.name for row in selectors.search("", "BASIC", limit=3)] == ["c0", "c1", "c2"]

    @pytest.mark.parametrize("text", ["x " * 11, "x" * 301])
    def test_a_search_of_a_thousand_words_finds_nothing(self, text):
        save({**BASIC, "name": "x" * 12})
        assert selectors.search(text) == []


class TestAudit:
    def test_what_is_recorded_shows_that_a_secret_is_set_and_never_the_secret(self):
        row = save(now=NOW).credential
        event = AuditEvent.objects.get()
        assert (event.act, event.object_name, event.object_id) == ("credential.created", row.name, str(row.pk))
        assert event.after["password"] == {"is_set": True, "changed_at": NOW.isoformat()}
        assert event.after["destinations"] == ["mail.example.org:587"]
        assert "correct horse" not in str(event.after) + str(event.before)

    def test_a_change_is_recorded_with_what_differs(self):
        row = save().credential
        change(row, description="new")
        event = AuditEvent.objects.get(act="credential.changed")
        assert (event.before, event.after) == ({"description": ""}, {"description": "new"})

    def test_a_new_secret_is_recorded_by_the_time_of_its_change(self):
        row = save(now=NOW).credential
        save({"password": "new one"}, row, partial=True, now=timezone.now())
        assert set(AuditEvent.objects.get(act="credential.changed").after) == {"password"}

    def test_a_deletion_is_recorded_whole(self):
        services.delete(save().credential)
        event = AuditEvent.objects.get(act="credential.deleted")
        assert (event.before["username"], event.after) == ("orders@example.org", None)
