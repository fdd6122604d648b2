"""What the audit trail shows of credentials, and where its entries lead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.urls import reverse

from core import audit
from credentials.models import Credential


def declare_all() -> None:
    """Declare this app's models."""
    audit.declare(Credential, kind="credential", fields=Credential.definition_fields(), secrets=Credential.SECRETS)
    audit.register_links("credential", _pages)


def _pages(ids: Collection[str]) -> Mapping[str, str]:
    found = Credential.objects.filter(pk__in=map(UUID, ids)).values_list("pk", flat=True)
    return {str(pk): reverse("credentials:edit", args=[pk]) for pk in found}
