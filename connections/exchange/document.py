"""A file becomes rows: raw values, each row with its place, before anything is judged.

The same text is read from a file of the command line, the body of a request and a text box. What cannot be
read at all is Refused (`malformed`, `too_large`); what can be read and is no document of ours is a ValidationError by
the key of its head. Whether the values of a row are sound is not asked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError

from connections.exchange import sheet, strict_yaml
from core.errors import Refused, invalid, unknown_fields
from core.parsers import parse_object

MAX_BYTES = 32_000_000
"""Largest file: ten thousand connections with every field need about sixteen million bytes of YAML."""

MAX_ROWS = 10_000
"""Most connections in one file; they are changed in one transaction, which other writers wait for."""

MAX_KEYS = 200
"""Most keys of one connection, those of its sections among them; our own have about sixty, a foreign one has fewer."""

MAX_DISTINCT_KEYS = 500
"""Most different keys in one file: each of them is looked up, and each that is unknown is an error of its own."""

VERSION = 1
ROWS = "connections"
_HEAD = frozenset({"version", "system", "kind", ROWS})


class Format(StrEnum):
    """How a file is written."""

    YAML = "yaml"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Row:
    """The raw values of one connection; `place` counts from 0, `line` from 1 where the format knows lines."""

    place: int
    line: int | None
    values: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says. `textual` tells that every value is text (CSV) and still has to be converted."""

    format: Format
    rows: list[Row] = field(repr=False)
    system: str | None = None
    kind: str | None = None
    textual: bool = False


def read(data: bytes, format_: Format | None = None) -> Document:
    """Return the document in `data`; the format is recognised where it is not said."""
    if len(data) > MAX_BYTES:
        raise Refused("too_large", f"The file has more than {MAX_BYTES:,} bytes.", limit=MAX_BYTES)
    try:
        text = data.decode("utf-8-sig")  # spreadsheets and editors of Windows begin with a byte order mark
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Refused("malformed", f"The file is not UTF-8 (line {line}).", line=line) from None
    format_ = format_ or recognise(text)
    if format_ is Format.CSV:
        return _from_csv(text)
    value = _json(text) if format_ is Format.JSON else strict_yaml.parse(text)
    return _from_tree(value, format_)


def recognise(text: str) -> Format:
    """Return the format that a text looks like; what it is not, its parser says then."""
    start = text.lstrip()
    if start.startswith("{"):
        return Format.JSON
    first = start.partition("\n")[0]
    if any(mark in first for mark in sheet.SEPARATORS) and ":" not in first and not first.startswith(("#", "-")):
        return Format.CSV
    return Format.YAML


def format_of_name(name: str) -> Format | None:
    """Return the format that the end of a file's name says, None for an unknown one."""
    end = name.rpartition(".")[2].lower()
    return {"yaml": Format.YAML, "yml": Format.YAML, "json": Format.JSON, "csv": Format.CSV}.get(end)


def _json(text: str) -> Any:
    try:
        return parse_object(text.encode())
    except Refused as refusal:
        raise Refused(refusal.code, refusal.detail.replace("The body", "The file"), **refusal.extra) from None


def _from_tree(value: Any, format_: Format) -> Document:
    if not isinstance(value, Mapping):
        raise ValidationError({"": [invalid("invalid_type", "Expected `version: 1` and a list of `connections:`.")]})
    if len(value) > MAX_KEYS:
        raise _too_many("the head of the file", len(value), MAX_KEYS, line=getattr(value, "line", None))
    errors = unknown_fields(value, _HEAD, "There is no “{}” at the head of a file.")
    version = value.get("version", VERSION)
    if isinstance(version, bool) or version != VERSION or not isinstance(version, int):
        errors["version"] = [invalid("invalid_choice", f"This console reads version {VERSION}.", allowed=[VERSION])]
    for name in ("system", "kind"):
        if not isinstance(value.get(name, ""), str):
            errors[name] = [invalid("invalid_type", "Expected a text.")]
    rows = value.get(ROWS)
    if rows is None and ROWS not in value:
        errors[ROWS] = [invalid("required", "The list of connections is missing.")]
    elif not isinstance(rows or [], list):
        errors[ROWS] = [invalid("invalid_type", "Expected a list of connections.")]
    if errors:
        raise ValidationError(errors)
    found = [Row(place, getattr(item, "line", None), item) for place, item in enumerate(rows or [])]
    _check_count(len(found))
    _check_keys(found)
    return Document(format_, found, value.get("system"), value.get("kind"))


def _from_csv(text: str) -> Document:
    header, records = sheet.read(text)
    if len(header) > MAX_KEYS:
        raise _too_many("the first line", len(header), MAX_KEYS, line=1)
    rows: list[Row] = []
    for line, record in records:
        _check_count(len(rows) + 1)
        # What a cell leaves empty is left out: it takes its default, and a secret is kept.
        rows.append(Row(len(rows), line, {name: cell for name, cell in zip(header, record, strict=True) if cell}))
    return Document(Format.CSV, rows, textual=True)


def _check_count(count: int) -> None:
    if count > MAX_ROWS:
        sentence = f"At most {MAX_ROWS:,} connections in one file."
        raise ValidationError({ROWS: [invalid("too_long", sentence, limit=MAX_ROWS)]})


def _check_keys(rows: Iterable[Row]) -> None:
    distinct: set[str] = set()
    for row in rows:
        if not isinstance(row.values, Mapping):
            continue
        count = len(row.values)
        distinct.update(row.values)
        for inner in row.values.values():
            if isinstance(inner, Mapping):  # a section of another system, or what stands for a secret
                count += len(inner)
                distinct.update(inner)
        if count > MAX_KEYS:
            raise _too_many(f"connection {row.place + 1}", count, MAX_KEYS, line=row.line, place=row.place)
        if len(distinct) > MAX_DISTINCT_KEYS:
            what = f"the file up to connection {row.place + 1}"
            raise _too_many(what, len(distinct), MAX_DISTINCT_KEYS, "different keys", line=row.line, place=row.place)


def _too_many(what: str, count: int, limit: int, keys: str = "keys", **where: int | None) -> Refused:
    known = {name: number for name, number in where.items() if number is not None}
    line = f" (line {known['line']})" if "line" in known else ""
    sentence = f"The file cannot be read: {what} has {count:,} {keys}, at most {limit} are read{line}."
    return Refused("malformed", sentence, limit=limit, **known)
