"""Users and tokens on the support pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest

from core import audit
from core.audit.model_admin import AuditEventAdmin, Recorded
from core.models import ApiToken, AuditEvent, User

_RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


class HandedOutPasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]
    """A password that somebody sets for another: good for the next log-in only."""

    def save(self, commit: bool = True) -> User:
        """Store it with the mark that it must be changed."""
        self.user.must_change_password = True
        with transaction.atomic():
            user: User = super().save(commit=commit)
            audit.record("user.password_changed", user)
        return user


@admin.register(User)
class ConsoleUserAdmin(Recorded, UserAdmin):  # type: ignore[type-arg]
    """Users; who is no superuser can make nobody, and so not himself, more powerful."""

    change_password_form = HandedOutPasswordForm
    list_display = ("username", "email", "is_staff", "is_active", "must_change_password", "last_login")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("Log-in", {"fields": ("must_change_password",)}))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[Any, ...]:
        """Show rights without a way to change them to who is no superuser."""
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if _is_superuser(request) else (*fields, *_RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Keep superusers, and with them their passwords, from who is none."""
        return super().has_change_permission(request, obj) and (obj is None or self._reachable(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Keep superusers from who is none."""
        return super().has_delete_permission(request, obj) and (obj is None or self._reachable(request, obj))

    @staticmethod
    def _reachable(request: HttpRequest, user: User) -> bool:
        return _is_superuser(request) or not user.is_superuser


@admin.register(ApiToken)
class ApiTokenAdmin(Recorded):
    """Tokens can be seen and revoked; the command line makes them, because there they are shown once."""

    list_display = ("user", "name", "prefix", "scope", "expires", "last_used")
    list_select_related = ("user",)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Nobody makes a token here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:  # noqa: ARG002
        """Nobody changes a token."""
        return False

    def record_removal(self, subject: audit.Thing, before: dict[str, Any]) -> None:
        """Record that the token was revoked."""
        audit.record("token.revoked", subject, before=before)


class RoleAdmin(Recorded, GroupAdmin):
    """Roles, with what is changed of them recorded."""


admin.site.unregister(Group)
admin.site.register(Group, RoleAdmin)
admin.site.register(AuditEvent, AuditEventAdmin)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
