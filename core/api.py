"""What the REST views of every app stand on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.views import APIView

from core.authentication import BrowserSession, TokenAuthentication
from core.idempotency import IdempotentMixin
from core.pagination import Pagination
from core.permissions import LOGGED_IN, ActionPermission, Declared

__all__ = [
    "ActionPermission",
    "ApiView",
    "BrowserSession",
    "IdempotentMixin",
    "NotFoundView",
    "Pagination",
    "TokenAuthentication",
]


class ApiView(IdempotentMixin):
    """A resource: says in `acts` what each of its methods takes (see `core.permissions`)."""

    acts: Mapping[str, Declared] = {}


class NotFoundView(APIView):
    """Answer 404 at every address under /api/ that nothing else answers, to who is logged in."""

    acts = dict.fromkeys(("get", "post", "put", "patch", "delete"), LOGGED_IN)
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Ask who it is, then say that there is nothing, whatever the method."""
        super().initial(request, *args, **kwargs)
        raise Http404
