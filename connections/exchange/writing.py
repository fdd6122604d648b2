"""Connections become a file that can be applied back: every field, references by name, secrets never.

Every field is written, defaults too, so that the difference between two installations is the difference between two
files. A secret is written as `{is_set: true}`, which keeps the one that is stored wherever the file is applied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from connections.exchange import sheet
from connections.exchange.document import ROWS, VERSION, Format
from connections.exchange.incoming import PART
from connections.kinds import KINDS
from connections.models import Connection

CONTENT_TYPES: Mapping[Format, str] = {
    Format.YAML: "application/yaml; charset=utf-8",
    Format.JSON: "application/json",
    Format.CSV: "text/csv; charset=utf-8; header=present",
}

_AT_ONCE = 100
"""Connections that are handed on as one piece of text."""

_IS_SET = "is_set"
_HEAD = f"""\
# Connections, to be applied with `manage.py connection apply`, POST /api/v1/connections/import/ or the import page.
# Secrets are never exported: {{{_IS_SET}: true}} keeps the one that is stored.
version: {VERSION}
"""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.@/+-]*\Z")
_NOT_PLAIN = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})  # to some reader of YAML
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def portable(row: Connection) -> dict[str, Any]:
    """Return a connection as a file holds it, in the order of the model."""
    values: dict[str, Any] = {"kind": row.KIND}
    values |= {name: getattr(row, name) for name in row.definition_fields()}
    values |= {name: {_IS_SET: row.secret_is_set(name)} for name in row.SECRETS}
    for name in row.REFERENCES:
        target = getattr(row, name, None)
        values[name] = None if target is None else target.name
    return values


def write(format_: Format, rows: Iterable[Connection]) -> Iterator[str]:
    """Yield the file piece by piece; rows are taken as they are needed, so that memory does not grow with them."""
    pieces = _WRITERS[format_](portable(row) for row in rows)
    while piece := "".join(islice(pieces, _AT_ONCE)):
        yield piece


def _yaml(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    first = next(rows, None)
    if first is None:
        yield f"{_HEAD}{ROWS}: []\n"
        return
    yield f"{_HEAD}{ROWS}:\n{_yaml_row(first)}"
    yield from map(_yaml_row, rows)


def _yaml_row(values: Mapping[str, Any]) -> str:
    lines = "\n  ".join(f"{name}: {_yaml_value(value)}" for name, value in values.items())
    return f"- {lines}\n"


def _yaml_value(value: Any) -> str:
    if isinstance(value, str) and _reads_as_block(value):
        return "|-\n" + "\n".join(f"    {line}" if line else "" for line in value.split("\n"))
    return _yaml_flow(value)


def _yaml_flow(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml_flow, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_yaml_flow(each)}" for name, each in value.items()) + "}"
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.match(value) and value.casefold() not in _NOT_PLAIN:
        return value
    # A JSON text is a YAML text, but for what YAML does not print or takes for the end of a line.
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _reads_as_block(text: str) -> bool:
    """Tell whether a text of several lines can stand as they are, which a difference of two files shows best."""
    lines = text.split("\n")
    return (
        len(lines) > 1
        and bool(lines[-1])
        and lines[0][:1] not in {"", " ", "\t"}
        and all(line == line.rstrip() and "\t" not in line for line in lines)
        and not _UNPRINTABLE.search(text)
        and not any(character < " " and character != "\n" for character in text)
    )


def _json(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    separator = f'{{"version": {VERSION}, "{ROWS}": [\n'
    for row in rows:
        yield separator + json.dumps(row, ensure_ascii=False)
        separator = ",\n"
    yield "\n]}\n" if separator.startswith(",") else separator + "]}\n"


def _csv(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    columns = _columns()
    yield from sheet.write([columns])
    yield from sheet.write([_cell(row, column) for column in columns] for row in rows)


def _columns() -> list[str]:
    names: dict[str, None] = {"kind": None}
    for model in KINDS.values():
        for name in model.writable():
            names[f"{name}{PART}{_IS_SET}" if name in model.SECRETS else name] = None
    return list(names)


def _cell(row: Mapping[str, Any], column: str) -> str:
    name, _, part = column.partition(PART)
    value = row.get(name)
    if isinstance(value, Mapping):
        value = value[part]
    if isinstance(value, list):
        return " ".join(value)  # no name in a list holds a blank
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


_WRITERS: Mapping[Format, Callable[[Iterator[dict[str, Any]]], Iterator[str]]] = {
    Format.YAML: _yaml,
    Format.JSON: _json,
    Format.CSV: _csv,
}
