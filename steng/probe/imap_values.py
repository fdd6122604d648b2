"""Values of IMAP on the wire (RFC 3501 section 4): atoms, strings, lists. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

Value = str | bytes | list["Value"] | None

MAX_DEPTH = 20
"""Lists within lists that are read: what a test asks for has two."""

_QUOTABLE = re.compile(r"[\x01-\x09\x0b\x0c\x0e-\x7f]*")
_TOKEN = re.compile(
    r"""\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|(\{\d+\+?\}$)|([^\s()"\[]*\[[^\]]{0,200}\](?:<\d+>)?|[^\s()"]+))""",
    re.DOTALL,
)
"""A bracket opens, closes; a quoted string; the announcement of a literal; an atom, with its section if it has one."""


def quoted(text: str) -> str | None:
    """Return `text` as a quoted string, None where it can only be a literal (RFC 3501 section 9, `quoted`)."""
    if not _QUOTABLE.fullmatch(text):
        return None
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def astring(text: str, *, at_once: bool) -> list[bytes]:
    """Return the pieces in which a string is sent: before each but the first, the server has to say that it is ready.

    With LITERAL+ (RFC 7888) `at_once` holds and there is one piece.
    """
    short = quoted(text)
    if short is not None:
        return [short.encode("ascii")]
    raw = text.encode("utf-8", "surrogatepass")
    if at_once:
        return [b"{%d+}\r\n%b" % (len(raw), raw)]
    return [b"{%d}" % len(raw), raw]


def read(pieces: Sequence[bytes | bytearray]) -> list[Value]:
    """Return the values of a response: lines as bytes, between them literals as bytearrays.

    Atoms and quoted strings are texts, literals bytes, NIL is None. Raises ValueError.
    """
    stack: list[list[Value]] = [[]]
    for kind, value in _tokens(pieces):
        if kind == "(":
            if len(stack) > MAX_DEPTH:
                raise ValueError("too deep")
            inner: list[Value] = []
            stack[-1].append(inner)
            stack.append(inner)
        elif kind == ")":
            stack.pop()
            if not stack:
                raise ValueError("a list ends that never began")
        else:
            stack[-1].append(value)
    if len(stack) != 1:
        raise ValueError("a list does not end")
    return stack[0]


def _tokens(pieces: Sequence[bytes | bytearray]) -> Iterator[tuple[str, Value]]:
    for piece in pieces:
        if isinstance(piece, bytearray):
            yield "value", bytes(piece)
            continue
        text = piece.decode("utf-8", "surrogateescape").rstrip()
        place = 0
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise ValueError("no value")
            place = found.end()
            opening, closing, string, literal, atom = found.groups()
            if opening or closing:
                yield opening or closing, None
            elif string is not None:
                yield "value", re.sub(r"\\(.)", r"\1", string, flags=re.DOTALL)
            elif literal is None:
                yield "value", None if atom.upper() == "NIL" else atom
