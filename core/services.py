"""The writers of users."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from core import audit
from core.models import User


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


def change_password(user: User, password: str) -> None:
    """Store a new password of the user's own choice."""
    user.set_password(password)
    user.must_change_password = False
    user.full_clean()
    with transaction.atomic():
        user.save(update_fields=["password", "must_change_password"])
        audit.record("user.password_changed", user)
