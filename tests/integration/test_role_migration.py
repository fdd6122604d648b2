"""The rights and the roles that the migration makes, on a fresh database and on one of the first version."""

import importlib

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from core.models import User
from core.permissions import ACTS, ROLES, acts_of, codename_of

pytestmark = pytest.mark.django_db

migration = importlib.import_module("core.migrations.0003_right_and_roles")


@pytest.fixture
def first_version():
    """Take away what the migration made, and bring back the permissions of the first version."""
    Group.objects.all().delete()
    Permission.objects.filter(content_type__app_label="core", content_type__model="right").delete()

    def permission(name):
        app, _, codename = name.partition(".")
        kind, _ = ContentType.objects.get_or_create(app_label=app, model=codename.partition("_")[2])
        found = Permission.objects.filter(content_type__app_label=app, codename=codename).first()
        return found or Permission.objects.create(content_type=kind, codename=codename, name=codename)

    return permission


def migrate():
    migration.forwards(apps, None)


def fresh(user):
    return User.objects.get(pk=user.pk)


def roles_of(user):
    return sorted(fresh(user).groups.values_list("name", flat=True))


def test_the_migration_holds_the_table_of_acts():
    assert {codename_of(act) for act in ACTS} == set(migration.RIGHTS)
    assert {name: tuple(map(codename_of, acts)) for name, acts in ROLES.items()} == migration.ROLES


def test_a_fresh_database_has_the_six_roles(db):
    held = {
        group.name: set(group.permissions.values_list("content_type__app_label", "codename"))
        for group in Group.objects.all()
    }
    assert held == {name: {("core", codename_of(act)) for act in acts} for name, acts in ROLES.items()}


def test_members_of_the_old_administrators_become_administrators(first_version):
    old = Group.objects.create(name="admin")
    person = User.objects.create(username="a.rossi")
    person.groups.add(old)
    migrate()
    assert (roles_of(person), Group.objects.filter(name="admin").exists()) == (["administrator"], False)


def test_an_operator_stays_one(first_version):
    old = Group.objects.create(name="operator")
    old.permissions.add(first_version("connections.test_connection"))
    person = User.objects.create(username="a.rossi")
    person.groups.add(old)
    migrate()
    assert (roles_of(person), acts_of(fresh(person))) == (["operator"], set(ROLES["operator"]))


def test_who_could_only_read_still_can(first_version):
    person = User.objects.create(username="a.rossi")
    migrate()
    assert (roles_of(person), acts_of(fresh(person))) == (["viewer"], set(ROLES["viewer"]))


@pytest.mark.parametrize(
    ("permission", "acts"),
    [
        ("connections.change_connection", {"connections.edit", "connections.enable"}),
        ("connections.test_connection", {"connections.test", "connections.draft", "tests.cancel"}),
        ("untrusted_cache.decide_trust", {"trust.decide"}),
        ("cluster.change_cluster", {"clusters.manage"}),
        ("core.change_user", {"users.manage"}),
    ],
)
@pytest.mark.parametrize("by_group", [False, True])
def test_an_old_permission_becomes_the_rights_that_it_stood_for(first_version, permission, acts, by_group):
    person = User.objects.create(username="a.rossi")
    old = first_version(permission)
    if by_group:
        group = Group.objects.create(name="our own")
        group.permissions.add(old)
        person.groups.add(group)
    else:
        person.user_permissions.add(old)
    migrate()
    assert acts_of(fresh(person)) == acts | set(ROLES["viewer"])


def test_who_could_open_the_support_pages_still_can(first_version):
    person = User.objects.create(username="a.rossi", is_staff=True)
    migrate()
    assert "support.open" in acts_of(fresh(person))


def test_a_superuser_gets_no_role(first_version):
    person = User.objects.create(username="admin", is_superuser=True, is_staff=True)
    migrate()
    assert roles_of(person) == []


def test_the_migration_can_be_repeated(first_version):
    migrate()
    migrate()
    assert Group.objects.count() == len(ROLES)
