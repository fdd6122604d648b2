"""SMTP replies from bytes (RFC 5321 section 4.2), without I/O and within limits."""

from __future__ import annotations

import re
from collections.abc import Callable

from aiosmtplib import SMTPResponse

from steng.probe.failure import ProbeFailure
from steng.probe.lookalike import not_spoken
from steng.wire import Protocol

MAX_LINE = 64 * 1024
"""Bytes of one line: RFC 5321 section 4.5.3.1.5 allows 512, some servers send long lists of mechanisms."""

MAX_LINES = 200
MAX_REPLY = 256 * 1024
"""Lines and bytes of one reply: real answers to EHLO have some thirty lines."""

_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


class ReplyReader:
    """Collect bytes and give out whole replies; each line is shown to `on_line` as it is read."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._buffer = bytearray()
        self._scanned = 0
        self._lines: list[bytes] = []
        self._code: bytes | None = None
        self._size = 0

    @property
    def pending(self) -> int:
        """Return how many bytes stand behind the last whole reply."""
        return len(self._buffer) + self._size

    def feed(self, data: bytes) -> None:
        """Take bytes from the peer; raises ProbeFailure `too_much_data`."""
        self._buffer += data
        if self.pending > MAX_REPLY:
            self._show_rest()
            raise ProbeFailure("too_much_data", f"The server sent more than {MAX_REPLY} bytes at once.")

    def next(self) -> SMTPResponse | None:
        """Return the next whole reply, None if it has not all come yet.

        Raises ProbeFailure `too_much_data`, `protocol_error`, `wrong_protocol`.
        """
        while (end := self._buffer.find(b"\n", self._scanned)) >= 0:
            line = bytes(self._buffer[: end + 1])
            del self._buffer[: end + 1]
            self._scanned = 0
            if self._take(line.rstrip(b"\r\n")):
                return self._whole()
        self._scanned = len(self._buffer)
        if self._buffer and not self._buffer[:1].isdigit():
            # Garbage may never bring a line end; there is nothing to wait for.
            self._show_rest()
            raise not_spoken(Protocol.SMTP, bytes(self._buffer[:200]))
        if self._scanned > MAX_LINE:
            self._show_rest()
            raise ProbeFailure("too_much_data", f"The server sent a line of more than {MAX_LINE} bytes.")
        return None

    def _take(self, line: bytes) -> bool:
        """Take one line; tell whether it ends the reply."""
        self._on_line(line.decode("utf-8", "surrogateescape"))
        if len(line) > MAX_LINE:
            raise ProbeFailure("too_much_data", f"The server sent a line of more than {MAX_LINE} bytes.")
        found = _LINE.fullmatch(line)
        if found is None or b"\0" in line:
            raise not_spoken(Protocol.SMTP, line)
        code, mark, text = found.groups()
        if self._code not in {None, code}:
            raise ProbeFailure("protocol_error", "The lines of one reply have different codes.")
        self._code = code
        self._lines.append((text or b"").strip(b" \t\r"))
        self._size += len(line) + 2
        if len(self._lines) > MAX_LINES or self._size > MAX_REPLY:
            raise ProbeFailure("too_much_data", f"The server sent a reply of more than {MAX_LINES} lines.")
        return bool(mark != b"-")

    def _whole(self) -> SMTPResponse:
        code = int(self._code or b"0")
        text = b"\n".join(self._lines).decode("utf-8", "surrogateescape")
        self._lines, self._code, self._size = [], None, 0
        return SMTPResponse(code, text)

    def _show_rest(self) -> None:
        self._on_line(self._buffer[:MAX_LINE].decode("utf-8", "surrogateescape"))


def enhanced_status(text: str) -> str:
    """Return the enhanced status code of a reply (RFC 3463), empty where it has none."""
    found = _ENHANCED.match(text)
    return found[0] if found else ""
