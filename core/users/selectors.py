"""The reads of users and roles."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission
from django.db.models import Prefetch, Q, QuerySet

from core.models import User
from core.permissions import ACTS, ADMINISTRATOR, ROLES, codename_of

_RIGHTS = Prefetch(
    "permissions", Permission.objects.filter(content_type__app_label="core", content_type__model="right")
)
_ACTS = {codename_of(act): act for act in ACTS}


def users(q: str = "") -> QuerySet[User]:
    """Return the users by name, each with its roles; `q` is searched in name and e-mail address."""
    found = User.objects.prefetch_related(Prefetch("groups", Group.objects.order_by("name"))).order_by("username")
    return found.filter(Q(username__icontains=q) | Q(email__icontains=q)) if q else found


def roles() -> list[Group]:
    """Return every role with its rights: those that the console came with in their order, then the others by name."""
    order = {name: place for place, name in enumerate(ROLES)}
    found = Group.objects.prefetch_related(_RIGHTS)
    return sorted(found, key=lambda role: (order.get(role.name, len(order)), role.name))


def acts_of_roles(found: Iterable[Group]) -> frozenset[str]:
    """Return the acts of some roles (read with `roles`) together."""
    return frozenset(
        _ACTS[right.codename] for role in found for right in role.permissions.all() if right.codename in _ACTS
    )


def other_administrator(user: User) -> bool:
    """Tell whether somebody else could give back what this user can."""
    others = User.objects.filter(is_active=True).exclude(pk=user.pk)
    return others.filter(Q(is_superuser=True) | Q(groups__name=ADMINISTRATOR)).exists()
