"""YAML with the scalars of JSON: nothing that is written becomes something else.

YAML 1.1 turns `no` into false, `0777` into 511, `1:30` into 90 and `2024-01-01` into a date. Here a plain scalar is
null (`null`, `~` or nothing), `true`, `false`, a number as JSON spells it, or the text that it is. Refused as
`malformed`, with line and column: keys that stand twice, tags, anchors and aliases (a few lines of them can mean
gigabytes), more than one document, too deep nesting.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from core.errors import Refused

MAX_DEPTH = 12
"""Levels of nesting; our own files have four, and a foreign one with sections five."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is ten times faster, where it was built
_NULLS = frozenset({"", "~", "null"})
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,98})\Z")
_FRACTION = re.compile(r"-?(?:0|[1-9][0-9]*)(?=[.eE])(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")


class PlacedDict(dict[str, Any]):
    """A mapping that knows the line (from 1) on which it begins."""

    line: int

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


def parse(text: str) -> Any:
    """Return the value of a YAML text, None for an empty one; mappings are `PlacedDict`. Raises Refused `malformed`."""
    events = yaml.parse(text, Loader=_LOADER)
    try:
        return _document(events)
    except yaml.reader.ReaderError as error:
        lines = text.encode("utf-8", "surrogatepass")[: error.position].count(b"\n")
        raise _malformed("a control character stands in it", lines + 1) from None
    except yaml.MarkedYAMLError as error:
        # The problem only, never the lines around it: they may hold a password.
        mark = error.problem_mark
        where = (mark.line + 1, mark.column + 1) if mark is not None else (None, None)
        raise _malformed(error.problem or "it breaks off", *where) from None


def _document(events: Iterator[Any]) -> Any:
    value: Any = None
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                _refuse(event, "a second document begins; put every connection into one")
        elif isinstance(event, yaml.NodeEvent):
            value = _value(event, events, 1)
    return value


def _value(event: Any, events: Iterator[Any], depth: int) -> Any:
    if isinstance(event, yaml.AliasEvent):
        _refuse(event, "an alias (*) is not read; write the value out")
    if event.anchor is not None:
        _refuse(event, "an anchor (&) is not read; write each value out")
    if event.tag is not None:
        _refuse(event, "a tag (!) is not read; put a text into quotation marks")
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event)
    if depth > MAX_DEPTH:
        _refuse(event, f"it is nested deeper than {MAX_DEPTH} levels")
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(events, depth)
    return _mapping(event, events, depth)


def _sequence(events: Iterator[Any], depth: int) -> list[Any]:
    items = []
    for event in events:
        if isinstance(event, yaml.SequenceEndEvent):
            break
        items.append(_value(event, events, depth + 1))
    return items


def _mapping(start: Any, events: Iterator[Any], depth: int) -> PlacedDict:
    found = PlacedDict(start.start_mark.line + 1)
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        if not isinstance(event, yaml.ScalarEvent) or event.anchor is not None or event.tag is not None:
            _refuse(event, "a key has to be a plain text")
        key = event.value  # as it is written: a key is never true or a number
        if key in found:
            _refuse(event, "this key stands twice in one mapping")
        # Interned: ten thousand connections with forty fields would hold each key ten thousand times.
        found[sys.intern(key)] = _value(next(events), events, depth + 1)
    return found


def _scalar(event: Any) -> Any:
    text: str = event.value
    if _SURROGATE.search(text):
        _refuse(event, "a text in it holds half a surrogate pair")
    if not event.implicit[0]:
        return text  # quoted, or a block
    if text in _NULLS:
        return None
    if text in {"true", "false"}:
        return text == "true"
    if _INTEGER.match(text):
        return int(text)
    if _FRACTION.match(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _refuse(event: Any, why: str) -> NoReturn:
    raise _malformed(why, event.start_mark.line + 1, event.start_mark.column + 1)


def _malformed(why: str, line: int | None = None, column: int | None = None) -> Refused:
    place = "" if line is None else f" (line {line})" if column is None else f" (line {line}, column {column})"
    known = {name: value for name, value in (("line", line), ("column", column)) if value is not None}
    return Refused("malformed", f"This is not YAML as we read it: {why}{place}.", **known)
