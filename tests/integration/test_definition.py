"""A definition on its way in: what is checked, kept, dropped, sealed and asked for again."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from connections import rules, services
from connections.models import MailboxConnection, SmtpConnection
from connections.selectors import connection_list, find
from core.errors import Refused
from credentials import vault
from tests.definitions import GOOD

pytestmark = pytest.mark.django_db


def save(changes=None, before=None, **options):
    return services.save(SmtpConnection, before, {**({} if before else GOOD), **(changes or {})}, user=None, **options)


def refusals(changes, before=None, **options):
    with pytest.raises(ValidationError) as caught:
        save(changes, before, **options)
    return {(name, error.code) for name, errors in caught.value.error_dict.items() for error in errors}


def test_a_sound_definition_is_saved_as_typed():
    saved = save({"host": "Mail.Example.ORG"})
    row = SmtpConnection.objects.get(pk=saved.connection.pk)
    assert (row.host, row.host_canonical, row.port) == ("Mail.Example.ORG", "mail.example.org", 587)


def test_an_emoji_in_a_name_is_accepted():
    assert save({"name": "📮-orders"}).connection.name == "📮-orders"


def test_a_name_is_stored_composed():
    assert save({"name": "Zu\u0308rich"}).connection.name == "Zürich"


def test_names_that_differ_in_case_only_are_one_name():
    other = save().connection
    with pytest.raises(ValidationError) as caught:
        save({"name": "ORDERS-OUT"})
    (error,) = caught.value.error_dict["name"]
    assert (error.code, error.params["other"]) == ("not_unique", str(other.pk))


def test_who_loses_the_race_for_a_name_to_another_kind_is_told_the_same(monkeypatch):
    other = services.save(MailboxConnection, None, GOOD, user=None).connection
    monkeypatch.setattr(SmtpConnection, "full_clean", lambda row, **_: setattr(row, "name_key", row.name.casefold()))
    with pytest.raises(ValidationError) as caught:
        save()
    (error,) = caught.value.error_dict["name"]
    assert (error.code, error.params["other"]) == ("not_unique", str(other.pk))


def test_absent_values_take_their_defaults():
    row = save().connection
    assert (row.status, row.timeout_ms, row.ssl_protocol_mode, row.pop_use_apop) == ("ENABLED", 60_000, "ALL", True)


def test_a_full_write_sets_absent_values_back_and_keeps_the_secret():
    row = save({"description": "old"}).connection
    values = {key: value for key, value in GOOD.items() if key != "password"}
    again = save(values, row).connection
    assert (again.description, again.secret_is_set("password")) == ("", True)


def test_a_partial_write_keeps_what_is_absent():
    row = save({"description": "old"}).connection
    again = save({"timeout_ms": 5000}, row, partial=True).connection
    assert (again.description, again.timeout_ms) == ("old", 5000)


def test_a_write_that_changes_nothing_writes_nothing():
    row = save().connection
    again = save({key: value for key, value in GOOD.items() if key != "password"}, row)
    assert (again.changed, again.connection.version) == ((), 1)


def test_a_secret_is_sealed_for_its_row_and_field():
    row = save().connection
    stored = SmtpConnection.objects.get(pk=row.pk).password_sealed
    assert "correct horse" not in stored
    assert vault.open_(stored, row.pk, "password").reveal() == "correct horse"


def test_what_a_read_shows_of_a_secret_keeps_it():
    row = save().connection
    again = save({"password": {"is_set": True, "changed_at": None}}, row, partial=True).connection
    assert vault.open_(again.password_sealed, row.pk, "password").reveal() == "correct horse"


def test_null_clears_a_secret():
    row = save().connection
    again = save({"password": None, "username": ""}, row, partial=True).connection
    assert (again.secret_is_set("password"), again.password_changed_at) == (False, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "other.example.org"},
        {"port": 25},
        {"username": "somebody"},
        {"connection_security": "NONE"},
        {"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["TLSv1"]},
    ],
    ids=str,
)
def test_a_change_of_destination_asks_for_the_secret_again(changes):
    row = save().connection
    assert refusals(changes, row, partial=True) == {("password", "secret_must_be_retyped")}


def test_switching_the_name_match_off_asks_for_the_secret_again():
    row = save({"match_server_hostname": True}).connection
    assert refusals({"match_server_hostname": False}, row, partial=True) == {("password", "secret_must_be_retyped")}


def test_the_same_host_in_other_letters_is_the_same_destination():
    row = save().connection
    assert save({"host": "MAIL.example.org"}, row, partial=True).changed == ("host",)


def test_with_the_secret_typed_again_the_destination_may_change():
    row = save().connection
    again = save({"host": "other.example.org", "password": "new"}, row, partial=True).connection
    assert vault.open_(again.password_sealed, row.pk, "password").reveal() == "new"


def test_a_hidden_secret_is_kept_and_says_so():
    row = save().connection
    saved = save({"authentication_type": "NONE"}, row, partial=True)
    assert saved.connection.secret_is_set("password")
    assert ("password", "field_ignored") in {(item.field, item.code) for item in saved.advisories}


def test_a_hidden_secret_does_not_follow_a_change_of_host():
    row = save({"authentication_type": "BASIC"}).connection
    row = save({"authentication_type": "NONE"}, row, partial=True).connection
    row = save({"host": "evil.example.org"}, row, partial=True).connection
    assert not row.secret_is_set("password")


def test_the_value_of_a_hidden_field_is_dropped_and_said():
    saved = save({"retry_interval": 30})
    assert saved.connection.retry_interval is None
    assert ("retry_interval", "field_ignored") in {(item.field, item.code) for item in saved.advisories}


def test_a_hidden_field_cannot_be_wrong():
    assert save({"retry_interval": 99_999}).connection.retry_interval is None


def test_a_pasted_url_is_answered_with_its_parts():
    with pytest.raises(ValidationError) as caught:
        save({"host": "smtps://mail.example.org:465"})
    (error,) = caught.value.error_dict["host"]
    assert error.params["suggestion"] == {"host": "mail.example.org", "port": 465, "connection_security": "SSL_TLS"}


def test_two_faults_are_both_named():
    assert refusals({"port": 0, "name": "a b"}) == {("port", "out_of_range"), ("name", "forbidden_character")}


def test_an_old_version_is_refused_with_what_changed():
    row = save().connection
    save({"description": "new"}, row, partial=True)
    with pytest.raises(Refused) as caught:
        save({"description": "mine"}, row, partial=True, expected_version=1)
    assert (caught.value.code, caught.value.extra["changed"]) == ("precondition_failed", ["description"])


def test_a_deleted_connection_is_gone_with_its_secret():
    row = save().connection
    services.delete(row)
    assert not SmtpConnection.objects.exists()


def test_the_order_of_suites_is_kept():
    names = ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"]
    row = save({"cipher_suite_mode": "SPECIFIC", "cipher_suites": names}).connection
    assert SmtpConnection.objects.get(pk=row.pk).cipher_suites == names


def test_the_search_finds_name_and_host():
    save()
    save({"name": "other", "host": "relay.example.net"})
    assert [row.name for row in connection_list({"q": "RELAY"})] == ["other"]


def test_a_tag_is_found_whole_only():
    save({"tags": ["finance", "eu"]})
    assert [connection_list({"tag": tag}).count() for tag in ("eu", "e")] == [1, 0]


def test_a_search_of_many_words_is_refused():
    with pytest.raises(ValidationError) as caught:
        connection_list({"q": "a " * 11})
    assert [error.code for error in caught.value.error_dict["q"]] == ["too_long"]


def test_a_wrong_filter_is_named():
    with pytest.raises(ValidationError) as caught:
        connection_list({"status": "open", "ordering": "colour"})
    assert set(caught.value.error_dict) == {"status", "ordering"}


def test_a_connection_is_found_by_name_in_any_case_and_by_id():
    row = save().connection
    assert find("ORDERS-out") == find(str(row.pk)) == row


def test_a_connection_that_was_never_tested_is_not_stale():
    save()
    assert [row.stale for row in connection_list({})] == [False]


def test_a_changed_password_changes_the_configuration():
    row = save().connection
    again = save({"password": "new one"}, row, partial=True, now=timezone.now()).connection
    assert again.configuration != row.configuration


def test_a_new_description_does_not_change_the_configuration():
    row = save().connection
    assert save({"description": "new"}, row, partial=True).connection.configuration == row.configuration


def test_every_condition_speaks_of_fields_that_exist():
    known = {*SmtpConnection.definition_fields(), "password", "pop_password", "credential"}
    named = {*rules.CONDITIONS, *(name for item in rules.CONDITIONS.values() for name in item.controllers)}
    assert named <= known


def test_allowing_every_version_where_one_was_allowed_asks_for_the_secret_again():
    chosen = {"ssl_protocols": ["TLSv1_3"], "cipher_suites": ["TLS_AES_128_GCM_SHA256"]}
    row = save({"ssl_protocol_mode": "SPECIFIC", "cipher_suite_mode": "SPECIFIC", **chosen}).connection
    wider = {"ssl_protocol_mode": "ALL", "cipher_suite_mode": "ALL"}
    assert refusals(wider, row, partial=True) == {("password", "secret_must_be_retyped")}
