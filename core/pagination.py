"""Pages of a list: `{"count", "next", "previous", "results"}` by `limit` and `offset`."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

from core.errors import invalid

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
MAX_COUNT = 10_000
"""How far long lists are counted; beyond it nobody turns pages, or reads row by row."""
_MAX_OFFSET = 2**31 - 1


class Pagination(LimitOffsetPagination):
    """Cut a list by `limit` (1 to 500, else 50) and `offset`; any other value is an error, not a guess."""

    default_limit = DEFAULT_LIMIT
    max_limit = MAX_LIMIT

    def get_limit(self, request: Request) -> int:
        """Return the limit; raise ValidationError."""
        return read_limit(request)

    def get_offset(self, request: Request) -> int:
        """Return the offset; raise ValidationError."""
        return _number(request, "offset", 0, 0, _MAX_OFFSET)


def read_limit(request: Request) -> int:
    """Return how many rows a page shall have; raise ValidationError."""
    return _number(request, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)


def _number(request: Request, name: str, default: int, minimum: int, maximum: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ValidationError({name: [invalid("invalid_type", f"“{text[:40]}” is not a whole number.")]})
    number = int(text)
    if not minimum <= number <= maximum:
        limit = minimum if number < minimum else maximum
        sentence = f"Must be between {minimum:,} and {maximum:,}."
        raise ValidationError({name: [invalid("out_of_range", sentence, limit=limit, value=number)]})
    return number
