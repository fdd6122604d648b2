"""Every error of the API as `application/problem+json` (RFC 9457), from one table.

Whatever a view, a service, REST framework or Django raises ends here; a traceback never leaves. The same
flattening of a ValidationError (`field_errors`) serves the command line.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError
from django.http import Http404, HttpResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

from core.errors import Refused

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"

_STATUS: Mapping[str, int] = {
    "validation_failed": 400,
    "malformed": 400,
    "not_authenticated": 401,
    "permission_denied": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "conflict": 409,
    "in_use": 409,
    "cluster_required": 409,
    "precondition_failed": 412,
    "too_large": 413,
    "unsupported_media_type": 415,
    "idempotency_mismatch": 422,
    "rate_limited": 429,
    "internal_error": 500,
    "unavailable": 503,
}

_TITLES: Mapping[str, str] = {
    "validation_failed": "Some values are not valid",
    "malformed": "The request cannot be read",
    "not_authenticated": "Log in first",
    "permission_denied": "Not permitted",
    "not_found": "Not found",
    "method_not_allowed": "Method not allowed",
    "not_acceptable": "No such representation",
    "conflict": "Not possible now",
    "in_use": "Still in use",
    "cluster_required": "A cluster must be chosen",
    "precondition_failed": "It was changed in the meantime",
    "too_large": "The request is too large",
    "unsupported_media_type": "Unsupported media type",
    "idempotency_mismatch": "The key was used for another request",
    "rate_limited": "Too many requests",
    "internal_error": "Error in the console",
    "unavailable": "Not available now",
}

# What Django and REST framework call an error, in our words.
_FIELD_CODES: Mapping[str, str] = {
    "null": "required",
    "blank": "required",
    "empty": "required",
    "invalid": "invalid_type",
    "not_a_list": "invalid_type",
    "not_a_dict": "invalid_type",
    "incorrect_type": "invalid_type",
    "max_length": "too_long",
    "min_length": "too_short",
    "max_value": "out_of_range",
    "min_value": "out_of_range",
    "max_string_length": "too_long",
    "unique": "not_unique",
    "unique_together": "not_unique",
    "does_not_exist": "not_found",
    "null_characters_not_allowed": "forbidden_character",
}


def problem(code: str, detail: str, **extra: Any) -> dict[str, Any]:
    """Return the members of a problem; `extra` holds what helps (errors, users, limits), never a secret."""
    status = _STATUS.get(code, 409)
    return {
        "type": f"urn:postern:problem:{code}",
        "title": _TITLES.get(code, _TITLES["conflict"]),
        "status": status,
        "detail": detail,
        "code": code,
        **{name: value for name, value in extra.items() if name not in {"type", "title", "status", "detail", "code"}},
    }


def problem_response(code: str, detail: str, **extra: Any) -> HttpResponse:
    """Return a problem from where no REST view is at work: middleware and Django's own error handlers."""
    members = problem(code, detail, **extra)
    response = HttpResponse(
        json.dumps(members, cls=DjangoJSONEncoder), status=members["status"], content_type=CONTENT_TYPE
    )
    for name, value in _headers(members).items():
        response[name] = value
    return response


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Return the problem of whatever a REST view raised; what nobody foresaw is logged and is a plain 500."""
    members = _members(exc)
    if members is None:
        request = context.get("request")
        logger.error("%s %s failed", getattr(request, "method", ""), getattr(request, "path", ""), exc_info=exc)
        members = problem("internal_error", "Something went wrong in the console; its log says what.")
    response = Response(members, status=members["status"], content_type=CONTENT_TYPE, headers=_headers(members))
    challenge = getattr(exc, "auth_header", None)
    if members["status"] == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = challenge or CHALLENGE
    return response


CHALLENGE = 'Token realm="postern"'


def field_errors(error: DjangoValidationError) -> list[dict[str, Any]]:
    """Return `{"pointer", "code", "detail", …}` for each error, in the order of the fields as raised."""
    return list(_field_errors(error))


def _field_errors(error: DjangoValidationError) -> Iterator[dict[str, Any]]:
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    for field, errors in by_field.items():
        pointer = "" if field in {NON_FIELD_ERRORS, ""} else "/" + _escape(field)
        for each in errors:
            params = each.params if isinstance(each.params, Mapping) else {}
            shown = {name: _plain(value) for name, value in params.items() if name not in _DJANGO_PARAMS}
            yield {**shown, "pointer": pointer, "code": _code(each.code), "detail": _text(each)}


# Parameters that Django puts into the texts of its own errors: objects of its machinery, no news for anybody.
_DJANGO_PARAMS = frozenset(
    {"model", "model_class", "model_name", "field_label", "field_labels", "unique_check", "show_value", "limit_value"}
)


def _text(error: DjangoValidationError) -> str:
    try:
        return error.messages[0]
    except (KeyError, TypeError, ValueError):
        return str(error.message)  # a percent sign in a finished sentence of somebody else


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)


def _code(code: str | None) -> str:
    return _FIELD_CODES.get(code or "invalid", code or "invalid_type")


def _escape(token: str) -> str:
    """Escape one token of a JSON Pointer (RFC 6901, section 3)."""
    return token.replace("~", "~0").replace("/", "~1")


def _members(exc: Exception) -> dict[str, Any] | None:
    if isinstance(exc, Refused):
        return problem(exc.code, exc.detail, **{name: _plain(value) for name, value in exc.extra.items()})
    if isinstance(exc, DjangoValidationError):
        return _validation(field_errors(exc))
    if isinstance(exc, exceptions.ValidationError):
        return _validation(list(_rest_errors(exc.detail, "")))
    if isinstance(exc, exceptions.APIException):
        return _rest(exc)
    for kind, code, detail in _PLAIN:
        if isinstance(exc, kind):
            if code == "unavailable":
                logger.warning("The database did not answer in time", exc_info=exc)
            return problem(code, str(exc) if code == "permission_denied" and str(exc) else detail)
    return None


_PLAIN: tuple[tuple[type[Exception], str, str], ...] = (
    (Http404, "not_found", "There is nothing here, or nothing that you may see."),
    (PermissionDenied, "permission_denied", "You may not do this."),
    (RequestDataTooBig, "too_large", "The body is larger than we accept."),
    (SuspiciousOperation, "malformed", "The request cannot be read."),
    (UnreadablePostError, "malformed", "The body broke off."),
    # SQLite says so when another process held the write lock for longer than our patience.
    (OperationalError, "unavailable", "The database is busy; try again in a moment."),
)


def _validation(errors: list[dict[str, Any]]) -> dict[str, Any]:
    count = len(errors)
    return problem(
        "validation_failed",
        "One value is not valid." if count == 1 else f"{count} values are not valid.",
        errors=errors,
    )


def _rest_errors(detail: Any, pointer: str) -> Iterator[dict[str, Any]]:
    """Flatten what REST framework nests: objects by key, lists of texts in place, lists of objects by index."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from _rest_errors(value, pointer if key == "non_field_errors" else f"{pointer}/{_escape(str(key))}")
    elif isinstance(detail, list | tuple):
        for place, value in enumerate(detail):
            yield from _rest_errors(value, pointer if isinstance(value, str) else f"{pointer}/{place}")
    else:
        yield {"pointer": pointer, "code": _code(getattr(detail, "code", None)), "detail": str(detail)}


_REST: tuple[tuple[type[exceptions.APIException], str], ...] = (
    (exceptions.ParseError, "malformed"),
    (exceptions.AuthenticationFailed, "not_authenticated"),
    (exceptions.NotAuthenticated, "not_authenticated"),
    (exceptions.PermissionDenied, "permission_denied"),
    (exceptions.NotFound, "not_found"),
    (exceptions.MethodNotAllowed, "method_not_allowed"),
    (exceptions.NotAcceptable, "not_acceptable"),
    (exceptions.UnsupportedMediaType, "unsupported_media_type"),
    (exceptions.Throttled, "rate_limited"),
)


def _rest(exc: exceptions.APIException) -> dict[str, Any] | None:
    for kind, code in _REST:
        if isinstance(exc, kind):
            extra: dict[str, Any] = {}
            wait = getattr(exc, "wait", None)
            if wait is not None:
                extra["retry_after"] = math.ceil(wait)
            return problem(code, str(exc.detail), **extra)
    return None


def _headers(members: Mapping[str, Any]) -> dict[str, str]:
    if members["status"] in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return {"Retry-After": str(members.get("retry_after", 1))}
    if members["status"] == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": CHALLENGE}
    return {}
