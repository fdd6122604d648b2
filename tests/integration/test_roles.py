"""The table of roles: every door declares what it takes, and does what the table says for every role.

Each cell is a request that is really sent, with things that exist, and undone afterwards. An empty or senseless
body that reaches the door's own checks has been let in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client, RequestFactory
from django.utils import timezone

from cluster import asides
from cluster.batches import services as batches
from cluster.batches.choices import Action
from cluster.models import SuspendedLogin
from connections import services
from connections.kinds import KINDS
from core import audit
from core.admin_base import ActAdmin
from core.models import AuditEvent, User
from core.permissions import ACTS, HOST
from core.tokens import create_token
from credentials import services as credentials
from tests.credentials import BASIC
from tests.definitions import GOOD
from tests.integration.untrusted import imported, issuer_of, met
from tests.jobs import enqueue, local_steng
from tests.lab.pki import Pki
from tests.role_table.cells import COLUMNS, HIDDEN, LOG_IN, NO, NO_ROLE, PART, STRANGER, cell
from tests.role_table.document import document
from tests.role_table.doors import METHODS, NOT_FOUND, Door, commands, doors, undeclared
from tests.roles import user_with
from tests.routes import UUID, all_routes

# The mark says that there must be a database; the module keeps what it made in a transaction around every test.
pytestmark = pytest.mark.django_db

DOORS = doors()
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class World:
    """Somebody of each column, and one thing of each kind."""

    things: dict[str, Any]
    sessions: dict[str, str] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)

    def give(self, column: str) -> None:
        """Make the test and the batch somebody's own."""
        for row in (self.things["job"], self.things["batch"]):
            type(row).objects.filter(pk=row.pk).update(requested_by=self.users.get(column))

    def ask(self, column: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a request as somebody, and undo what it did."""
        client = Client(raise_request_exception=False)
        if column in self.sessions:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[column]
        with transaction.atomic():
            if method in {"get", "head", "options"}:
                answer = getattr(client, method)(path)
            elif path.startswith("/api"):
                answer = getattr(client, method)(path, body or {}, content_type="application/json")
            else:
                answer = getattr(client, method)(path, body or {})
            transaction.set_rollback(True)
        return answer


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Make users and things once for the module: nothing that a cell does stays."""
    actor = audit.Actor(None, "tests", audit.Door.SYSTEM)
    with django_db_blocker.unblock(), audit.acting(actor), transaction.atomic():
        made = World(_things())
        for column in COLUMNS:
            if column != STRANGER:
                role = "" if column == NO_ROLE else column
                made.users[column] = user_with(column.replace(" ", "."), role_name=role, is_staff=True)
                client = Client()
                client.force_login(made.users[column])
                made.sessions[column] = client.cookies[settings.SESSION_COOKIE_NAME].value
        yield made
        transaction.set_rollback(True)


def _things() -> dict[str, Any]:
    """Return by the beginning of an address what stands in the place of its variable parts."""
    steng, pki = local_steng(timezone.now()), Pki()
    somebody = user_with("somebody", role_name="")
    rows = {
        kind: services.save(model, None, {**GOOD, "name": f"orders-{kind}"}, user=None).connection
        for kind, model in KINDS.items()
    }
    smtp = rows["smtp"]
    job = enqueue(steng, now=timezone.now(), connection=(smtp.pk, "smtp", smtp.name), user=somebody)
    met(pki.leaf())
    entry, certificate = imported(pki), issuer_of(pki)
    credential = credentials.save(None, BASIC, user=None).credential
    create_token(somebody)
    audit_event = AuditEvent.objects.latest("pk")
    batch = batches.start(
        kind="connection",
        action=Action.TEST,
        things=[batches.Thing(smtp.pk, smtp.name, "smtp")],
        user=somebody,
        now=timezone.now(),
    )
    login = SuspendedLogin.objects.create(
        host="mail.example.org", username="orders", code="credentials_refused", summary="No.", since=timezone.now()
    )
    return {
        "/admin/core/user/": somebody.pk,
        "/admin/auth/group/": Group.objects.create(name="made-here").pk,
        **{f"/connections/{kind}/": row.pk for kind, row in rows.items()},
        **{f"/api/v1/connections/{kind}/by-name/": row.name for kind, row in rows.items()},
        **{f"/api/v1/connections/{kind}/": row.pk for kind, row in rows.items()},
        "/connections/<kind>/": rows["mailbox"].pk,
        "/credentials/": credential.pk,
        "/api/v1/credentials/": credential.pk,
        "/api/v1/credentials/by-name/": credential.name,
        "/tests/": job.pk,
        "/api/v1/jobs/": job.pk,
        "/api/v1/audit/": audit_event.pk,
        "/setup/clusters/": steng.cluster_id,
        "/api/v1/clusters/": steng.cluster_id,
        "/setup/stengs/": steng.pk,
        "/api/v1/stengs/": steng.pk,
        "/setup/untrusted/": certificate.pk,
        "/api/v1/untrusted-cache/certificates/": certificate.pk,
        "/setup/trust/": entry.pk,
        "/api/v1/trust-store/certificates/": entry.pk,
        "job": job,
        "batch": batch,
        "/bulk/": batch.pk,
        "/api/v1/batches/": batch.pk,
        "/suspended-logins/": login.pk,
        "/api/v1/suspended-logins/": login.pk,
        "/users/": somebody.pk,
        "/api/v1/users/": somebody.pk,
    }


# Where an empty request would say nothing of what is allowed: what stands in its place.
CHOICES = {"<wish>": "drain", "<app_label>": "core"}
QUERIES = {"admin:autocomplete": "?app_label=core&model_name=apitoken&field_name=user&term=a"}
# What is somebody's own only: the thing is made that of who asks.
OWN_ONLY = {"cluster:subject", "api-job-subject"}
BODIES: dict[str, dict[str, Any]] = {
    f"PATCH /api/v1/connections/{kind}/<pk>/": {"status": "DISABLED"} for kind in KINDS
}


def address(door: Door, world: World) -> str:
    """Return the address of a door with a thing that exists."""
    path = door.shown
    for part, word in CHOICES.items():
        path = path.replace(part, word)
    if "<" in path:
        path = path.replace("<kind>", "mailbox")
    if "<" in path:
        path = f"{path.partition('<')[0]}{_thing(door, world)}{path.partition('>')[2]}"
    assert "<" not in path, f"{door} has a part that nothing here stands for"
    return path.replace("…", "") + QUERIES.get(door.name, "")


def _thing(door: Door, world: World) -> Any:
    known = [start for start in world.things if door.shown.startswith(start)]
    if known:
        return world.things[max(known, key=len)]
    for model in admin.site._registry:
        start = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        if door.shown.startswith(start):
            row = model._default_manager.first()
            assert row is not None, f"make a {model._meta.label} for {door}"
            return row.pk
    pytest.fail(f"make a thing for {door}: add it to `_things`")


def outcome(answer: Any) -> str:
    """Return what became of a request: an outcome of the table, or "in"."""
    to = answer.headers.get("Location", "")
    if answer.status_code == 401 or (answer.status_code == 302 and to.startswith("/login/?next=")):
        return LOG_IN
    assert answer.status_code != 500
    return {403: NO, 404: HIDDEN, 405: "405"}.get(answer.status_code, "in")


def test_every_door_says_what_it_takes():
    assert undeclared() == []


def test_every_declaration_names_acts_of_the_table():
    named = {act for door in DOORS for need in door.needs for act in need.acts}
    assert named - set(ACTS) == {"anyone", "logged in"}


def test_every_command_says_what_it_does():
    unknown = [(name, word) for name, word, act in commands() if act not in ACTS and act != HOST]
    assert unknown == []


def test_the_document_is_what_the_code_says():
    assert (ROOT / "docs" / "roles.md").read_text() == document(), "python -m tests.role_table > docs/roles.md"


@pytest.mark.parametrize("door", [door for door in DOORS if door.kind != "action"], ids=str)
def test_the_door_opens_for_whom_the_table_says(door, world, monkeypatch):
    path = address(door, world)
    monkeypatch.setattr(asides, "take", lambda _: {"subject": "Orders"})
    # These two go the way of the others: that they are guarded at all is seen with fewer.
    columns = (STRANGER, NO_ROLE, "administrator") if door.method in {"head", "options"} else COLUMNS
    got = {}
    for column in columns:
        with transaction.atomic():
            if door.name in OWN_ONLY:
                world.give(column)
            got[column] = outcome(world.ask(column, door.method, path, BODIES.get(str(door))))
            transaction.set_rollback(True)
    assert got == {column: expected(door, cell(door, column)) for column in columns}


def expected(door: Door, verdict: str) -> str:
    """Return the outcome that proves a cell."""
    if door.name == NOT_FOUND and verdict != LOG_IN:
        return HIDDEN
    if verdict == PART and any(need.owner for need in door.needs):
        return NO  # the thing is somebody else's
    return verdict if verdict in {NO, HIDDEN, LOG_IN} else "in"


@pytest.mark.parametrize("door", [door for door in DOORS if any(need.owner for need in door.needs)], ids=str)
def test_the_door_opens_for_whose_thing_it_is(door, world):
    for column in COLUMNS:
        if cell(door, column) == PART:
            with transaction.atomic():
                world.give(column)
                assert outcome(world.ask(column, door.method, address(door, world))) == "in", column
                transaction.set_rollback(True)


@pytest.mark.parametrize("route", all_routes(), ids=str)
def test_a_method_without_a_row_is_answered_to_nobody(route, world):
    known = {door.method for door in DOORS if door.shown == route.shown}
    for method in set(METHODS) - known:
        assert outcome(world.ask("administrator", method, route.path)) in {NO, HIDDEN, "405"}, method


@pytest.mark.parametrize("door", [door for door in DOORS if door.is_detail and door.method != "options"], ids=str)
def test_what_is_hidden_looks_like_what_does_not_exist(door, world):
    hidden = [column for column in COLUMNS if cell(door, column) == HIDDEN]
    there = address(door, world)
    nowhere = there.replace(str(_thing(door, world)), UUID) if "<app_label>" not in door.shown else there
    for column in {*hidden[:1], *hidden[-1:]}:
        answers = [world.ask(column, door.method, path) for path in (there, nowhere)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content


@pytest.mark.parametrize("door", [door for door in DOORS if door.kind == "action"], ids=str)
def test_the_action_is_offered_to_whom_the_table_says(door, world):
    model_admin = _admin_of(door)
    offered = []
    for column, user in world.users.items():
        request = RequestFactory().get(door.path)
        request.user = user
        if cell(door, column) != NO or model_admin.has_view_permission(request):
            offered += [column] if door.action in model_admin.get_actions(request) else []
    assert offered == [column for column in COLUMNS if cell(door, column) not in {NO, LOG_IN, HIDDEN}]


@pytest.mark.parametrize("door", [door for door in DOORS if door.kind == "action"], ids=str)
def test_the_action_is_carried_out_for_whom_the_table_says(door, world, monkeypatch):
    model_admin, carried_out = _admin_of(door), []
    row = model_admin.model._default_manager.first()
    choices = model_admin._get_base_actions()

    def stand_in(function: Any) -> Any:
        def note(*_: Any) -> None:
            carried_out.append(column)

        note.act = getattr(function, "act", "") or model_admin.delete_act
        return note

    replaced = [(stand_in(function), name, text) for function, name, text in choices]
    monkeypatch.setattr(model_admin, "_get_base_actions", lambda: replaced)
    for column in COLUMNS:
        world.ask(column, "post", door.path, {"action": door.action, "_selected_action": [row.pk], "index": 0})
    assert carried_out == [column for column in COLUMNS if cell(door, column) not in {NO, LOG_IN, HIDDEN}]


def _admin_of(door: Door) -> ActAdmin:
    return next(one for model, one in admin.site._registry.items() if door.name.endswith(_changelist(model)))


def _changelist(model: Any) -> str:
    return f":{model._meta.app_label}_{model._meta.model_name}_changelist"
