"""What the REST views of every app stand on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from rest_framework.request import Request
from rest_framework.views import APIView

from core.authentication import BrowserSession, TokenAuthentication
from core.errors import NO_FILTER, refuse_unknown, unknown_fields
from core.idempotency import IdempotentMixin
from core.pagination import Pagination
from core.permissions import LOGGED_IN, ActionPermission, Declared

__all__ = [
    "PAGES",
    "ActionPermission",
    "ApiView",
    "BrowserSession",
    "IdempotentMixin",
    "NotFoundView",
    "Pagination",
    "TokenAuthentication",
    "refuse_unknown_filters",
    "unknown_filters",
]

PAGES = frozenset({"limit", "offset"})
"""What every list in pages takes beside its filters."""


class ApiView(IdempotentMixin):
    """A resource: says in `acts` what each of its methods takes (see `core.permissions`)."""

    acts: Mapping[str, Declared] = {}


def unknown_filters(request: Request, known: Collection[str]) -> dict[str, list[ValidationError]]:
    """Return an error for each filter of an address that is not known."""
    return unknown_fields(sorted(request.query_params), known, NO_FILTER)


def refuse_unknown_filters(request: Request, known: Collection[str]) -> None:
    """Raise ValidationError `unknown_field` for what is not known."""
    refuse_unknown(request.query_params, known, NO_FILTER)


class NotFoundView(APIView):
    """Answer 404 at every address under /api/ that nothing else answers, to who is logged in."""

    acts = dict.fromkeys(("get", "post", "put", "patch", "delete"), LOGGED_IN)
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Ask who it is, then say that there is nothing, whatever the method."""
        super().initial(request, *args, **kwargs)
        raise Http404
