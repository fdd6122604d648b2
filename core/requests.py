"""What pages and REST views read out of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from rest_framework.request import Request

from core.errors import invalid
from core.models import User


def user_of(request: HttpRequest | Request) -> User:
    """Return who asks, where an act was declared that takes a user."""
    user = request.user
    assert isinstance(user, User)  # `core.permissions` lets nobody else in
    return user


def version_of(request: HttpRequest) -> int | None:
    """Return the version that a page was made from, None where it says none."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def is_htmx(request: HttpRequest) -> bool:
    """Tell whether a fragment is wanted instead of a page."""
    return bool(request.htmx)  # type: ignore[attr-defined]  # django_htmx puts it there


def read_object(data: Any) -> dict[str, Any]:
    """Return a body that is an object; raise ValidationError `invalid_type`."""
    if not isinstance(data, Mapping):
        raise ValidationError({"": [invalid("invalid_type", "Expected an object.")]})
    return dict(data)
