"""The usual course of a test, seen from the server: which moments come, and which commands belong to each.

A command is told by its shape: what varies is left out, and of a credential only that there was one.
"""

import re
from collections.abc import Mapping, Sequence

from tests.lab.dialects import Moment
from tests.lab.facts import Protocol, Security

CREDENTIAL = "<credential>"

STAGES = {
    Moment.RESOLVE: "resolve",
    Moment.CONNECT: "connect",
    Moment.GREETING: "greeting",
    Moment.CAPABILITIES: "capabilities",
    Moment.STARTTLS: "starttls",
    Moment.TLS: "tls",
    Moment.CAPABILITIES_AGAIN: "capabilities",
    Moment.CHALLENGE: "auth",
    Moment.AUTH: "auth",
    Moment.SENDER: "sender",
    Moment.FOLDER: "folder",
    Moment.MESSAGE: "folder",
    Moment.QUIT: "quit",
}
"""The stage in which a deviation at a moment shows."""

_TALK = (Moment.GREETING, Moment.CAPABILITIES)
_OPENING = {
    Security.NONE: _TALK,
    Security.STARTTLS: (*_TALK, Moment.STARTTLS, Moment.TLS, Moment.CAPABILITIES_AGAIN),
    Security.SSL_TLS: (Moment.TLS, *_TALK),
}
_COMMANDS = {
    Protocol.SMTP: {
        Moment.CAPABILITIES: ("EHLO",),
        Moment.STARTTLS: ("STARTTLS",),
        Moment.SENDER: ("MAIL",),
        Moment.QUIT: ("QUIT",),
    },
    Protocol.IMAP: {
        Moment.CAPABILITIES: ("CAPABILITY",),
        Moment.STARTTLS: ("STARTTLS",),
        # Signing in may change what is offered. The rest goes out at once, EXAMINE last.
        Moment.FOLDER: ("CAPABILITY", "STATUS", "MYRIGHTS", "EXAMINE"),
        Moment.QUIT: ("LOGOUT",),
    },
    Protocol.POP3: {
        Moment.CAPABILITIES: ("CAPA",),
        Moment.STARTTLS: ("STLS",),
        Moment.FOLDER: ("STAT",),
        Moment.QUIT: ("QUIT",),
    },
}
_AFTER = {Protocol.SMTP: ("RSET",), Protocol.IMAP: ("FETCH",), Protocol.POP3: ("LIST", "UIDL", "TOP")}
"""What follows the sender or folder where all is well."""

_SIGN_IN = {
    # In clear text AUTO sends no password: CRAM-MD5, or APOP where there is that. Over TLS the simplest comes first.
    (Protocol.SMTP, False): ("AUTH CRAM-MD5", CREDENTIAL),
    (Protocol.SMTP, True): (f"AUTH PLAIN {CREDENTIAL}",),
    (Protocol.IMAP, False): ("AUTHENTICATE CRAM-MD5", CREDENTIAL),
    (Protocol.IMAP, True): ("AUTHENTICATE PLAIN", CREDENTIAL),
    (Protocol.POP3, False): (f"APOP {CREDENTIAL}",),
    (Protocol.POP3, True): (f"AUTH PLAIN {CREDENTIAL}",),
}


def moments(protocol: Protocol, security: Security) -> tuple[Moment, ...]:
    """Return the moments of a test that goes well, in their order."""
    last = Moment.SENDER if protocol is Protocol.SMTP else Moment.FOLDER
    return (Moment.RESOLVE, Moment.CONNECT, *_OPENING[security], Moment.AUTH, last, Moment.QUIT)


def commands(moment: Moment, protocol: Protocol, security: Security) -> tuple[str, ...]:
    """Return what is heard at one moment."""
    if moment is Moment.AUTH:
        return _SIGN_IN[protocol, security is not Security.NONE]
    if moment is Moment.CAPABILITIES_AGAIN:
        moment = Moment.CAPABILITIES
    return _COMMANDS[protocol].get(moment, ())


def until(
    moment: Moment,
    protocol: Protocol,
    security: Security,
    unusual: Mapping[Moment, Sequence[str] | None] | None = None,
) -> tuple[str, ...]:
    """Return what was heard when the server is about to speak at `moment`.

    `unusual` has the commands of moments where they are not the usual ones, under `OTHER` the last before the goodbye.
    """
    unusual = unusual or {}
    last = unusual.get(Moment.OTHER)
    heard: list[str] = []
    for each in moments(protocol, security):
        here = unusual.get(each)
        if each is Moment.QUIT:
            heard += _AFTER[protocol] if last is None else last
        heard += commands(each, protocol, security) if here is None else here
        if each is moment:
            break
    return tuple(heard)


_RECORD = re.compile(rb"[\x14-\x17]\x03[\x00-\x04]")
_SHAPES = {
    Protocol.SMTP: re.compile(r"(EHLO|STARTTLS|MAIL|RSET|QUIT)\b.*|(AUTH [\w-]+)(?: (\S+))?|(\S+)"),
    Protocol.IMAP: re.compile(
        r"\S+ (CAPABILITY|STARTTLS|EXAMINE|FETCH|LIST|LOGOUT|MYRIGHTS|SEARCH|STATUS|UID FETCH|UID SEARCH)\b.*"
        r"|\S+ (AUTHENTICATE [\w-]+|LOGIN)(?: (.+))?|(\S+)"
    ),
    Protocol.POP3: re.compile(r"(CAPA|STLS|STAT|LIST|UIDL|TOP|QUIT)\b.*|(AUTH [\w-]+|USER|PASS|APOP)(?: (.+))?|(\S+)"),
}


def shapes(protocol: Protocol, received: bytes) -> tuple[str, ...]:
    """Return the shapes of the commands received; the records of a handshake are none."""
    record = _RECORD.search(received)
    lines = received[: record.start() if record else None].decode("utf-8", "replace").splitlines()
    return tuple(_shape(protocol, line) for line in lines)


def _shape(protocol: Protocol, line: str) -> str:
    if line == "*":
        return line
    found = _SHAPES[protocol].fullmatch(line)
    if found is None:
        return f"?{line}"
    command, sign_in, argument, _ = found.groups()
    if sign_in:
        return f"{sign_in} {CREDENTIAL}" if argument else str(sign_in)
    # A line of one word that is no command answers a challenge.
    return str(command) if command else CREDENTIAL
