"""Signing in: which mechanism, what is sent, what a refusal means. Pure functions (RFC 4954, 4616, 2195)."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import islice

from aiosmtplib.auth import auth_crammd5_verify, auth_login_encode, auth_plain_encode

from steng.probe.failure import ProbeFailure
from steng.probe.replies import enhanced_status
from steng.text import brief
from steng.wire import Login, Mechanism

NAMES = {Mechanism.PLAIN: "PLAIN", Mechanism.LOGIN: "LOGIN", Mechanism.CRAM_MD5: "CRAM-MD5"}
_MECHANISMS = {name: mechanism for mechanism, name in NAMES.items()}
_BEST_FIRST = tuple(NAMES)

MAX_COMMAND = 510
"""Bytes of a command line without its end (RFC 5321 section 4.5.3.1.4); a longer answer waits for a 334."""


MAX_NAME = 40
MAX_NAMES = 20
"""Characters of a mechanism's name, and names, that are shown: a server may offer thousands."""

Show = Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class Choice:
    """The one mechanism of the one attempt; `clear_password` where the password itself goes over the wire."""

    mechanism: Mechanism
    clear_password: bool

    @property
    def name(self) -> str:
        """Return its name on the wire."""
        return NAMES[self.mechanism]


def shown_names(offered: Collection[str], show: Show = brief) -> list[str]:
    """Return the first names that a server offers, as `show` makes them fit to be shown."""
    return [brief(show(name, MAX_NAME), MAX_NAME) for name in islice(offered, MAX_NAMES)]


def choose(
    wanted: Mechanism,
    offered: Collection[str],
    *,
    encrypted: bool,
    starttls_offered: bool = False,
    show: Show = brief,
) -> Choice:
    """Return the mechanism to use, by what the server offers.

    AUTO takes PLAIN, else LOGIN, else CRAM-MD5 over TLS, and CRAM-MD5 only in clear text.
    `show` cleans a name for evidence and detail: the server wrote it.
    Raises ProbeFailure `mechanism_not_offered`, `clear_text_login_disabled`.
    """
    known = [_MECHANISMS[name.upper()] for name in offered if name.upper() in _MECHANISMS]
    candidates = (wanted,) if wanted is not Mechanism.AUTO else _BEST_FIRST if encrypted else (Mechanism.CRAM_MD5,)
    for mechanism in candidates:
        if mechanism in known:
            return Choice(mechanism, mechanism is not Mechanism.CRAM_MD5)
    shown = sorted(shown_names(offered, show))
    evidence: dict[str, object] = {"offered": shown, "wanted": wanted.value}
    if not encrypted and not offered and starttls_offered:
        evidence["suggestion"] = {"connection_security": "STARTTLS"}
        raise ProbeFailure(
            "clear_text_login_disabled",
            "The server offers no sign-in in clear text. No password was sent.",
            evidence=evidence,
        )
    suggested = next((mechanism for mechanism in _BEST_FIRST if mechanism in known), None)
    if wanted is not Mechanism.AUTO and suggested is not None:
        evidence["suggestion"] = {"basic_mechanism": suggested.value}
    raise ProbeFailure("mechanism_not_offered", _absent(wanted, shown, known, encrypted=encrypted), evidence=evidence)


def initial_response(choice: Choice, login: Login) -> bytes | None:
    """Return what goes on the line of AUTH itself, None where the server has to speak first."""
    if choice.mechanism is not Mechanism.PLAIN:
        return None
    blob = auth_plain_encode(login.username, login.password.reveal())
    return blob if len(b"AUTH PLAIN ") + len(blob) <= MAX_COMMAND else None


def answer(choice: Choice, login: Login, turn: int, challenge: str) -> bytes | None:
    """Return the answer to the server's challenge (334) number `turn`, from 0.

    None where there is none: all was said, or a challenge of CRAM-MD5 is not base64.
    """
    password = login.password.reveal()
    if choice.mechanism is Mechanism.LOGIN:
        # What the prompts say is not standard; that user name and password come in this order is.
        return auth_login_encode(login.username, password)[turn] if turn < 2 else None
    if turn or initial_response(choice, login) is not None:
        return None
    if choice.mechanism is Mechanism.PLAIN:
        return auth_plain_encode(login.username, password)
    try:
        base64.b64decode(challenge, validate=True)
    except ValueError:
        return None
    return auth_crammd5_verify(login.username, password, challenge)


def _absent(wanted: Mechanism, shown: Collection[str], known: Collection[Mechanism], *, encrypted: bool) -> str:
    listed = ", ".join(shown) if shown else "none"
    if wanted is not Mechanism.AUTO:
        return f"The server does not offer {NAMES[wanted]}; it offers: {listed}. No password was sent."
    if not encrypted and known:
        return (
            "AUTO sends no password in clear text, so it uses CRAM-MD5 only, which the server does not offer; "
            f"it offers: {listed}. No password was sent."
        )
    return f"The server offers none of PLAIN, LOGIN and CRAM-MD5; it offers: {listed}. No password was sent."


# -- refusals ----------------------------------------------------------------

_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"too many|rate.?limit|throttl|too frequent|slow down", re.IGNORECASE), "rate_limited"),
    (re.compile(r"app(lication)?[- ]?(specific[- ]?)?password", re.IGNORECASE), "app_password_required"),
    (
        re.compile(
            r"5\.7\.139|clientauthentication is disabled|(basic|legacy|smtp) auth\w* (is|has been) disabled"
            r"|disabled for (the|this) (tenant|mailbox)|by policy|web browser|security defaults",
            re.IGNORECASE,
        ),
        "auth_disabled_by_policy",
    ),
    (
        re.compile(
            r"(account|user|mailbox)\b.{0,40}\b(locked|disabled|suspended|blocked|deactivated)|locked.?out",
            re.IGNORECASE,
        ),
        "account_locked",
    ),
)
"""What servers write, in the order in which it is looked for: the words say more than the number."""

_NUMBERS = {
    421: "rate_limited",
    454: "auth_temporarily_unavailable",
    534: "auth_disabled_by_policy",
    535: "credentials_refused",
    504: "mechanism_not_offered",
}


def refusal_of(code: int, text: str, *, encrypted: bool) -> str:
    """Return the code of the catalogue for a reply that refused a login."""
    if code in {530, 538} and not encrypted:
        return "clear_text_login_disabled"
    if code == 534 and enhanced_status(text) == "5.7.9" and "mechanism" not in text.lower():
        return "app_password_required"
    for words, meaning in _WORDS:
        if words.search(text):
            return meaning
    if code in _NUMBERS:
        return _NUMBERS[code]
    return "auth_temporarily_unavailable" if 400 <= code < 500 and code != 432 else "auth_failed"
