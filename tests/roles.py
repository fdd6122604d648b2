"""Users by role, for tests of every kind."""

from django.contrib.auth.models import Group, Permission

from core.models import User
from core.permissions import ACTS, ROLES, codename_of

PASSWORD = "correct-horse-battery"


def right(act):
    """Return the permission of an act; KeyError for an act that is not in the table."""
    assert act in ACTS, act
    return Permission.objects.get(content_type__app_label="core", codename=codename_of(act))


def role(name):
    """Return the group of a role, made anew where a test that commits has emptied the database before."""
    group, made = Group.objects.get_or_create(name=name)
    if made:
        group.permissions.set([right(act) for act in ROLES[name]])
    return group


def user_with(username, *acts, role_name="viewer", **fields):
    """Make a user with a role (none where `role_name` is empty) and single acts beside it."""
    user = User.objects.create_user(username, password=PASSWORD, **fields)
    if role_name:
        user.groups.add(role(role_name))
    user.user_permissions.add(*(right(act) for act in acts))
    return User.objects.get(pk=user.pk)  # without what was remembered of the rights before
