"""Users, roles and tokens on the support pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import ManyToManyField
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from core import audit
from core.admin_base import ActAdmin
from core.audit.model_admin import AuditEventAdmin, Recorded
from core.models import ApiToken, AuditEvent, User
from core.permissions import ACTS, acts_of, outranks
from core.requests import user_of
from core.users import services

_MANAGE = "users.manage"
_MARKS = ("is_staff", "is_superuser")
_BOTH = {"get": _MANAGE, "post": _MANAGE}


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
class ConsoleUserAdmin(ActAdmin, Recorded, UserAdmin):  # type: ignore[type-arg]
    """Users; who is no superuser can make nobody, and so not himself, more powerful.

    Roles, and who may log in, are only shown: the console's page of users keeps the rules for them, of which the last
    administrator is one.
    """

    view_act = add_act = change_act = delete_act = _MANAGE
    pages = {"user_change_password": _BOTH}
    change_password_form = HandedOutPasswordForm
    list_display = ("username", "email", "is_staff", "is_active", "must_change_password", "last_login")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("Log-in", {"fields": ("must_change_password", "given")}))
    readonly_fields = ("is_active", "groups", "given")

    @admin.display(description="Roles and log-in")
    def given(self, row: User) -> str:
        """Lead to where roles are given and users are let in."""
        sentence = '<a href="{}">Give roles, let this user in or keep him out</a>'
        return format_html(sentence, reverse("core:user", args=[row.pk]))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[Any, ...]:
        """Show rights without a way to change them to who is no superuser, and to a superuser the own marks of one."""
        fields = tuple(super().get_readonly_fields(request, obj))
        if not _is_superuser(request):
            return (*fields, *_MARKS, "user_permissions")
        return (*fields, *_MARKS) if obj is not None and obj.pk == request.user.pk else fields

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Keep those who may do more, and with them their passwords, from who may do less."""
        return super().has_change_permission(request, obj) and (obj is None or outranks(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Keep those who may do more from who may do less."""
        return super().has_delete_permission(request, obj) and (obj is None or outranks(request.user, obj))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete by the services; they record it."""
        services.delete(obj, by=user_of(request))

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any] | None:
        """Offer the rights that mean something here."""
        if db_field.name == "user_permissions":
            kwargs["queryset"] = _rights()
        return super().formfield_for_manytomany(db_field, request, **kwargs)


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(ActAdmin, Recorded, GroupAdmin):
    """Roles, for who may do everything: whoever may do less could give himself more by a role."""

    view_act = add_act = change_act = delete_act = _MANAGE

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for everything."""
        return super().has_add_permission(request, obj) and _may_everything(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for everything."""
        return super().has_change_permission(request, obj) and _may_everything(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for everything."""
        return super().has_delete_permission(request, obj) and _may_everything(request)

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any] | None:
        """Offer the rights that mean something here."""
        if db_field.name == "permissions":
            kwargs["queryset"] = _rights()
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(ApiToken)
class ApiTokenAdmin(ActAdmin, Recorded):
    """Tokens can be seen and revoked; the command line makes them, because there they are shown once."""

    view_act = delete_act = _MANAGE
    list_display = ("user", "name", "prefix", "scope", "expires", "last_used")
    list_select_related = ("user",)

    def record_removal(self, subject: audit.Thing, before: dict[str, Any]) -> None:
        """Record that the token was revoked."""
        audit.record("token.revoked", subject, before=before)


admin.site.register(AuditEvent, AuditEventAdmin)


def _rights() -> Any:
    return Permission.objects.filter(content_type__app_label="core", content_type__model="right").order_by("codename")


def _may_everything(request: HttpRequest) -> bool:
    return acts_of(request.user) == frozenset(ACTS)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
