"""CSV, one row a connection: read from whichever spreadsheet, written so that none runs a cell as a formula.

A cell that begins with `=`, `+`, `-`, `@`, their full-width forms, a tab or a carriage return, also behind
blanks, would be calculated by the spreadsheet of whoever opens the file. It is written with an apostrophe before
it, which a spreadsheet takes for "this is text". A cell that begins with an apostrophe of its own gets a second one.

Every cell is in quotation marks, and yet a spreadsheet of a country whose separator is the semicolon (or one that
splits at tabs) takes our commas for text, does not see where a cell begins, and splits it at the semicolons and line
ends in it. What follows one of them is a cell to it: where that would be calculated, also behind blanks and quotation
marks, an apostrophe goes before it, one more where some stand there. Reading takes exactly one away at each of these
places, so every text comes back as it was.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from core.errors import Refused

SEPARATORS = ",;\t"
"""What may stand between cells; a spreadsheet writes the one of its country, the first line tells which."""

_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
_FORMULA = frozenset(_SIGNS)
_SHIELD = "'"
_CALCULATED = rf"{_SHIELD}*(?:\"|[^\S;\t\r\n])*[{re.escape(_SIGNS)}]"
_INNER = re.compile(rf"(?<=[;\t\r\n])(?={_CALCULATED})")
_INNER_SHIELD = re.compile(rf"(?<=[;\t\r\n]){_SHIELD}(?={_CALCULATED})")


def read(text: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the header and the rows, each with the line on which it begins; raise Refused `malformed`.

    The rows are read as they are asked for, so the iterator raises too.
    """
    first = text[: max(text.find("\n"), 0) or len(text)]
    separator = max(SEPARATORS, key=first.count)
    records = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = _records(records)
    _, header = next(rows, (1, []))
    header = [name.strip() for name in header]
    _check_header(header)
    return header, _rows(rows, len(header))


def _check_header(header: Sequence[str]) -> None:
    seen: set[str] = set()
    for place, name in enumerate(header):
        if not name:
            raise _malformed(f"column {place + 1} has no name", 1)
        if name in seen:
            raise _malformed(f"two columns are called “{name[:80]}”", 1)
        seen.add(name)


def _records(records: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    line = 1
    while True:
        try:
            record = next(records)
        except StopIteration:
            return
        except csv.Error as error:
            raise _malformed(str(error), line) from None
        yield line, record
        line = records.line_num + 1  # type: ignore[attr-defined]


def _rows(records: Iterator[tuple[int, list[str]]], width: int) -> Iterator[tuple[int, list[str]]]:
    for line, record in records:
        if not any(record):
            continue  # an empty line, or one of separators only as spreadsheets leave them at the end
        if len(record) != width:
            raise _malformed(f"a row has {len(record)} cells and the header {width}", line)
        yield line, record


def write(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield CSV (RFC 4180, section 2), one row at a time."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        writer.writerow([shield(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def shield(text: str) -> str:
    """Return the text with an apostrophe wherever a spreadsheet would begin to calculate."""
    begins = text[:1] in {_SHIELD, "\t", "\r"} or text.lstrip()[:1] in _FORMULA
    return (_SHIELD if begins else "") + _INNER.sub(_SHIELD, text)


def unshield(text: str) -> str:
    """Return the text that `shield` was given."""
    return _INNER_SHIELD.sub("", text.removeprefix(_SHIELD))


def _malformed(why: str, line: int) -> Refused:
    return Refused("malformed", f"This is not CSV as we read it: {why} (line {line}).", line=line)
