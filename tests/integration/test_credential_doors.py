"""Credentials through every door: one fault has one name, and a secret that went in comes out of none."""

import logging
import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from core.audit.models import AuditEvent
from core.models import IdempotencyRecord
from credentials import services
from credentials.models import Credential
from tests.credentials import BASIC, FAULTS, JSON_FAULTS, OAUTH2, pretend_use

pytestmark = pytest.mark.django_db
BASE = "/api/v1/credentials/"
CANARY = "c4nary-of-a-secret"


def as_posted(values):
    """Return the values as a browser posts the form: text, one destination a line."""
    return {
        name: "\r\n".join(value) if isinstance(value, list) else value
        for name, value in values.items()
        if value is not None
    }


def as_arguments(values, environ):
    """Return the values as `field=value` arguments; a secret goes by the environment."""
    arguments = []
    for name, value in values.items():
        if name in {"password", "client_secret"}:
            environ.setenv(f"TEST_{name.upper()}", value)
            arguments.append(f"{name}=env:TEST_{name.upper()}")
        else:
            arguments.append(f"{name}={','.join(value) if isinstance(value, list) else value}")
    return arguments


def command(*arguments, status=0):
    """Run `manage.py credential`; return what it wrote to standard output and to the error output."""
    out, errors = StringIO(), StringIO()
    ended = 0
    try:
        call_command("credential", *arguments, stdout=out, stderr=errors)
    except SystemExit as exit_:
        ended = exit_.code
    assert ended == status, errors.getvalue()
    return out.getvalue(), errors.getvalue()


@pytest.mark.parametrize("fault", FAULTS)
def test_the_form_names_the_fault(fault, admin_client):
    values, field, code = FAULTS[fault]
    answer = admin_client.post(reverse("credentials:new"), as_posted(values))
    found = answer.context["form"].errors.as_data()
    assert (answer.status_code, {(name, error.code) for name, errors in found.items() for error in errors}) == (
        422,
        {(field, code)},
    )


@pytest.mark.parametrize("fault", [*FAULTS, *JSON_FAULTS])
def test_rest_names_the_fault(fault, api):
    values, field, code = {**FAULTS, **JSON_FAULTS}[fault]
    answer = api.post(BASE, values)
    found = {(error["pointer"], error["code"]) for error in answer.json().get("errors", [])}
    assert (answer.status_code, found) == (400, {(f"/{field}", code)})


@pytest.mark.parametrize("fault", FAULTS)
def test_the_command_line_names_the_fault(fault, monkeypatch):
    values, field, code = FAULTS[fault]
    _, errors = command("set", "new-one", *as_arguments(values, monkeypatch), status=2)
    assert {tuple(line.split(": ", 2)[:2]) for line in errors.splitlines()} == {(field, code)}


def test_a_changed_user_name_asks_for_the_password_by_every_door(admin_client, api):
    where = api.post(BASE, BASIC).json()["id"]
    rest = api.patch(f"{BASE}{where}/", {"username": "eve"}).json()
    form = admin_client.post(
        reverse("credentials:edit", args=[where]), as_posted({**BASIC, "username": "eve", "password": ""})
    )
    _, shell = command("set", BASIC["name"], "username=eve", status=2)
    found = [
        {(error["pointer"], error["code"]) for error in rest["errors"]},
        {(f"/{name}", error.code) for name, all_ in form.context["form"].errors.as_data().items() for error in all_},
        {("/" + line.split(": ")[0], line.split(": ")[1]) for line in shell.splitlines()},
    ]
    assert found == [{("/password", "secret_must_be_retyped")}] * 3


class TestTheCommand:
    def test_it_creates_changes_and_then_has_nothing_to_do(self, monkeypatch):
        said = [
            command("set", "by-hand", *as_arguments({**OAUTH2, "name": "by-hand", "description": words}, monkeypatch))[
                0
            ]
            for words in ("one", "two", "two")
        ]
        assert said == ["by-hand: created\n", "by-hand: changed description\n", "by-hand: unchanged\n"]

    def test_a_new_name_alone_names_a_new_credential(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", StringIO("  typed \r\n"))
        command("set", "new-one", "kind=BASIC", "username=u", "password=@-")
        assert services.open_secret(Credential.objects.get(name="new-one")).reveal() == "  typed "

    def test_a_change_leaves_the_rest_alone(self, monkeypatch):
        services.save(None, BASIC, user=None)
        command("set", "orders-mailbox", "description=new")
        assert services.open_secret(Credential.objects.get(description="new")).reveal() == BASIC["password"]

    def test_an_empty_day_is_none(self, monkeypatch):
        services.save(None, {**OAUTH2, "secret_expires": "2100-01-01"}, user=None)
        command("set", "tenant-app", "secret_expires=")
        assert Credential.objects.get().secret_expires is None

    def test_a_secret_in_the_arguments_is_refused_and_not_repeated(self):
        _, errors = command("set", "x", "kind=BASIC", "username=u", f"password={CANARY}", status=2)
        assert re.match(r"password: malformed", errors)
        assert CANARY not in errors

    def test_an_argument_without_a_sign_of_equality_is_refused(self):
        assert command("set", "x", "kind", status=2)[1].startswith("kind: malformed: ")

    def test_it_lists(self, monkeypatch):
        row = services.save(None, BASIC, user=None).credential
        services.save(None, {**OAUTH2, "destinations": []}, user=None)
        pretend_use(monkeypatch, row)
        lines = [line.split() for line in command("list")[0].splitlines()]
        assert lines == [
            ["orders-mailbox", "BASIC", "set", "used", "by", "1", "mail.example.org:587"],
            ["tenant-app", "OAUTH2_CLIENT_CREDENTIAL", "set", "used", "by", "0", "any", "server"],
        ]

    def test_it_lists_what_matches(self):
        services.save(None, BASIC, user=None)
        services.save(None, OAUTH2, user=None)
        assert command("list", "--kind", "BASIC", "--json")[0].count("\n") == 1

    def test_an_option_may_stand_anywhere(self):
        services.save(None, BASIC, user=None)
        assert command("list", "--json", "--q", "order")[0].count('"name": "orders-mailbox"') == 1

    def test_a_filter_that_cannot_match_is_refused(self):
        assert command("list", "--kind", "basic", status=2)[1].startswith("kind: invalid_choice: ")

    def test_it_deletes_what_nothing_uses(self):
        services.save(None, BASIC, user=None)
        assert command("delete", "orders-mailbox")[0] == "orders-mailbox: deleted\n"
        assert Credential.objects.count() == 0

    def test_it_names_the_users_of_what_it_does_not_delete(self, monkeypatch):
        pretend_use(monkeypatch, services.save(None, BASIC, user=None).credential)
        _, errors = command("delete", "orders-mailbox", status=2)
        assert errors.splitlines() == [
            "in_use: The credential “orders-mailbox” is in use.",
            "  used by smtp orders-out",
        ]

    @pytest.mark.parametrize("act", ["show", "delete"])
    def test_what_does_not_exist_is_not_found(self, act):
        assert command(act, "nobody", status=2)[1] == "not_found: There is no credential “nobody”.\n"

    def test_who_runs_it_stands_in_the_audit_trail(self):
        services.save(None, BASIC, user=None)
        command("delete", "orders-mailbox")
        assert AuditEvent.objects.get(act="credential.deleted").door == "command"

    def test_a_locked_vault_is_a_sentence(self, monkeypatch, settings, tmp_path):
        settings.POSTERN_VAULT_KEY_FILE = tmp_path / "nothing"
        _, errors = command("set", "x", *as_arguments({**BASIC, "name": "x"}, monkeypatch), status=2)
        assert errors.startswith("unavailable: There is no vault key")


def test_a_secret_that_went_in_comes_out_of_no_door(admin_client, api, caplog, monkeypatch):
    """Plant secrets by every door, ask every door for everything, look at what it says, keeps and logs."""
    caplog.set_level(logging.DEBUG)
    said = []
    for number, values in enumerate((BASIC, OAUTH2)):
        secret = "password" if values is BASIC else "client_secret"
        planted = {**values, "name": f"c{number}", secret: CANARY}
        created = api.post(BASE, planted, headers={"Idempotency-Key": f"k{number}"})
        where, page = f"{BASE}{created.json()['id']}/", reverse("credentials:edit", args=[created.json()["id"]])
        said += [
            created,
            api.put(where, planted),
            api.patch(where, {secret: CANARY, "kind": "wrong"}),
            api.patch(where, {secret: f"{CANARY}\n"}),
            api.post(BASE, planted),
            api.get(where),
            api.get(f"{BASE}by-name/c{number}/"),
            admin_client.get(page),
            admin_client.post(page, as_posted({**planted, "name": "a b"})),
            admin_client.post(reverse("credentials:new"), as_posted(planted)),
            admin_client.post(reverse("credentials:check-draft"), as_posted({**planted, "_shown": f"name,{secret}"})),
            admin_client.post(page, as_posted({**planted, "description": "by form"}), follow=True),
            admin_client.get(reverse("credentials:delete", args=[created.json()["id"]])),
        ]
        monkeypatch.setenv("PLANTED", CANARY)
        command("set", f"c{number}", f"{secret}=env:PLANTED", "description=by command")
    said += [
        api.get(BASE),
        admin_client.get(reverse("credentials:list")),
        admin_client.get(reverse("credentials:search")),
    ]
    texts = [answer.content.decode() for answer in said]
    texts += [*command("list"), *command("list", "--json"), *command("show", "c0"), *command("show", "c1"), caplog.text]
    texts += [str(vars(row)) for model in (Credential, AuditEvent, IdempotencyRecord) for row in model.objects.all()]
    assert Credential.objects.count() == 2
    assert [text for text in texts if CANARY in text] == []
