"""The conversation as it was, line by line, without its secrets, and never longer than a person would read."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator

from steng.probe.withheld import told_line
from steng.text import visible
from steng.wire import Direction, StageName, TranscriptLine

Clock = Callable[[], float]

REDACTED = "<redacted>"

MAX_LINES = 500
MAX_LINE = 1_000
MAX_TOTAL = 128 * 1024
"""Lines, characters per line, characters in all: a peer that talks without end fills no report."""

_MIN_FRAGMENT = 6
"""Characters of a base64 fragment that are telling; shorter ones would hide half of an honest text."""


class Redactor:
    """Hide every form of a secret that a server could echo, and know when no list of forms is enough any more."""

    def __init__(self) -> None:
        self.withholding = False
        self._forms: set[str] = set()
        self._lowered: frozenset[str] = frozenset()
        self._ascii = True
        self._pattern: re.Pattern[str] | None = None

    def hide(self, username: str, password: str) -> None:
        """Hide a password and all that is made of it."""
        self._hide(_forms(username, password))

    def hide_text(self, *texts: str) -> None:
        """Hide texts that were derived from a secret, such as the answer to a challenge."""
        self._hide(texts)

    def withhold(self) -> None:
        """Note that the sign-in begins: from now on the server's own words are not to be shown."""
        self.withholding = True

    def clean(self, text: str, limit: int = MAX_LINE) -> str:
        """Return `text` without secrets, then without invisible characters, then cut to `limit`."""
        # In this order: a cut or an escape first could leave a part of the secret that no form matches.
        return visible(self._redacted(text) if self._may_hold_a_form(text) else text, limit)

    def clean_begin(self, text: str, limit: int = MAX_LINE) -> str:
        """Return the begin of a text whose rest is missing, cleaned: a secret that goes on in the rest has no form."""
        redacted = self._redacted(text) if self._may_hold_a_form(text) else text
        unsafe = max(map(len, self._forms), default=1) - 1
        return visible(redacted[: max(len(redacted) - unsafe, 0)], limit)

    def _hide(self, texts: Iterable[str]) -> None:
        self._forms.update(text for text in texts if text)
        self._lowered = frozenset(map(str.lower, self._forms))
        self._ascii = all(map(str.isascii, self._forms))
        self._pattern = None

    def _may_hold_a_form(self, text: str) -> bool:
        # Compiling the pattern costs more than all the rest of a conversation, and hardly any server echoes a
        # secret. Within ASCII the pattern ignores case just as `lower` does. Beyond it does not: for it the long s
        # is an s and the Kelvin sign a k. So there the pattern alone is asked.
        if not (self._ascii and text.isascii()):
            return bool(self._forms)
        lowered = text.lower()
        return any(form in lowered for form in self._lowered)

    def _redacted(self, text: str) -> str:
        if self._pattern is None:
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
        return self._pattern.sub(REDACTED, text)


class Transcript:
    """Collect the lines of one probe; times are milliseconds since it began."""

    def __init__(self, redactor: Redactor, clock: Clock, tell: Callable[[str], str] = told_line) -> None:
        self._redactor = redactor
        self._tell = tell
        self._clock = clock
        self._begin = clock()
        self._lines: list[TranscriptLine] = []
        self._total = 0
        self._full = False
        self.stage = StageName.RESOLVE

    def sent(self, text: str) -> None:
        """Note a command of ours; the caller leaves credentials out."""
        self._add(Direction.SENT, text)

    def received(self, text: str) -> None:
        """Note a line of the server; after a sign-in began only what may be told of it."""
        if self._full:
            return
        if self._redactor.withholding:
            # What is known to be secret goes first, so that no phrase is found within the password itself.
            text = self._tell(self._redactor.clean(text))
        self._add(Direction.RECEIVED, text)

    def lines(self) -> tuple[TranscriptLine, ...]:
        """Return what was said, cleaned with everything that is known to be secret by now."""
        return tuple(self._lines)

    def _add(self, direction: Direction, text: str) -> None:
        if self._full:
            return
        shown = self._redactor.clean(text)
        if len(self._lines) >= MAX_LINES or self._total + len(shown) > MAX_TOTAL:
            self._full = True
            direction, shown = Direction.NOTE, "The rest of the conversation is left out."
        self._total += len(shown)
        ms = int((self._clock() - self._begin) * 1000)
        self._lines.append(TranscriptLine(ms, direction, self.stage, shown))


def _forms(username: str, password: str) -> Iterator[str]:
    raw = password.encode("utf-8", "surrogatepass")
    plain = b"\0".join((b"", username.encode("utf-8", "surrogatepass"), raw))
    yield password
    yield password.replace("\\", "\\\\").replace('"', '\\"')
    yield html.escape(password)
    yield urllib.parse.quote(raw, safe="")
    yield urllib.parse.quote_plus(raw)
    yield raw.hex()
    yield hashlib.md5(raw, usedforsecurity=False).hexdigest()
    for encoding in ("latin-1", "utf-16-le"):
        # What such an echo looks like to somebody who reads it as UTF-8.
        with contextlib.suppress(UnicodeEncodeError):
            yield password.encode(encoding).decode("utf-8", "surrogateescape")
    for blob in (raw, plain, plain[1:]):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(blob).decode("ascii")
            yield encoded
            yield encoded.rstrip("=")
    yield from _fragments(raw)


def _fragments(raw: bytes) -> Iterator[str]:
    """Yield how the secret looks inside a longer base64 text: it depends only on its place modulo three."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw).decode("ascii")
        whole = encoded[(0, 2, 3)[offset] : (offset + len(raw)) * 8 // 6]
        if len(whole) >= _MIN_FRAGMENT:
            yield whole
