"""The writers of users and groups."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from core import audit
from core.models import User
from core.permissions import ACTS, ROLES


def create_administrator(username: str, password: str, *, must_change: bool) -> User | None:
    """Make the first administrator; return None where a user of that name exists, who is never touched.

    `must_change` is for a password that was made up; one that the operator chose is checked like any other
    and raises ValidationError where it is too weak.
    """
    if User.objects.filter(username=username).exists():
        return None
    user = User(username=username, is_staff=True, is_superuser=True, must_change_password=must_change)
    validate_password(password, user)
    user.set_password(password)
    user.full_clean()
    with transaction.atomic():
        user.save()
        audit.record("user.created", user, after=audit.snapshot(user))
    return user


def ensure_roles() -> None:
    """Make the groups of `permissions.ROLES` that do not exist; one that an admin changed is left alone."""
    for name, acts in ROLES.items():
        group, created = Group.objects.get_or_create(name=name)
        if not created:
            continue
        for act in acts:
            app, _, codename = ACTS[act].permission.partition(".")
            group.permissions.add(*Permission.objects.filter(content_type__app_label=app, codename=codename))


def change_password(user: User, password: str) -> None:
    """Store a new password of the user's own choice."""
    user.set_password(password)
    user.must_change_password = False
    user.full_clean()
    with transaction.atomic():
        user.save(update_fields=["password", "must_change_password"])
        audit.record("user.password_changed", user)
