"""What the audit trail shows of connections, and where its entries lead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.urls import reverse

from connections.kinds import KINDS
from connections.models import Connection
from core import audit

_REFERENCES = ("credential", "cluster", "steng")


def declare_all() -> None:
    """Declare this app's models."""
    for model in KINDS.values():
        fields = (*model.definition_fields(), *_REFERENCES)
        # The row of every kind is reached through the kind's own, whose key is the link to it.
        audit.declare(model, kind="connection", fields=fields, secrets=model.SECRETS, left_out=("connection_ptr",))
    audit.register_links("connection", _pages)


def _pages(ids: Collection[str]) -> Mapping[str, str]:
    found = Connection.objects.filter(pk__in=map(UUID, ids)).values_list("pk", "kind")
    return {str(pk): reverse("connections:edit", args=[kind, pk]) for pk, kind in found}
