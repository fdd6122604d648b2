"""The stock admin for support staff: everything is shown, nothing can be changed; decisions have pages of their own."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from untrusted_cache.models import CachedCertificate, Chain, ChainLink, TrustChange, TrustEntry


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for mypy only
    """Show rows; adding, changing and deleting would go past the services."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Refuse."""
        return False


class Links(admin.TabularInline):  # type: ignore[type-arg]  # generic for mypy only
    """The certificates of a chain, leaf first."""

    model = ChainLink
    extra = 0
    can_delete = False
    fields = ("position", "certificate")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Refuse."""
        return False


@admin.register(CachedCertificate)
class CachedCertificateAdmin(ReadOnly):
    """Certificates that servers presented."""

    list_display = ("__str__", "fingerprint", "not_after", "rejected_by", "last_seen")
    search_fields = ("title", "subject", "fingerprint")
    exclude = ("der",)


@admin.register(Chain)
class ChainAdmin(ReadOnly):
    """Presented chains."""

    list_display = ("endpoint", "code", "count", "connection_name", "last_seen")
    search_fields = ("host", "connection_name")
    inlines = (Links,)


@admin.register(TrustEntry)
class TrustEntryAdmin(ReadOnly):
    """What is trusted."""

    list_display = ("name", "kind", "endpoint", "expires", "trusted_by", "trusted_at")
    search_fields = ("name", "subject", "fingerprint", "host")
    exclude = ("der",)


@admin.register(TrustChange)
class TrustChangeAdmin(ReadOnly):
    """When trust changed."""

    list_display = ("id", "host", "port", "at")
