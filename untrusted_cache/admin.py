"""The stock admin for support staff: everything is shown, nothing can be changed; decisions have pages of their own."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin_base import ActAdmin, ActInline
from untrusted_cache.models import CachedCertificate, Chain, ChainLink, TrustChange, TrustEntry


class ReadOnly(ActAdmin):
    """Show rows; adding, changing and deleting would go past the services."""

    view_act = "trust.view"


class Links(ActInline):
    """The certificates of a chain, leaf first."""

    view_act = "trust.view"
    model = ChainLink
    fields = ("position", "certificate")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChainLink]:
        """Read the certificates with their places: a chain may have a hundred."""
        rows: QuerySet[ChainLink] = super().get_queryset(request)
        return rows.select_related("certificate").defer("certificate__der")


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
