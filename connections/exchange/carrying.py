"""A file on its way from the page that shows its plan to the button that applies it.

The page carries the file itself, so that nothing has to be stored for who never presses the button, and what is
applied is what was shown. It may hold passwords, and a page is kept by browsers and proxies: so it is sealed by the
vault, for this user and for an hour, and no more readable in the page than a stored password is in the database.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connections.exchange.document import MAX_BYTES, Format
from core.errors import Refused
from credentials import vault

MAX_CARRIED = 2_000_000
"""Characters that a page carries: what is posted back has to fit into the largest body that is accepted."""

_FOR = timedelta(hours=1)
_FIELD = "definitions"
_KEPT = re.compile(
    r'"?(?:pop_)?password"?\s*:\s*\{\s*"?is_set"?\s*:\s*(?:true|false)\s*\}|(?:pop_)?password\.(?:is_set|env|file)',
    re.IGNORECASE,
)
_SECRET = re.compile(r"passw|pwd|passphrase|kennwort|\bsecret\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Carried:
    """A file with what was said about it."""

    data: bytes = field(repr=False)
    format: Format | None
    system: str | None


def pack(file: Carried, user_id: int, now: datetime) -> str:
    """Return a file as a page carries it; raise Refused `too_large` for one that a page cannot carry."""
    head = {"until": (now + _FOR).timestamp(), "format": file.format, "system": file.system}
    content = base64.b64encode(zlib.compress(file.data)).decode()
    sealed = vault.seal(f"{json.dumps(head)}\n{content}", user_id, _FIELD)
    if len(sealed) > MAX_CARRIED:
        raise Refused("too_large", "This file is too large for the page: use the command line or the API.")
    return sealed


def unpack(text: str, user_id: int, now: datetime) -> Carried:
    """Return the file that a page carried; raise Refused `conflict` where it is too old, or not this user's."""
    try:
        head, _, content = vault.open_(text, user_id, _FIELD).reveal().partition("\n")
        said = json.loads(head)
        data = zlib.decompressobj().decompress(base64.b64decode(content), MAX_BYTES + 1)
    except (vault.SecretUnreadable, binascii.Error, ValueError, zlib.error):
        raise Refused("conflict", "This page was not made for you, or is damaged. Send the file again.") from None
    if said["until"] < now.timestamp():
        raise Refused("conflict", "This page was open for too long. Send the file again.")
    return Carried(data, Format(said["format"]) if said["format"] else None, said["system"])


def may_be_shown(text: str) -> bool:
    """Tell whether a text can be shown in a page again: not where a password may stand in it.

    What says only that a password is kept, as an export does, is none. When in doubt it is not shown.
    """
    return _SECRET.search(_KEPT.sub("", text)) is None
