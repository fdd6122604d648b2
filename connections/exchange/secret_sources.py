"""Secrets of a file: taken from where the file points to, or as they stand, by who reads it.

A file is kept, sent and committed, so the command line takes none that stands in it: a secret is named by its
variable or its own file. A request brings its body and keeps nothing, so there it may stand as in any other write;
but it may not point to what only this machine has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.errors import invalid

Reader = Callable[[Any], Any]
"""Takes what stands in a file for a secret, returns what the domain takes; raises ValidationError."""

_MAX_FILE = 16_384
"""Characters of a file with a secret; four times the longest secret in UTF-8."""

_SOURCES = ("env", "file")


def as_it_stands(value: Any) -> Any:
    """Return a secret of a request's body or a page."""
    if _source(value) is not None:
        raise invalid("not_available", "Only the command line reads {env: …} and {file: …}; send the secret itself.")
    return value


def pointed_to(environment: Mapping[str, str], folder: Path) -> Reader:
    """Return the reader of the command line; paths are relative to `folder`, where the file is."""

    def read(value: Any) -> Any:
        source = _source(value)
        if source is not None:
            kind, name = source
            if not isinstance(name, str) or not name:
                raise invalid("invalid_type", f"Expected {{{kind}: …}} with a text.")
            return _from_file(folder / name) if kind == "file" else _from_variable(environment, name)
        if isinstance(value, str) and value:
            # Never shown, in whole or in part: it may be a password that is in use.
            raise invalid(
                "malformed", "A file holds no secret: write {env: NAME} or {file: PATH}, or leave it out to keep it."
            )
        return value

    return read


def _source(value: Any) -> tuple[str, Any] | None:
    if not isinstance(value, Mapping):
        return None
    named = [kind for kind in _SOURCES if kind in value]
    if not named:
        return None
    if len(named) > 1 or set(value) - {*_SOURCES, "is_set"}:
        raise invalid("malformed", "Name one source of the secret: {env: NAME} or {file: PATH}.")
    return named[0], value[named[0]]


def _from_variable(environment: Mapping[str, str], name: str) -> str:
    if name not in environment:
        raise invalid("not_found", f"The variable {name[:80]} is not set.")
    return environment[name]


def _from_file(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read(_MAX_FILE + 1)
    except OSError as error:
        raise invalid("not_found", f"{path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise invalid("malformed", f"{path} is not UTF-8.") from None
    # One line end, which every editor puts there; any other one is answered as what cannot be in a secret.
    return text.removesuffix("\n").removesuffix("\r")
