"""What an IMAP or POP3 server says to a command, without I/O: status, response code, text.

IMAP (RFC 3501 section 7.1, RFC 5530) and POP3 (RFC 2449 section 8, RFC 3206) put a code for programs between
brackets in front of the text for people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CODED = re.compile(r"\[([^\]\[\s]{1,64})(?:\s++([^\]]*+))?\]\s?(.*)", re.DOTALL)

KNOWN_CODES = frozenset(
    {
        # RFC 3501, 5530, 4314, 4315, 5182, 7162
        *("ALERT", "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "BADCHARSET", "CANNOT", "CAPABILITY", "CLIENTBUG"),
        *("CLOSED", "CONTACTADMIN", "CORRUPTION", "EXPIRED", "HIGHESTMODSEQ", "INUSE", "LIMIT", "NOMODSEQ"),
        *("NONEXISTENT", "NOPERM", "OVERQUOTA", "PARSE", "PERMANENTFLAGS", "PRIVACYREQUIRED", "READ-ONLY"),
        *("READ-WRITE", "SERVERBUG", "TRYCREATE", "UIDNEXT", "UIDNOTSTICKY", "UIDVALIDITY", "UNAVAILABLE", "UNSEEN"),
        # RFC 2449, 3206
        *("AUTH", "IN-USE", "LOGIN-DELAY", "SYS/PERM", "SYS/TEMP"),
    }
)
"""Codes that may be shown after a password went out: a server that makes up its own could write anything there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: `status` is OK, NO, BAD, PREAUTH, BYE, or for POP3 +OK, -ERR; `code` is in upper case."""

    status: str
    code: str = ""
    arguments: str = ""
    text: str = ""

    @property
    def ok(self) -> bool:
        """Tell whether it is an agreement."""
        return self.status in {"OK", "+OK"}

    @property
    def known_code(self) -> str:
        """Return the code where it is one of the usual ones."""
        return self.code if self.code in KNOWN_CODES else ""


def parse(line: str) -> Answer:
    """Return what a line says that begins with a status."""
    status, _, rest = line.partition(" ")
    found = _CODED.match(rest)
    if found is None:
        return Answer(status.upper(), text=rest.strip())
    code, arguments, text = found.groups()
    return Answer(status.upper(), code.upper(), arguments or "", text.strip())
