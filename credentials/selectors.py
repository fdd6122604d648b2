"""Read credentials: one, or many with filters."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from core.errors import invalid
from core.search import words_of
from core.text import comparison_key
from credentials.choices import CredentialKind
from credentials.models import Credential

FILTERS = ("kind", "q")
"""What a list of credentials can be narrowed by."""


def whole() -> QuerySet[Credential]:
    """Return all credentials with what their pages show, by name."""
    return Credential.objects.select_related("updated_by").order_by("name_key")


def find(value: Any) -> Credential | None:
    """Return the credential that a name, an id or `{"id": …}` refers to, None where there is none.

    A name comes first: somebody may call a credential like the id of another.
    """
    if isinstance(value, Mapping):
        return _by_id(value.get("id"))
    if not isinstance(value, str) or not value:
        return None
    return whole().filter(name_key=comparison_key(value)).first() or _by_id(value)


def _by_id(value: Any) -> Credential | None:
    try:
        return whole().filter(pk=uuid.UUID(value)).first() if isinstance(value, str) else None
    except ValueError:
        return None


def search(text: str, kind: str | None = None, limit: int = 20) -> list[Credential]:
    """Return the first credentials by name whose name holds every word, of one kind where one is given.

    It is asked while somebody types: whatever cannot match anything finds nothing, and is no error.
    """
    try:
        words = words_of(text)
    except ValidationError:
        return []
    rows = Credential.objects.order_by("name_key")
    if kind:
        rows = rows.filter(kind=kind)
    for word in words:
        rows = rows.filter(name_key__contains=comparison_key(word))
    return list(rows.only("id", "kind", "name", "description")[:limit])


def credential_list(filters: Mapping[str, str]) -> QuerySet[Credential]:
    """Return the credentials that match the filters of a query string, by name.

    Raises ValidationError by filter where a value cannot match anything.
    """
    rows = whole()
    errors: dict[str, list[ValidationError]] = {}
    kind, text = filters.get("kind", ""), filters.get("q", "")
    if kind and kind not in CredentialKind.values:
        allowed = list(CredentialKind.values)
        errors["kind"] = [invalid("invalid_choice", f"Choose one of {', '.join(allowed)}.", allowed=allowed)]
    elif kind:
        rows = rows.filter(kind=kind)
    try:
        for word in words_of(text):
            rows = rows.filter(Q(name_key__contains=comparison_key(word)) | Q(description__icontains=word))
    except ValidationError as error:
        errors["q"] = error.error_list
    if errors:
        raise ValidationError(errors)
    return rows
