"""How a door refers to a thing of this app: by name, or by `{"id": …}` as it was read."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from cluster.models import Cluster
from cluster.selectors import cluster_by_name
from core.errors import invalid
from core.text import comparison_key


def find_cluster(reference: Any) -> Cluster:
    """Return the cluster that a name or `{"id": …}` refers to; raise ValidationError `required`, `not_found`."""
    if reference in (None, ""):
        raise ValidationError({"cluster": [invalid("required", "This field is mandatory.")]})
    found: Cluster | None = None
    if isinstance(reference, str):
        found = cluster_by_name(comparison_key(reference))
    elif isinstance(reference, Mapping) and isinstance(reference.get("id"), str):
        key = as_uuid(reference["id"])
        found = Cluster.objects.filter(pk=key).first() if key else None
    elif not isinstance(reference, Mapping):
        raise ValidationError({"cluster": [invalid("invalid_type", 'Expected a name or {"id": …}.')]})
    if found is None:
        raise ValidationError({"cluster": [invalid("not_found", "There is no such cluster.")]})
    return found


def as_uuid(text: str) -> uuid.UUID | None:
    """Return the id that a text spells, None where it is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
