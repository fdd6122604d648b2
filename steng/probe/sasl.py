"""Signing in: which mechanism, and what is sent. Pure functions (RFC 4954, 4616, 2195, 3501, 5034, 1939).

Besides SASL, IMAP and POP3 have commands of their own that take a password: LOGIN, USER with PASS, APOP. Which is
taken follows from the table `WAYS` and from what the server offers; there is one attempt.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from aiosmtplib.auth import auth_crammd5_verify, auth_login_encode, auth_plain_encode

from steng.probe.failure import ProbeFailure
from steng.text import brief
from steng.wire import Login, Mechanism, Protocol

NAMES = {Mechanism.PLAIN: "PLAIN", Mechanism.LOGIN: "LOGIN", Mechanism.CRAM_MD5: "CRAM-MD5"}
COMMANDS = {Mechanism.LOGIN: "LOGIN command", Mechanism.USER_PASS: "USER/PASS", Mechanism.APOP: "APOP"}
"""Names of the mechanisms of SASL, and of the protocols' own commands, as people read them."""

_MECHANISMS = {name: mechanism for mechanism, name in NAMES.items()}
_HIDES_PASSWORD = frozenset({Mechanism.CRAM_MD5, Mechanism.APOP})

MAX_SMTP = 510
MAX_POP3 = 253
MAX_IMAP = 8_000
"""Bytes of a command line without its end; a longer answer waits until it is asked for.

RFC 5321 section 4.5.3.1.4; RFC 2449 section 4, which RFC 5034 section 4 insists on; RFC 7162 section 4.
"""

MAX_NAME = 40
MAX_NAMES = 20
"""Characters of a mechanism's name, and names, that are shown: a server may offer thousands."""

Show = Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class Choice:
    """The one way of the one attempt: a mechanism of SASL, or a `command` of the protocol itself."""

    mechanism: Mechanism
    command: bool = False

    @property
    def name(self) -> str:
        """Return its name: of SASL as on the wire, of a command as people call it."""
        return COMMANDS[self.mechanism] if self.command else NAMES[self.mechanism]

    @property
    def clear_password(self) -> bool:
        """Tell whether the password itself goes over the wire."""
        return self.mechanism not in _HIDES_PASSWORD


_PLAIN, _LOGIN, _CRAM_MD5 = (Choice(mechanism) for mechanism in NAMES)
_LOGIN_COMMAND, _USER_PASS, _APOP = (Choice(mechanism, command=True) for mechanism in COMMANDS)


@dataclass(frozen=True, slots=True)
class Ways:
    """What AUTO tries, best first, under TLS and in clear text; the first that is offered is the only one used."""

    encrypted: tuple[Choice, ...]
    clear: tuple[Choice, ...]


WAYS = MappingProxyType(
    {
        Protocol.SMTP: Ways((_PLAIN, _LOGIN, _CRAM_MD5), (_CRAM_MD5,)),
        # The LOGIN command is a part of IMAP itself, SASL LOGIN an expired draft: so it comes first.
        Protocol.IMAP: Ways((_PLAIN, _LOGIN_COMMAND, _LOGIN, _CRAM_MD5), (_CRAM_MD5,)),
        Protocol.POP3: Ways((_PLAIN, _USER_PASS, _LOGIN, _CRAM_MD5, _APOP), (_APOP,)),
    }
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server takes: names of SASL, commands of its own, and whether it says that TLS must come first."""

    protocol: Protocol
    names: Sequence[str]
    commands: Collection[Mechanism] = ()
    clear_refused: bool = False
    starttls: bool = False

    def has(self, choice: Choice) -> bool:
        """Tell whether the server offers this way."""
        if choice.command:
            return choice.mechanism in self.commands
        return any(_MECHANISMS.get(name.upper()) is choice.mechanism for name in self.names)

    def shown(self, show: Show = brief) -> list[str]:
        """Return the first names of what is offered, as `show` makes them fit to be shown: the server wrote them."""
        own = [COMMANDS[mechanism] for mechanism in COMMANDS if mechanism in self.commands]
        return [*own, *(brief(show(name, MAX_NAME), MAX_NAME) for name in islice(self.names, MAX_NAMES - len(own)))]


def choose(wanted: Mechanism, offer: Offer, *, encrypted: bool, show: Show = brief) -> Choice:
    """Return the way to sign in, by what the server offers.

    AUTO goes by `WAYS`. LOGIN by name is SASL LOGIN, for IMAP else the LOGIN command: to people both are "LOGIN".
    Raises ProbeFailure `mechanism_not_offered`, `clear_text_login_disabled`.
    """
    ways = WAYS[offer.protocol]
    for choice in _candidates(wanted, ways, encrypted=encrypted):
        if offer.has(choice):
            return choice
    shown = sorted(offer.shown(show))
    evidence: dict[str, object] = {"offered": shown, "wanted": wanted.value}
    possible = [choice for choice in ways.encrypted if offer.has(choice)]
    if not encrypted and _wants_tls(wanted, offer, possible):
        if offer.starttls:
            evidence["suggestion"] = {"connection_security": "STARTTLS"}
        raise ProbeFailure(
            "clear_text_login_disabled",
            "The server offers no such sign-in in clear text. No password was sent.",
            evidence=evidence,
        )
    if wanted is not Mechanism.AUTO and possible:
        evidence["suggestion"] = {"basic_mechanism": possible[0].mechanism.value}
    raise ProbeFailure(
        "mechanism_not_offered", _absent(wanted, offer, shown, possible, encrypted=encrypted), evidence=evidence
    )


def _candidates(wanted: Mechanism, ways: Ways, *, encrypted: bool) -> Sequence[Choice]:
    if wanted is Mechanism.AUTO:
        return ways.encrypted if encrypted else ways.clear
    named = [choice for choice in ways.encrypted if choice.mechanism is wanted]
    return sorted(named, key=lambda choice: choice.command)


def _wants_tls(wanted: Mechanism, offer: Offer, possible: Collection[Choice]) -> bool:
    """Tell whether a server that refuses a way in clear text would take it under TLS, as far as it says."""
    if offer.clear_refused:
        return wanted not in _HIDES_PASSWORD
    return not offer.names and not possible and offer.starttls


def initial_response(choice: Choice, login: Login, limit: int = MAX_SMTP) -> bytes | None:
    """Return what goes on the line of the command itself, None where the server has to speak first.

    `limit` is what is left of the line once the words before it are said.
    """
    if choice.mechanism is not Mechanism.PLAIN:
        return None
    blob = auth_plain_encode(login.username, login.password.reveal())
    return blob if len(blob) <= limit else None


def answer(choice: Choice, login: Login, turn: int, challenge: str) -> bytes | None:
    """Return the answer to challenge number `turn`, from 0, of a server that had no initial response.

    None where there is none: all was said, or a challenge of CRAM-MD5 is not base64.
    """
    password = login.password.reveal()
    if choice.mechanism is Mechanism.LOGIN:
        # What the prompts say is not standard; that user name and password come in this order is.
        return auth_login_encode(login.username, password)[turn] if turn < 2 else None
    if turn:
        return None
    if choice.mechanism is Mechanism.PLAIN:
        return auth_plain_encode(login.username, password)
    try:
        base64.b64decode(challenge, validate=True)
    except ValueError:
        return None
    return auth_crammd5_verify(login.username, password, challenge)


def _absent(
    wanted: Mechanism, offer: Offer, shown: Collection[str], possible: Collection[Choice], *, encrypted: bool
) -> str:
    listed = ", ".join(shown) if shown else "none"
    ways = WAYS[offer.protocol]
    if wanted is not Mechanism.AUTO:
        named = NAMES.get(wanted) or COMMANDS[wanted]
        why = " (its greeting has no timestamp)" if wanted is Mechanism.APOP else ""
        return f"The server does not offer {named}{why}; it offers: {listed}. No password was sent."
    if not encrypted and possible:
        only = ways.clear[0].name
        why = "; its greeting has no timestamp" if ways.clear[0] is _APOP else ""
        return (
            f"AUTO sends no password in clear text, so it uses {only} only, which the server does not offer{why}; "
            f"it offers: {listed}. No password was sent."
        )
    names = [choice.name for choice in ways.encrypted]
    return (
        f"The server offers none of {', '.join(names[:-1])} and {names[-1]}; it offers: {listed}. No password was sent."
    )
