"""What the audit trail shows of suspended sign-ins, and where its entries lead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.urls import reverse

from cluster.models import SuspendedLogin
from core import audit


def declare_all() -> None:
    """Declare the model; its digests are left out, since equal ones would tell of equal secrets."""
    audit.declare(
        SuspendedLogin,
        kind="suspended_login",
        fields=("host", "username", "code", "since", "connection_name", "lifted_at", "lifted_by"),
        left_out=(
            "account", "secret_digest", "summary", "advice", "job", "connection_id", "connection_kind", "overtaken_at",
            "lifted_reason",
        ),
    )  # fmt: skip
    audit.register_links("suspended_login", _pages)


def _pages(ids: Collection[str]) -> Mapping[str, str]:
    found = SuspendedLogin.objects.filter(pk__in=map(UUID, ids)).values_list("pk", flat=True)
    return {str(pk): reverse("cluster:suspended-login", args=[pk]) for pk in found}
