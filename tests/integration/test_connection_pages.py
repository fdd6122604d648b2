"""The pages of connections for those who may less, and for values that a browser would not send."""

import re

import pytest
from django.core.management import call_command
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connections import rules
from connections.models import SmtpConnection
from connections.services import delete, save
from connections.views import definition
from connections.views.page import existing
from tests.definitions import GOOD

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(admin_user):
    """Return a saved connection."""
    return save(SmtpConnection, None, GOOD, user=admin_user).connection


def test_a_viewer_sees_the_form_but_neither_saves_nor_tests_nor_deletes(connection, viewer_client):
    address = reverse("connections:edit", args=["smtp", connection.pk])
    page = viewer_client.get(address).content.decode()
    assert "not change it" in page
    assert not re.search(r"formaction=|>Save<|/delete/", page)
    assert viewer_client.post(address, {"name": "changed"}).status_code == 403
    assert viewer_client.post(reverse("connections:test", args=["smtp", connection.pk])).status_code == 403
    assert viewer_client.post(reverse("connections:delete", args=["smtp", connection.pk])).status_code == 403
    assert SmtpConnection.objects.get().name == connection.name


def test_an_operator_tests_but_does_not_save(connection, make_user, client):
    client.force_login(make_user("operator", "connections.test"))
    address = reverse("connections:edit", args=["smtp", connection.pk])
    assert "formaction=" in client.get(address).content.decode()
    assert client.post(address, {"name": "changed"}).status_code == 403


def test_a_stranger_is_led_to_the_log_in(connection, client):
    for name, arguments in (("list", []), ("new", ["smtp"]), ("edit", ["smtp", connection.pk]), ("conditions", [])):
        answer = client.get(reverse(f"connections:{name}", args=arguments))
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login/")


def stands_under(page, name, attribute):
    """Tell whether the control of a field stands inside an element that carries the condition."""
    start = page.index(f'name="{name}"')
    opening = page.rindex('class="field', 0, start)
    return f'data-show-if="{attribute.replace(">", "&gt;")}"' in page[opening:start]


def test_the_stylesheet_and_the_page_carry_every_condition(admin_client):
    sheet = admin_client.get(reverse("connections:conditions"))
    assert sheet["Content-Type"] == "text/css; charset=utf-8"
    page = admin_client.get(reverse("connections:new", args=["smtp"])).content.decode()
    for name, condition in rules.CONDITIONS.items():
        assert f'[data-show-if="{condition.attribute}"]{{display:none}}' in sheet.content.decode()
        assert stands_under(page, name, condition.attribute), name


def test_a_field_limits_nothing_in_the_browser(admin_client):
    page = admin_client.get(reverse("connections:new", args=["smtp"])).content.decode()
    assert not re.search(r'maxlength|type="number"|style=|<script(?! src)|\son[a-z]+=|hx-on', page)


@pytest.mark.parametrize("value", ["50%", "%s", "%(limit)d", "{0}"])
def test_a_sign_of_formatting_in_a_value_is_only_a_sign(value, admin_client):
    posted = {"name": "percent", "host": "h.example", "port": value, "connection_security": "STARTTLS"}
    posted |= {"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": [value], "cluster": value}
    answer = admin_client.post(reverse("connections:new", args=["smtp"]), posted)
    assert answer.status_code == 422
    codes = {name: found[0].code for name, found in answer.context["form"].errors.as_data().items()}
    assert codes == {"port": "invalid_type", "ssl_protocols": "invalid_choice", "cluster": "not_found"}
    assert value in answer.content.decode()


def test_a_test_of_another_connection_is_not_shown_here(connection, admin_client):
    address = reverse("connections:edit", args=["smtp", connection.pk])
    for asked in ("nonsense", "00000000-0000-4000-8000-000000000000"):
        assert admin_client.get(address, {"test": asked}).context["job"] is None


def test_an_order_that_a_person_chose_is_one_step_at_a_time(admin_client):
    suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
    posted = {"cipher_suite_mode": "SPECIFIC", "cipher_suites": suites, "prefer": suites[2]}
    page = admin_client.post(reverse("connections:new", args=["smtp"]), posted)
    assert page.status_code == 200
    assert page.context["form"]["cipher_suites"].value() == [suites[0], suites[2], suites[1]]


def test_an_apply_button_fills_in_what_it_says_and_never_a_secret(admin_client):
    posted = {"name": "x", "host": "h:465", "apply": "host=h&port=465&password=planted"}
    form = admin_client.post(reverse("connections:new", args=["smtp"]), posted).context["form"]
    assert (form["host"].value(), form["port"].value(), form["password"].value()) == ("h", "465", None)
    assert not SmtpConnection.objects.exists()


def test_who_saves_what_was_changed_meanwhile_is_told_how_to_overwrite_it(connection, admin_client):
    save(SmtpConnection, connection, {"description": "theirs"}, user=None, partial=True)
    address = reverse("connections:edit", args=["smtp", connection.pk])
    answer = admin_client.post(address, {"description": "mine", "version": "1"})
    told = (
        "The connection was changed meanwhile: description. Read it again. "
        "What you typed is still here; saving again overwrites the change."
    )
    assert (answer.status_code, answer.context["form"].non_field_errors()) == (409, [told])


def test_who_saves_what_was_deleted_meanwhile_is_not_told_to_overwrite_it(connection, admin_client, monkeypatch):
    def found_and_then_deleted(kind, pk):
        row = existing(kind, pk)
        delete(existing(kind, pk))
        return row

    monkeypatch.setattr(definition, "existing", found_and_then_deleted)
    answer = admin_client.post(reverse("connections:edit", args=["smtp", connection.pk]), {"description": "mine"})
    assert (answer.status_code, answer.context["form"].non_field_errors()) == (
        409,
        ["This connection has been deleted meanwhile."],
    )


def test_a_changed_field_is_answered_for_itself_alone(admin_client):
    posted = {"name": "a b", "port": "abc", "_shown": "port"}
    form = admin_client.post(reverse("connections:check-draft", args=["smtp"]), posted).context["form"]
    assert set(form.errors) == {"port"}


def test_the_list_costs_the_same_queries_for_one_row_and_for_twenty(admin_user, admin_client):
    def queries():
        with CaptureQueriesContext(database) as asked:
            assert admin_client.get(reverse("connections:list")).status_code == 200
        return len(asked)

    save(SmtpConnection, None, GOOD, user=admin_user)
    one = queries()
    for number in range(19):
        save(SmtpConnection, None, {**GOOD, "name": f"c{number}"}, user=admin_user)
    assert queries() == one


def test_the_command_lists_any_number_with_one_query(admin_user, capsys, django_assert_num_queries):
    for number in range(3):
        save(SmtpConnection, None, {**GOOD, "name": f"c{number}"}, user=admin_user)
    with django_assert_num_queries(1):
        call_command("connection", "list")
    assert len(capsys.readouterr().out.splitlines()) == 1 + 3
