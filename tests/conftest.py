"""What every test may ask for."""

import pytest
from django.db.backends.base.operations import BaseDatabaseOperations

from core import audit
from core.audit import triggers
from core.models import User
from tests.roles import user_with

pytest_plugins = ["tests.lab.plugin"]


@pytest.fixture(autouse=True)
def _somebody_acts():
    """Let services be called without a door, in threads too: a door binds its own actor over this one."""
    with audit.acting_everywhere(audit.Actor(None, "tests", audit.Door.SYSTEM)):
        yield


@pytest.fixture(autouse=True, scope="session")
def _audit_trail_may_be_emptied():
    """Let a test that commits be cleaned up after: the triggers of the audit trail refuse that, as they should."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def without_triggers(operations, statements):
        vendor = operations.connection.vendor
        flush(operations, [*triggers.drop(vendor), *statements, *triggers.create(vendor)])

    BaseDatabaseOperations.execute_sql_flush = without_triggers
    yield
    BaseDatabaseOperations.execute_sql_flush = flush


@pytest.fixture
def make_user(db):
    """Make users: `make_user("a.rossi", "connections.test")` is a viewer who may run tests too.

    `role` is another of the roles, or "" for none.
    """

    def make(username="viewer", *acts, role="viewer", **fields):
        return user_with(username, *acts, role_name=role, **fields)

    return make


@pytest.fixture
def client_as(make_user):
    """Return browsers in which somebody of a role is logged in: `client_as("editor")`; "" is who has none."""
    from django.test import Client

    def make(role):
        client = Client()
        client.force_login(make_user(f"{role or 'nobody'}.{User.objects.count()}", role=role))
        return client

    return make


@pytest.fixture
def admin_user(db):
    """Return a user who may do everything."""
    return User.objects.create_superuser("admin", password="correct-horse-battery")


@pytest.fixture
def admin_client(admin_user, client):
    """Return a browser in which the administrator is logged in."""
    client.force_login(admin_user)
    return client


@pytest.fixture
def viewer_client(make_user, client):
    """Return a browser in which somebody is logged in who may only read."""
    client.force_login(make_user())
    return client


@pytest.fixture
def api(admin_user):
    """Return an API client with a token of the administrator that may do everything."""
    return _api(admin_user, "full")


@pytest.fixture
def api_as():
    """Return API clients by user and scope: `api_as(user, "read")`."""
    return _api


def _api(user, scope="full"):
    from rest_framework.test import APIClient

    from core.tokens import create_token

    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {create_token(user, scope=scope)[1]}")
    return client
