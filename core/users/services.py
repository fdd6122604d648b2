"""The writers of users and of their roles, for who manages users.

Nobody makes another more powerful than he is himself, and nobody is left without an administrator.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from core import audit
from core.errors import Refused, invalid
from core.models import User
from core.permissions import ADMINISTRATOR, acts_of, outranks
from core.tokens import revoke_token
from core.users import selectors

_STRONGER = "This user may do things that you may not; somebody who may do as much has to change it."


def create(username: str, *, email: str, roles: Collection[str], by: User) -> tuple[User, str]:
    """Make a user and return it with a password for the first log-in, which nobody can ask for again.

    Raises ValidationError for a name that is none or taken and for roles that do not exist, PermissionDenied for roles
    that may do more than `by` may.
    """
    user = User(username=username, email=email, must_change_password=True)
    password = secrets.token_urlsafe(15)
    user.set_password(password)
    _check(user, roles)
    with transaction.atomic():
        user.save()
        _give(user, _found(roles), by)
        user = User.objects.get(pk=user.pk)
        audit.record("user.created", user, after=audit.snapshot(user))
    return user, password


def change(user: User, *, by: User, roles: Collection[str] | None = None, is_active: bool | None = None) -> bool:
    """Give a user exactly these roles, let him in or keep him out; return whether anything was changed.

    Raises ValidationError for roles that do not exist, PermissionDenied where somebody would be touched who may do
    more than `by`, or given more than `by` has, and Refused `conflict` for who would lock himself, or everybody, out.
    """
    with transaction.atomic():
        row = _locked(user, by)
        before = audit.snapshot(row)
        if roles is not None:
            wanted = _found(roles)
            _refuse_loss_of_role(row, wanted, by)
            _give(row, wanted, by)
        if is_active is not None and is_active != row.is_active:
            if not is_active:
                _refuse_loss_of_user(row, by, "deactivate")
            row.is_active = is_active
            row.full_clean()
            row.save(update_fields=["is_active"])
        after = audit.snapshot(User.objects.get(pk=row.pk))
        audit.record("user.changed", row, before=before, after=after)
    return after != before


def delete(user: User, *, by: User) -> None:
    """Delete a user; the API tokens are revoked first, each with its own event.

    Raises PermissionDenied where somebody would be deleted who may do more than `by`, and Refused `conflict` for who
    would lock himself, or everybody, out.
    """
    with transaction.atomic():
        row = _locked(user, by)
        _refuse_loss_of_user(row, by, "delete")
        for token in row.api_tokens.all():
            revoke_token(token)
        subject, before = audit.thing(row), audit.snapshot(row)
        row.delete()
        audit.record("user.deleted", subject, before=before)


def _locked(user: User, by: User) -> User:
    """Return the stored user, to be changed; two administrators who take the role from each other at once meet here."""
    list(Group.objects.select_for_update().filter(name=ADMINISTRATOR))
    row = User.objects.select_for_update().get(pk=user.pk)
    if not outranks(by, row):
        raise PermissionDenied(_STRONGER)
    return row


def _check(user: User, roles: Collection[str]) -> None:
    """Name every fault at once: of the values, and of the roles."""
    errors: dict[str, list[ValidationError]] = {}
    try:
        user.full_clean()
    except ValidationError as error:
        errors |= error.error_dict
    try:
        _found(roles)
    except ValidationError as error:
        errors |= error.error_dict
    if errors:
        raise ValidationError(errors)


def _found(names: Collection[str]) -> list[Group]:
    known = {role.name: role for role in selectors.roles()}
    unknown = [name for name in names if name not in known]
    errors = [invalid("not_found", f"There is no role “{name[:80]}”.", allowed=list(known)) for name in unknown]
    if errors:
        raise ValidationError({"roles": errors})
    return [known[name] for name in names]


def _give(user: User, wanted: list[Group], by: User) -> None:
    """Store the roles; a role that opens the support pages brings the mark of the staff with it, and takes it along."""
    had = set(user.groups.values_list("pk", flat=True))
    more = selectors.acts_of_roles(role for role in wanted if role.pk not in had) - acts_of(by)
    if more:
        raise PermissionDenied("You cannot give a role that may do more than you may yourself.")
    opened = "support.open" in acts_of(User.objects.get(pk=user.pk))
    user.groups.set(wanted)
    opens = "support.open" in acts_of(User.objects.get(pk=user.pk))
    if opens != opened and not user.is_superuser:
        user.is_staff = opens
        user.full_clean()
        user.save(update_fields=["is_staff"])


def _refuse_loss_of_role(user: User, wanted: list[Group], by: User) -> None:
    loses = user.groups.filter(name=ADMINISTRATOR).exists() and ADMINISTRATOR not in {role.name for role in wanted}
    if not loses:
        return
    if user.pk == by.pk:
        raise Refused("conflict", "You cannot take the role administrator from yourself; another administrator can.")
    _refuse_last(user)


def _refuse_loss_of_user(user: User, by: User, deed: str) -> None:
    if user.pk == by.pk:
        raise Refused("conflict", f"You cannot {deed} yourself; somebody else who manages users can.")
    if user.is_superuser or user.groups.filter(name=ADMINISTRATOR).exists():
        _refuse_last(user)


def _refuse_last(user: User) -> None:
    if not user.is_superuser and user.is_active and not selectors.other_administrator(user):
        raise Refused("conflict", "This is the last administrator: nobody could give the role to anybody again.")
    if user.is_superuser and not selectors.other_administrator(user):
        raise Refused("conflict", "This is the last administrator: nobody could let anybody in again.")
