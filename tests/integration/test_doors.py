"""What the doors have in common beside their faults (test_parity): what they keep, what they refuse to hear."""

import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from connections.models import SmtpConnection
from tests.definitions import GOOD

pytestmark = pytest.mark.django_db


def as_posted(values):
    """Return the values as a browser posts the form: text, nothing for what is empty, one entry per box."""
    posted = {}
    for name, value in values.items():
        if value is True:
            posted[name] = "on"
        elif isinstance(value, list):
            posted[name] = ", ".join(value) if name == "tags" else value
        elif value is not None and value is not False:
            posted[name] = str(value)
    return posted


def as_arguments(values, environ):
    """Return the values as `field=value` arguments; a secret goes by the environment."""
    arguments = []
    for name, value in values.items():
        if name in {"password", "pop_password"}:
            environ.setenv(f"TEST_{name.upper()}", value)
            arguments.append(f"{name}=env:TEST_{name.upper()}")
        elif isinstance(value, list):
            arguments.append(f"{name}={','.join(value)}")
        else:
            arguments.append(f"{name}={'' if value is None else value}")
    return arguments


def test_what_was_typed_stays_except_the_secret(admin_client):
    answer = admin_client.post(
        reverse("connections:new", args=["smtp"]), {**as_posted(GOOD), "port": "abc", "description": "Keep me"}
    )
    page = answer.content.decode()
    assert "Keep me" in page
    assert 'value="abc"' in page
    assert GOOD["password"] not in page


def test_the_form_saves_what_a_browser_posts(admin_client):
    answer = admin_client.post(
        reverse("connections:new", args=["smtp"]), {**as_posted(GOOD), "name": "📮-orders", "tags": "eu, finance"}
    )
    row = SmtpConnection.objects.get()
    assert (answer.status_code, row.name, row.tags, row.port) == (302, "📮-orders", ["eu", "finance"], 587)


def test_the_command_line_creates_changes_and_then_has_nothing_to_do(monkeypatch):
    said = []
    for description in ("one", "two", "two"):
        out = StringIO()
        values = {name: value for name, value in GOOD.items() if name not in {"name", "password"}}
        arguments = as_arguments({**values, "description": description}, monkeypatch)
        if not said:
            monkeypatch.setenv("TEST_PASSWORD", "s3cret")
            arguments.append("password=env:TEST_PASSWORD")
        call_command("connection", "set", "by-hand", *arguments, stdout=out, stderr=StringIO())
        said.append(out.getvalue().strip())
    assert said == ["by-hand: created", "by-hand: changed description", "by-hand: unchanged"]


def test_a_secret_in_the_arguments_is_refused():
    errors = StringIO()
    with pytest.raises(SystemExit):
        call_command("connection", "set", "x", "host=h.example", "password=visible", stderr=errors)
    assert re.match(r"password: malformed", errors.getvalue())
    assert "visible" not in errors.getvalue()


def test_a_change_of_host_asks_for_the_secret_again_by_every_door(admin_client, api, monkeypatch):
    row_id = api.post("/api/v1/connections/smtp/", GOOD).json()["id"]
    rest = api.patch(f"/api/v1/connections/smtp/{row_id}/", {"host": "other.example.org"}).json()
    form = admin_client.post(
        reverse("connections:edit", args=["smtp", row_id]),
        {**as_posted(GOOD), "host": "other.example.org", "password": ""},
    )
    shell = StringIO()
    with pytest.raises(SystemExit):
        call_command("connection", "set", GOOD["name"], "host=other.example.org", stderr=shell)
    codes = [
        {(error["pointer"], error["code"]) for error in rest["errors"]},
        {(f"/{name}", error.code) for name, found in form.context["form"].errors.as_data().items() for error in found},
        {("/" + line.split(": ")[0], line.split(": ")[1]) for line in shell.getvalue().splitlines()},
    ]
    assert codes == [{("/password", "secret_must_be_retyped")}] * 3


def test_the_command_line_names_every_fault_at_once():
    errors = StringIO()
    with pytest.raises(SystemExit):
        call_command(
            "connection",
            "set",
            "z",
            "host=smtp://h:25",
            "port=abc",
            "connection_security=none",
            "misspelt=1",
            stderr=errors,
        )
    said = {tuple(line.split(": ", 2)[:2]) for line in errors.getvalue().splitlines()}
    assert said == {
        ("host", "host_has_scheme"),
        ("port", "invalid_type"),
        ("connection_security", "invalid_choice"),
        ("misspelt", "unknown_field"),
    }


def test_the_command_line_lists_each_connection_with_its_status_and_its_last_test(api):
    for name, status in (("orders-out", "ENABLED"), ("orders-late", "DISABLED")):
        assert api.post("/api/v1/connections/smtp/", {**GOOD, "name": name, "status": status}).status_code == 201
    out = StringIO()
    call_command("connection", "list", stdout=out)
    assert [line.split() for line in out.getvalue().splitlines()] == [
        ["NAME", "KIND", "STATUS", "ENDPOINT", "SECURITY", "LAST", "TEST"],
        ["orders-late", "smtp", "DISABLED", "mail.example.org:587", "STARTTLS", "never", "tested"],
        ["orders-out", "smtp", "ENABLED", "mail.example.org:587", "STARTTLS", "never", "tested"],
    ]
