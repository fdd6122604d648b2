"""A connection whose credential may no longer be used for its server: every door says so, and disables it."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from connections import services
from connections.models import SmtpConnection
from connections.selectors import find
from core.models import AuditEvent
from credentials import services as credentials
from tests.credentials import BASIC
from tests.definitions import GOOD
from tests.jobs import local_steng

pytestmark = pytest.mark.django_db
SENTENCE = "“orders-mailbox” may not be used for mail.example.org:587. Its destinations say for what it may."


@pytest.fixture
def row(admin_user):
    """Return a connection that was sound when it was saved."""
    local_steng(timezone.now())
    credential = credentials.save(None, BASIC, user=admin_user).credential
    own = {"username": None, "password": None, "credential": credential.name}
    saved = services.save(SmtpConnection, None, GOOD | own, user=admin_user).connection
    elsewhere = {"destinations": ["smtp.example.net:587"], "password": BASIC["password"]}
    credentials.save(credential, elsewhere, user=admin_user, partial=True)
    return find(saved.pk)


def status_of(row):
    return find(row.pk).status


def messages_of(answer):
    return [(message.level_tag, message.message) for message in answer.context["messages"]]


def test_the_page_says_why_it_is_not_tested_again(admin_client, row):
    answer = admin_client.post(reverse("connections:test", args=["smtp", row.pk]), {"saved": "1"}, follow=True)
    assert messages_of(answer) == [("error", f"Credential: {SENTENCE}")]


def test_the_page_of_who_tests_what_is_saved_says_it_too(client_as, row):
    answer = client_as("operator").post(reverse("connections:test", args=["smtp", row.pk]))
    assert (answer.status_code, SENTENCE in answer.content.decode()) == (422, True)


def test_the_api_says_it_by_code(api, row):
    answer = api.post(f"/api/v1/connections/smtp/{row.pk}/test/", {}, format="json")
    errors = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert (answer.status_code, errors) == (400, [("/credential", "secret_not_for_destination")])


def test_the_api_disables_it(api, row):
    answer = api.patch(f"/api/v1/connections/smtp/{row.pk}/", {"status": "DISABLED"}, format="json")
    assert (answer.status_code, answer.json()["status"], status_of(row)) == (200, "DISABLED", "DISABLED")


def test_to_disable_it_is_recorded_as_that(row):
    services.set_status(row, "DISABLED", user=None)
    event = AuditEvent.objects.get(act="connection.disabled")
    assert (event.before, event.after, status_of(row)) == ({"status": "ENABLED"}, {"status": "DISABLED"}, "DISABLED")


def test_the_command_line_disables_it(row):
    told = StringIO()
    call_command("connection", "set", row.name, "status=DISABLED", stdout=told)
    assert (told.getvalue(), status_of(row)) == (f"{row.name}: changed status\n", "DISABLED")


def test_to_disable_it_is_a_write_like_any_other(admin_user, row):
    services.set_status(row, "DISABLED", user=admin_user)
    written = find(row.pk)
    assert (written.version, written.field_versions["status"], written.updated_by) == (
        row.version + 1, row.version + 1, admin_user,
    )  # fmt: skip


def test_to_disable_it_leaves_what_was_tested(row):
    services.set_status(row, "DISABLED", user=None)
    assert find(row.pk).configuration == row.configuration


def test_disabling_it_twice_changes_nothing_the_second_time(row):
    services.set_status(row, "DISABLED", user=None)
    assert services.set_status(find(row.pk), "DISABLED", user=None).changed == ()


def test_disabling_an_older_version_is_refused(api, row):
    answer = api.patch(
        f"/api/v1/connections/smtp/{row.pk}/", {"status": "DISABLED"}, format="json", HTTP_IF_MATCH='"77"'
    )
    assert (answer.status_code, answer.json()["code"], status_of(row)) == (412, "precondition_failed", "ENABLED")


def test_nobody_puts_it_back_to_work_before_it_is_mended(api, row):
    services.set_status(row, "DISABLED", user=None)
    answer = api.patch(f"/api/v1/connections/smtp/{row.pk}/", {"status": "ENABLED"}, format="json")
    errors = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert (answer.status_code, errors, status_of(row)) == (
        400, [("/credential", "secret_not_for_destination")], "DISABLED",
    )  # fmt: skip
