"""Definitions on the support pages: the stock pages, with every field, and nothing written past the services."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from connections import services
from connections.kinds import KINDS
from connections.models import Connection, SmtpConnection
from core.audit.models import AuditEvent
from credentials import services as credentials
from credentials import vault
from credentials.models import Credential
from tests.credentials import BASIC
from tests.definitions import GOOD
from tests.fields.doors import as_posted
from tests.fields.sound import SOUND

pytestmark = pytest.mark.django_db
SUITES = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]


def page(row, name="change"):
    return reverse(f"admin:connections_{row._meta.model_name}_{name}", args=[row.pk])


def adding(kind):
    return reverse(f"admin:connections_{KINDS[kind]._meta.model_name}_add")


def made(kind="smtp", **changes):
    return services.save(KINDS[kind], None, {**SOUND[kind], **changes}, user=None).connection


def controls(answer):
    """Return what a browser posts of the form of a page: what its fields show, and the version."""
    form = answer.context["adminform"].form
    posted = {bound.name: bound.value() for bound in form if bound.value() not in (None, "")}
    version = re.search(r'name="version" value="(\d+)"', answer.content.decode())
    return {**posted, **({"version": version[1]} if version else {})}


def errors(answer):
    found = answer.context["adminform"].form.errors.as_data()
    return {(name, error.code) for name, problems in found.items() for error in problems}


def said(answer):
    return [str(message) for message in answer.context["messages"]]


def password_of(row):
    row = type(row).objects.get(pk=row.pk)
    return vault.open_(row.password_sealed, row.pk, "password").reveal() if row.password_sealed else None


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_the_definition_stands_on_the_page_once(admin_client, kind):
    answer = admin_client.get(adding(kind))
    shown = [name for fieldset in answer.context["adminform"] for name in fieldset.fields]
    assert sorted(shown) == sorted(KINDS[kind].writable())


@pytest.mark.parametrize("kind", KINDS)
def test_a_definition_is_saved_as_the_page_of_the_console_saves_it(admin_client, kind):
    answer = admin_client.post(adding(kind), as_posted(SOUND[kind], kind), follow=True)
    row = KINDS[kind].objects.get()
    assert answer.redirect_chain[-1][0] == reverse(f"admin:connections_{row._meta.model_name}_changelist")
    assert {name: getattr(row, name) for name in SOUND[kind] if name != "password"} == {
        name: value for name, value in SOUND[kind].items() if name != "password"
    }
    assert password_of(row) == SOUND[kind]["password"]


def test_who_saved_and_through_which_door_is_in_the_audit_trail(admin_client):
    admin_client.post(adding("smtp"), as_posted(SOUND["smtp"], "smtp"))
    event = AuditEvent.objects.get(act="connection.created")
    assert (event.actor_name, event.door, event.object_name) == ("admin", "admin", SOUND["smtp"]["name"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_that_is_saved_as_it_is_changes_nothing(admin_client, kind):
    specific = {"cipher_suite_mode": "SPECIFIC", "cipher_suites": SUITES, "tags": ["a", "b"], "dynamic": True}
    row = made(kind, **specific, ssl_protocol_mode="SPECIFIC", ssl_protocols=["TLSv1_2"])
    answer = admin_client.post(page(row), controls(admin_client.get(page(row))), follow=True)
    assert said(answer) == ["Nothing was changed."]
    assert Connection.objects.get().version == row.version


def test_errors_stand_beside_their_fields(admin_client):
    answer = admin_client.post(adding("smtp"), as_posted({**SOUND["smtp"], "port": 0, "host": "h:25"}, "smtp"))
    assert errors(answer) == {("port", "out_of_range"), ("host", "host_has_port")}
    content = answer.content.decode()
    beside = re.search(r'<div class="form-row errors field-port">(.*?)</div>\s*</div>', content, re.DOTALL)
    assert "Must be between 1 and 65,535." in beside[1]
    assert Connection.objects.count() == 0


def test_what_was_typed_stays_except_the_secret(admin_client):
    content = admin_client.post(adding("smtp"), as_posted({**SOUND["smtp"], "port": 0}, "smtp")).content.decode()
    assert 'value="mail.example.org"' in content
    assert SOUND["smtp"]["password"] not in content


def test_the_order_of_the_cipher_suites_is_kept_and_more_can_be_added(admin_client):
    row = made(cipher_suite_mode="SPECIFIC", cipher_suites=SUITES, username=None, password=None)
    posted = controls(admin_client.get(page(row)))
    more = "TLS_AES_128_GCM_SHA256"
    admin_client.post(page(row), {**posted, "cipher_suites": ["\r\n".join(reversed(SUITES)), more]})
    assert SmtpConnection.objects.get().cipher_suites == [*reversed(SUITES), more]


def test_an_empty_secret_keeps_the_stored_one(admin_client):
    row = made()
    admin_client.post(page(row), {**controls(admin_client.get(page(row))), "description": "Other."})
    assert SmtpConnection.objects.get().description == "Other."
    assert password_of(row) == SOUND["smtp"]["password"]


def test_a_box_clears_the_stored_secret(admin_client):
    row = made()
    posted = controls(admin_client.get(page(row)))
    del posted["username"]
    admin_client.post(page(row), {**posted, "clear_password": "on"})
    assert password_of(row) is None


def test_a_secret_does_not_follow_a_change_of_host(admin_client):
    row = made()
    answer = admin_client.post(page(row), {**controls(admin_client.get(page(row))), "host": "evil.example.org"})
    assert errors(answer) == {("password", "secret_must_be_retyped")}


def test_a_page_that_somebody_overtook_is_not_saved_at_first(admin_client):
    row = made()
    posted = {**controls(admin_client.get(page(row))), "description": "Mine."}
    services.save(SmtpConnection, row, {"description": "Theirs."}, user=None, partial=True)
    answer = admin_client.post(page(row), posted)
    assert "changed meanwhile: description" in answer.content.decode()
    assert SmtpConnection.objects.get().description == "Theirs."
    admin_client.post(page(row), controls(answer))
    assert SmtpConnection.objects.get().description == "Mine."


def test_what_is_worth_knowing_is_told_after_the_save_and_on_the_page(admin_client):
    values = {**SOUND["smtp"], "connection_security": "NONE"}
    answer = admin_client.post(adding("smtp"), as_posted(values, "smtp"), follow=True)
    advice = [problem.detail for problem in SmtpConnection.objects.get().advisories()]
    assert [text for text in said(answer) if any(text.endswith(detail) for detail in advice)] != []
    content = admin_client.get(page(SmtpConnection.objects.get())).content.decode()
    assert advice[0].split("“")[0] in content


def test_support_sees_a_definition_and_changes_nothing(client, make_user):
    row = made()
    client.force_login(make_user("s.bianchi", role="support", is_staff=True))
    answer = client.get(page(row))
    form = answer.content.decode().split('id="smtpconnection_form"')[1]
    assert re.findall(r'<(?:input|select|textarea)[^>]* name="(\w+)"', form) == ["csrfmiddlewaretoken"]
    assert "Set, changed" in form
    assert client.post(page(row), {"description": "Other."}).status_code == 403


def test_nobody_reads_a_secret_from_a_page(admin_client):
    row = made(authentication_type="POP_BEFORE_SMTP", username=None, password=None, pop_host="p.example.org",
               pop_port=995, pop_security="SSL_TLS", pop_username="u", pop_password="canary-77")  # fmt: skip
    for name in ("change", "delete", "history", "test"):
        content = admin_client.get(page(row, name), follow=True).content.decode()
        assert "canary-77" not in content
        assert row.pop_password_sealed not in content


def test_a_delete_asks_and_goes_through_the_services(admin_client):
    row = made()
    assert row.name in admin_client.get(page(row, "delete")).content.decode()
    admin_client.post(page(row, "delete"), {"post": "yes", "version": str(row.version)})
    assert Connection.objects.count() == 0
    assert AuditEvent.objects.get(act="connection.deleted").door == "admin"


def test_a_delete_of_what_has_changed_meanwhile_is_refused(admin_client):
    row = made()
    services.save(SmtpConnection, row, {"description": "Theirs."}, user=None, partial=True)
    answer = admin_client.post(page(row, "delete"), {"post": "yes", "version": str(row.version)}, follow=True)
    assert "changed meanwhile" in said(answer)[0]
    assert Connection.objects.count() == 1


def chosen(model, rows, **more):
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return url, {"action": "delete_selected", "_selected_action": [str(row.pk) for row in rows], **more}


def test_chosen_connections_are_deleted_each_by_the_services(admin_client):
    rows = [made(name=f"c{number}") for number in range(3)]
    url, posted = chosen(SmtpConnection, rows[:2])
    assert "Are you sure" in admin_client.post(url, posted).content.decode()
    assert Connection.objects.count() == 3
    admin_client.post(url, {**posted, "post": "yes"})
    assert [row.name for row in Connection.objects.all()] == ["c2"]
    assert AuditEvent.objects.filter(act="connection.deleted", door="admin").count() == 2


def test_more_than_one_question_is_good_for_is_refused(admin_client, monkeypatch):
    monkeypatch.setattr("core.definition_admin.DELETED_AT_ONCE", 1)
    rows = [made(name=f"c{number}") for number in range(2)]
    url, posted = chosen(SmtpConnection, rows, post="yes")
    assert "At most 1 are deleted here" in said(admin_client.post(url, posted, follow=True))[0]
    assert Connection.objects.count() == 2


@pytest.fixture
def used():
    """Return a credential that a connection signs in with."""
    credential = credentials.save(None, BASIC, user=None).credential
    made(credential=credential.name, username=None, password=None)
    return credential


def credential_page(row, name="change"):
    return reverse(f"admin:credentials_credential_{name}", args=[row.pk])


def test_a_credential_in_use_cannot_be_deleted_by_page_or_action(admin_client, used):
    answer = admin_client.get(credential_page(used, "delete"))
    assert f"smtp {SOUND['smtp']['name']}" in answer.content.decode()
    admin_client.post(credential_page(used, "delete"), {"post": "yes"})
    url, posted = chosen(Credential, [used], post="yes")
    admin_client.post(url, posted)
    assert Credential.objects.count() == 1


def test_a_credential_is_saved_by_its_services(admin_client):
    url = reverse("admin:credentials_credential_add")
    answer = admin_client.post(url, {**BASIC, "destinations": "no port"})
    assert errors(answer) == {("destinations", "destination_invalid")}
    admin_client.post(url, {**BASIC, "destinations": "mail.example.org:587"})
    row = Credential.objects.get()
    assert credentials.open_secret(row).reveal() == BASIC["password"]
    assert AuditEvent.objects.get(act="credential.created").door == "admin"
    answer = admin_client.post(credential_page(row), controls(admin_client.get(credential_page(row))), follow=True)
    assert said(answer) == ["Nothing was changed."]


def test_the_history_is_the_audit_trail_and_the_admin_keeps_none_of_its_own(admin_client):
    admin_client.post(adding("smtp"), as_posted(SOUND["smtp"], "smtp"))
    row = SmtpConnection.objects.get()
    admin_client.post(page(row), {**controls(admin_client.get(page(row))), "description": "Other."})
    answer = admin_client.get(page(row, "history"), follow=True)
    assert [event.act for event in answer.context["cl"].result_list] == ["connection.changed", "connection.created"]
    admin_client.post(page(row, "delete"), {"post": "yes"})
    assert LogEntry.objects.count() == 0


def test_the_list_of_all_leads_to_the_page_of_the_kind(admin_client):
    row = made("mailbox")
    answer = admin_client.get(reverse("admin:connections_connection_changelist"))
    assert f"/admin/connections/connection/{row.pk}/change/" in answer.content.decode()
    assert admin_client.get(page(Connection.objects.get())).headers["Location"] == page(row)


def test_a_connection_of_another_kind_is_not_found(admin_client):
    row = made("mailbox")
    url = reverse("admin:connections_smtpconnection_change", args=[row.pk])
    assert admin_client.get(url).status_code == 404
    assert admin_client.get(reverse("admin:connections_smtpconnection_change", args=[row.name])).status_code == 404


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?q=ord", ["orders-out"]),
        ("?q=MAIL.example", ["invoices-out", "orders-out"]),
        ("?status__exact=DISABLED", ["invoices-out"]),
        ("?security=NONE", ["invoices-out"]),
        ("?verdict=none", ["invoices-out", "orders-out"]),
        ("?verdict=failure", []),
        ("?kind__exact=mailbox", []),
    ],
)
def test_the_list_is_searched_and_narrowed(admin_client, query, names):
    made(**GOOD)
    made(name="invoices-out", status="DISABLED", connection_security="NONE")
    answer = admin_client.get(reverse("admin:connections_connection_changelist") + query)
    assert [row.name for row in answer.context["cl"].result_list] == names
