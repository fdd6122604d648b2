"""Values on the command line: `field=value`, and secrets only by way of standard input or the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ValidationError

from core.errors import invalid


def read_fields(arguments: Iterable[str], convert: Callable[[str, str], Any]) -> dict[str, Any]:
    """Return `field=value` arguments as values, each turned by `convert(name, text)`.

    Raises ValidationError `malformed` by field, for all of them at once.
    """
    values: dict[str, Any] = {}
    errors: dict[str, list[ValidationError]] = {}
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if not equals:
            errors[name] = [invalid("malformed", f"Write it as {name[:80]}=value.")]
            continue
        try:
            values[name] = convert(name, text)
        except ValidationError as error:
            errors[name] = error.error_list
    if errors:
        raise ValidationError(errors)
    return values


def read_secret(text: str) -> str | None:
    """Return the secret that `@-` (a line of standard input) or `env:NAME` stands for; empty clears it."""
    if text == "":
        return None
    if text == "@-":
        return sys.stdin.readline().rstrip("\r\n")
    source, colon, variable = text.partition(":")
    if source == "env" and colon and variable in os.environ:
        return os.environ[variable]
    # What stands in the arguments is in the process list and in the shell's history.
    raise invalid("malformed", "Give a secret as @- (read from standard input) or env:NAME (a variable that is set).")
