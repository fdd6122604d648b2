"""One fault, the same field and code by every door: form, REST, support pages, file and command line.

What text cannot say (`typed`) is tried where a value has a type: by REST and by file. No variable of the
environment, from which a file takes its secrets, can hold a NUL.
"""

import pytest

from connections import services
from connections.kinds import KINDS
from credentials import services as credentials
from tests.fields import doors, sound
from tests.fields.faults import FAULTS

pytestmark = pytest.mark.django_db
IN_FILES = [fault for fault in FAULTS if not any("\0" in str(value) for value in fault.changes.values())]
SAID = [fault for fault in FAULTS if not fault.typed]


@pytest.fixture(autouse=True)
def what_is_there():
    """Store what faults refer to: a connection whose name is taken, and credentials of each kind."""
    basic = {"kind": "BASIC", "username": "shared", "password": "horse battery"}
    oauth2 = {
        "kind": "OAUTH2_CLIENT_CREDENTIAL",
        "client_id": "app",
        "client_secret": "staple",
        "token_endpoint": "https://login.example.org/token",
    }
    credentials.save(None, {**basic, "name": sound.BASIC_CREDENTIAL}, user=None)
    credentials.save(
        None, {**basic, "name": sound.FOREIGN_CREDENTIAL, "destinations": ["other.example.org:25"]}, user=None
    )
    credentials.save(None, {**oauth2, "name": sound.OAUTH2_CREDENTIAL}, user=None)
    for other, name in sound.TAKEN.items():
        kind = next(kind for kind in KINDS if kind != other)
        services.save(KINDS[kind], None, {**sound.SOUND[kind], "name": name}, user=None)


@pytest.mark.parametrize("fault", SAID, ids=str)
def test_the_form_names_the_fault(fault, admin_client):
    assert doors.by_form(fault.values, fault.kind, admin_client) == {(fault.field, fault.code)}


@pytest.mark.parametrize("fault", SAID, ids=str)
def test_the_support_pages_name_the_fault(fault, admin_client):
    assert doors.by_admin(fault.values, fault.kind, admin_client) == {(fault.field, fault.code)}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_rest_names_the_fault(fault, api):
    assert doors.by_rest(fault.values, fault.kind, api) == {(fault.field, fault.code)}


@pytest.mark.parametrize("fault", SAID, ids=str)
def test_the_command_line_names_the_fault(fault, monkeypatch):
    assert doors.by_set(fault.values, fault.kind, monkeypatch) == {(fault.field, fault.code)}


@pytest.mark.parametrize("fault", IN_FILES, ids=str)
def test_a_file_names_the_fault(fault, tmp_path, monkeypatch):
    assert doors.by_file(fault.values, fault.kind, tmp_path, monkeypatch) == {(fault.field, fault.code)}
