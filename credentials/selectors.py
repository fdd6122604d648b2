"""Read credentials: one, or many with filters."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from core.errors import invalid
from core.text import comparison_key
from credentials.choices import CredentialKind
from credentials.models import Credential

FILTERS = ("kind", "q")
"""What a list of credentials can be narrowed by."""

MAX_WORDS = 10
MAX_SEARCH = 300
"""Words and characters that a search may have."""


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
    words = text.split()
    if len(words) > MAX_WORDS or len(text) > MAX_SEARCH:
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
    if len(text.split()) > MAX_WORDS or len(text) > MAX_SEARCH:
        # Each word is a comparison with every row: a thousand of them would keep the database busy for a minute.
        errors["q"] = [invalid("too_long", f"At most {MAX_WORDS} words.", limit=MAX_WORDS)]
    else:
        for word in text.split():
            rows = rows.filter(Q(name_key__contains=comparison_key(word)) | Q(description__icontains=word))
    if errors:
        raise ValidationError(errors)
    return rows
