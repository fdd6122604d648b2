"""Logins as a server checks them: SASL's PLAIN, LOGIN and CRAM-MD5 (RFC 4616, 2195), whatever carries the lines."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping

from tests.lab.dialects.wire import Refused
from tests.lab.recording import Login

Ask = Callable[[str], Awaitable[str]]
"""Send a challenge in base64 and return the line that answers it."""


async def check(mechanism: str, initial: str, users: Mapping[str, str], ask: Ask) -> Login | None:
    """Return the login that a client makes by `mechanism`, None where the mechanism is unknown.

    `initial` is what stood on the first line. Raises Refused where the client gives up or does not send base64.
    """

    async def challenge(text: str) -> str:
        answer = await ask(base64.b64encode(text.encode()).decode())
        if answer == "*":
            raise Refused("Authentication aborted")
        return _decoded(answer)

    match mechanism:
        case "PLAIN":
            message = _decoded(initial) if initial else await challenge("")
            # RFC 4616: authorization identity, NUL, authentication identity, NUL, password
            _, username, password = message.split("\0") if message.count("\0") == 2 else ("", "", "")
            return Login(mechanism, username, knows(users, username, password))
        case "LOGIN":
            username = _decoded(initial) if initial else await challenge("Username:")
            return Login(mechanism, username, knows(users, username, await challenge("Password:")))
        case "CRAM-MD5":
            stamp = timestamp()
            # RFC 2195: user name, blank, keyed MD5 digest; the user name itself may hold blanks.
            username, _, digest = (await challenge(stamp)).rpartition(" ")
            expected = hmac.new(users.get(username, "").encode(), stamp.encode(), "md5").hexdigest()
            return Login(mechanism, username, username in users and hmac.compare_digest(expected, digest))
    return None


def apop(users: Mapping[str, str], stamp: str, username: str, digest: str) -> Login:
    """Return the login that an APOP command makes (RFC 1939 section 7)."""
    expected = hashlib.md5((stamp + users.get(username, "")).encode(), usedforsecurity=False).hexdigest()
    return Login("APOP", username, username in users and hmac.compare_digest(expected, digest))


def knows(users: Mapping[str, str], username: str, password: str) -> bool:
    """Tell whether a password is right."""
    known = users.get(username)
    return known is not None and hmac.compare_digest(known.encode(), password.encode())


def timestamp() -> str:
    """Return a challenge that was never used before."""
    return f"<{time.monotonic_ns()}@mail.lab.test>"


def _decoded(text: str) -> str:
    try:
        return "" if text == "=" else base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except binascii.Error as error:
        raise Refused("Cannot decode the response") from error
