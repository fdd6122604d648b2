"""Who is recorded as having acted, and through which door he came."""

import pytest
from django.core.management import call_command
from django.test import Client

from cluster.models import Cluster
from connections.models import SmtpConnection
from console import preparation
from core import audit, commands
from core.audit.models import AuditEvent
from core.models import ApiToken
from core.tokens import create_token
from tests.definitions import GOOD

pytestmark = pytest.mark.django_db


def last(act):
    event = AuditEvent.objects.filter(act=act).first()
    return (event.actor_name, event.door, event.address, event.extra.get("token", ""))


@pytest.fixture(autouse=True)
def _nobody_else(monkeypatch):
    """Let nothing but a door say who acts."""
    with monkeypatch.context() as patch:
        patch.setattr("core.audit.actors._everywhere", [])
        yield


@pytest.fixture
def token(admin_user):
    with audit.acting(audit.Actor(None, "tests", audit.Door.SYSTEM)):
        return create_token(admin_user, name="nightly")


def test_a_page(admin_client):
    admin_client.post("/setup/clusters/new/", {"name": "east"}, REMOTE_ADDR="192.0.2.7")
    assert last("cluster.created") == ("admin", "page", "192.0.2.7", "")


def test_the_api_with_a_token(token):
    headers = {"Authorization": f"Token {token[1]}"}
    Client().post("/api/v1/clusters/", '{"name": "east"}', "application/json", headers=headers, REMOTE_ADDR="192.0.2.7")
    assert last("cluster.created") == ("admin", "api", "192.0.2.7", "nightly")


def test_a_token_without_a_name_is_told_by_its_beginning(token):
    ApiToken.objects.update(name="")
    headers = {"Authorization": f"Token {token[1]}"}
    Client().post("/api/v1/clusters/", '{"name": "east"}', "application/json", headers=headers)
    assert last("cluster.created")[3] == f"{token[0].prefix}…"


def test_the_api_with_the_browser_s_own_log_in(admin_client):
    admin_client.post("/api/v1/clusters/", '{"name": "east"}', "application/json")
    assert last("cluster.created") == ("admin", "api", "127.0.0.1", "")


def test_a_token_counts_although_another_is_logged_in(token, make_user):
    client = Client()
    client.force_login(make_user())
    headers = {"Authorization": f"Token {token[1]}"}
    client.post("/api/v1/clusters/", '{"name": "east"}', "application/json", headers=headers)
    assert last("cluster.created")[0] == "admin"


def test_the_support_pages(admin_client):
    admin_client.post("/admin/auth/group/add/", {"name": "night shift"})
    assert last("role.created") == ("admin", "admin", "127.0.0.1", "")


def test_a_log_in_comes_from_where_it_comes(client, admin_user):
    client.post("/login/", {"username": "admin", "password": "wrong"}, REMOTE_ADDR="192.0.2.7")
    assert last("session.failed") == ("not logged in", "page", "192.0.2.7", "")


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(admin_client, settings):
    settings.POSTERN_BEHIND_TLS = True
    headers = {"X-Forwarded-For": "203.0.113.9, 192.0.2.7"}
    admin_client.post("/setup/clusters/new/", {"name": "east"}, headers=headers)
    assert last("cluster.created")[2] == "192.0.2.7"


def test_without_a_proxy_nobody_chooses_his_address(admin_client):
    headers = {"X-Forwarded-For": "203.0.113.9"}
    admin_client.post("/setup/clusters/new/", {"name": "east"}, headers=headers, REMOTE_ADDR="192.0.2.7")
    assert last("cluster.created")[2] == "192.0.2.7"


def test_a_command_acts_under_the_system_s_account(admin_user, monkeypatch):
    monkeypatch.setenv("LOGNAME", "somebody.else")
    call_command("token", "create", "admin", "--name", "nightly")
    assert last("token.created") == (commands.system_user(), "command", "", "")


def test_a_command_that_sets_a_connection(monkeypatch):
    monkeypatch.setenv("TEST_PASSWORD", GOOD["password"])
    values = [f"{name}={value}" for name, value in GOOD.items() if name not in {"name", "password"}]
    call_command("connection", "set", GOOD["name"], *values, "password=env:TEST_PASSWORD")
    assert SmtpConnection.objects.exists()
    assert last("connection.created")[:2] == (commands.system_user(), "command")


def test_an_account_that_the_system_does_not_know_is_its_number(monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_001)
    assert commands.system_user() == "uid 4000000001"


def test_the_preparation_of_the_console_acts_for_itself(monkeypatch, tmp_path, settings):
    settings.POSTERN_VAULT_KEY_FILE = tmp_path / "vault.key"
    monkeypatch.setattr(preparation, "_collect_static", lambda tell: None)
    monkeypatch.setattr(preparation.connection, "close", lambda: None)
    preparation.prepare("correct-horse-battery", lambda line: None, is_terminal=False)
    assert {last(act) for act in ("vault.prepared", "cluster.created", "steng.created", "user.created")} == {
        ("preparation", "system", "", "")
    }


def test_health_does_not_ask_who_it_is(admin_client, django_assert_num_queries):
    with django_assert_num_queries(0):
        admin_client.get("/healthz")


def test_every_command_of_ours_says_who_acts():
    from django.core.management import get_commands, load_command_class

    ours = {"core", "cluster", "connections", "credentials", "untrusted_cache"}
    stray = [
        name
        for name, app in get_commands().items()
        if app in ours and not isinstance(load_command_class(app, name), commands.AuditedCommand)
    ]
    assert stray == ["dispatcher"], (
        "the dispatcher says so for all its threads; every other command is an AuditedCommand"
    )


def test_an_act_that_came_through_no_door_is_not_done():
    from cluster.services import save_cluster
    from tests.jobs import NOW

    with pytest.raises(LookupError):
        save_cluster(Cluster(), {"name": "east"}, NOW)
    assert not Cluster.objects.exists()
