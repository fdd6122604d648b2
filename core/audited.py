"""What the audit trail shows of users, roles and API tokens."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.contrib.auth.models import Group
from django.urls import reverse

from core import audit
from core.models import ApiToken, User


def declare_all() -> None:
    """Declare this app's models."""
    audit.declare(
        User,
        kind="user",
        name="username",
        fields=(
            "username", "first_name", "last_name", "email", "is_active", "is_staff", "is_superuser",
            "must_change_password", "groups", "user_permissions",
        ),
        secrets=("password",),
        left_out=("last_login", "date_joined"),
    )  # fmt: skip
    audit.declare(Group, kind="role", fields=("name", "permissions"))
    audit.declare(
        ApiToken,
        kind="token",
        name="prefix",
        fields=("name", "prefix", "scope", "expires", "user"),
        # The digest opens nothing, and yet who compares digests could tell that a token was used elsewhere.
        left_out=("digest", "created", "last_used"),
    )
    audit.register_links("user", _pages_of_users, act="users.manage")


def _pages_of_users(ids: Collection[str]) -> Mapping[str, str]:
    found = User.objects.filter(pk__in=map(int, ids)).values_list("pk", flat=True)
    return {str(pk): reverse("core:user", args=[pk]) for pk in found}
