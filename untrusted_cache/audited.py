"""What the audit trail shows of trust, and where its entries lead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.urls import reverse

from core import audit
from untrusted_cache.models import CachedCertificate, TrustEntry

# What a certificate says of itself follows from its fingerprint; whoever answers chooses it.
_FOLLOWS = (
    "der", "subject", "issuer", "subject_digest", "issuer_digest", "serial", "names", "names_count",
    "not_before", "not_after", "key", "signature", "is_ca", "self_signed",
)  # fmt: skip


def declare_all() -> None:
    """Declare this app's models."""
    audit.declare(
        TrustEntry,
        kind="trust",
        fields=(
            "name", "kind", "host", "port", "scope", "starts", "expires", "reason", "title", "fingerprint",
            "trusted_by", "trusted_at",
        ),
        left_out=(*_FOLLOWS, "updated"),
    )  # fmt: skip
    audit.declare(
        CachedCertificate,
        kind="certificate",
        name="",
        fields=("title", "fingerprint", "rejected_by", "rejected_at", "rejected_reason"),
        left_out=(*_FOLLOWS, "malformed", "size", "first_seen", "last_seen"),
    )
    audit.register_links("trust", _pages_of_entries)


def _pages_of_entries(ids: Collection[str]) -> Mapping[str, str]:
    found = TrustEntry.objects.filter(pk__in=map(UUID, ids)).values_list("pk", flat=True)
    return {str(pk): reverse("untrusted_cache:entry", args=[pk]) for pk in found}
