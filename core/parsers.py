"""JSON bodies, read strictly: what two parsers could understand differently is refused."""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from django.core.exceptions import ValidationError
from rest_framework.parsers import BaseParser, MultiPartParser

from core.errors import Refused, invalid

MAX_DEPTH = 32
"""Levels of nesting; our own bodies have four."""


class StrictJSONParser(BaseParser):
    """Return the JSON object of a body (RFC 8259, with the advice of RFC 7493 as law).

    Refused as `malformed`: what is not UTF-8, is no JSON, has a key twice, NaN or a number beyond a double,
    too deep nesting, lone surrogates, or a NUL in a key. JSON that is no object is `invalid_type` at the pointer "".
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Read the stream to its end, at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes of it."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        data = stream.read(limit + 1)
        if len(data) > limit:
            raise Refused("too_large", f"The body has more than {limit:,} bytes.", limit=limit)
        return parse_object(data)


class StrictMultiPartParser(MultiPartParser):
    """Multipart forms, for views that take files."""


def parse_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object in `data`; raise Refused `malformed`, or ValidationError where it is no object."""
    if data.startswith(codecs.BOM_UTF8):
        raise _malformed("it begins with a byte order mark")
    try:
        text = data.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
    except UnicodeDecodeError as error:
        raise _malformed(f"it is not UTF-8 (at byte {error.start})") from None
    except json.JSONDecodeError as error:
        # Never the text around the place: it may be a password.
        raise _malformed(f"{error.msg.lower()} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise _malformed(f"it is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:
        raise _malformed("a number in it is too long") from None
    _check(value)
    if not isinstance(value, dict):
        raise ValidationError({"__all__": [invalid("invalid_type", "Expected a JSON object.")]})
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _malformed(f"the key {key[:80]!a} stands in it twice")
        found[key] = value
    return found


def _constant(name: str) -> NoReturn:
    raise _malformed(f"{name} is no JSON number")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _malformed("a number in it is beyond what a double can hold")
    return number


def _check(value: Any) -> None:
    """Look at every text and every level, without recursion of our own."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [item for container in level for item in _inside(container)]
        if not level:
            return
    raise _malformed(f"it is nested deeper than {MAX_DEPTH} levels")


def _inside(value: Any) -> Iterator[Any]:
    """Return what an object or a list holds; look at what holds nothing."""
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key in value:
            _check_text(key)
            if "\0" in key:
                raise _malformed("a key in it holds a NUL")
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _check_text(text: str) -> None:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise _malformed("a text in it holds half a surrogate pair")


def _malformed(why: str) -> Refused:
    return Refused("malformed", f"The body is not JSON as we read it: {why}.")
