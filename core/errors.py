"""How the domain refuses: an act as a whole, or the fields of a thing."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from django.core.exceptions import ValidationError

NO_FILTER = "There is no filter “{}”."
_NOT_HERE = "There is no “{}” here."


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


def unknown_fields(
    given: Iterable[str], known: Container[str], sentence: str = _NOT_HERE
) -> dict[str, list[ValidationError]]:
    """Return an error for each name that is not known, for which the sentence holds a place.

    A misspelt name must not silently mean "as it was", or of a filter "all".
    """
    return {name: [invalid("unknown_field", sentence.format(name[:80]))] for name in given if name not in known}


def refuse_unknown(given: Iterable[str], known: Container[str], sentence: str = _NOT_HERE) -> None:
    """Raise ValidationError `unknown_field` for all that is not known, by name."""
    errors = unknown_fields(sorted(given), known, sentence)
    if errors:
        raise ValidationError(errors)
