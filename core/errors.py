"""The refusals of the domain that are not about the value of a field."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError


class Refused(Exception):
    """Say that an act cannot be done now, with a stable code (see the problem table) and a remedy.

    `extra` is shown to the caller as it is (for example the users of a thing in use), so it holds no secret.
    """

    def __init__(self, code: str, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.extra = extra


def invalid(code: str, message: str, **params: Any) -> ValidationError:
    """Return a field error; `params` (limit, value, suggestion, ...) travel with it to every door."""
    # Django formats a message that comes with parameters, and what was typed may hold a percent sign.
    return ValidationError(message.replace("%", "%%") if params else message, code=code, params=params)
