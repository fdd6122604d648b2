"""What a refused sign-in means: from reply codes, response codes and words to a code. Pure functions."""

from __future__ import annotations

import re

from steng.probe.answers import Answer
from steng.probe.replies import enhanced_status
from steng.wire import Protocol

_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"too many|rate.?limit|throttl|too frequent|slow down", re.IGNORECASE), "rate_limited"),
    (re.compile(r"app(lication)?[- ]?(specific[- ]?)?password", re.IGNORECASE), "app_password_required"),
    (
        re.compile(
            r"5\.7\.139|clientauthentication is disabled|(basic|legacy|smtp|imap|pop3?) (auth\w*|access) (is|has been)"
            r" (disabled|not enabled)|disabled for (the|this) (tenant|mailbox)|by policy|web browser|security defaults"
            r"|not enabled for (imap|pop)",
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

_CODES = {
    # RFC 5530 section 3
    "UNAVAILABLE": "auth_temporarily_unavailable",
    "AUTHENTICATIONFAILED": "credentials_refused",
    "AUTHORIZATIONFAILED": "auth_disabled_by_policy",
    "EXPIRED": "password_expired",
    "PRIVACYREQUIRED": "clear_text_login_disabled",
    "CONTACTADMIN": "auth_disabled_by_policy",
    "INUSE": "mailbox_in_use",
    "LIMIT": "rate_limited",
    # RFC 2449 section 8.1, RFC 3206 section 4
    "IN-USE": "mailbox_in_use",
    "LOGIN-DELAY": "rate_limited",
    "AUTH": "credentials_refused",
    "SYS/TEMP": "auth_temporarily_unavailable",
    "SYS/PERM": "auth_failed",
}
_VAGUE = frozenset({"", "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "CONTACTADMIN", "AUTH", "ALERT", "SYS/PERM"})
"""Codes that say less than the words beside them may."""

_IN_USE = re.compile(
    r"already (locked|in use|open)|maildrop.{0,30}(lock|in use|busy)|lock busy|another.{0,20}session", re.IGNORECASE
)
_NEEDS_TLS = re.compile(
    r"plain ?text auth\w*.{0,20}(disallowed|not allowed|disabled)"
    r"|(ssl|tls|encryption|secure connection)\W+(is )?required|must (use|issue|start|enable).{0,30}(ssl|tls|stls)",
    re.IGNORECASE,
)
_FOR_NOW = re.compile(
    r"temporar(y|ily)|try again|try later|not available|unavailable|internal (server )?error", re.IGNORECASE
)
_UNKNOWN = re.compile(
    r"(unsupported|unknown|unrecogni[sz]ed|invalid).{0,30}mechanism|mechanism.{0,20}not", re.IGNORECASE
)


def of_smtp(code: int, text: str, *, encrypted: bool) -> str:
    """Return the code of the catalogue for an SMTP reply that refused a login."""
    if code in {530, 538} and not encrypted:
        return "clear_text_login_disabled"
    if code == 534 and enhanced_status(text) == "5.7.9" and "mechanism" not in text.lower():
        return "app_password_required"
    told = _told(text)
    if told is not None:
        return told
    if code in _NUMBERS:
        return _NUMBERS[code]
    return "auth_temporarily_unavailable" if 400 <= code < 500 and code != 432 else "auth_failed"


def of_mailbox(answer: Answer, protocol: Protocol, *, encrypted: bool) -> str:
    """Return the code of the catalogue for an answer of IMAP or POP3 that refused a login.

    A refusal without a reason is one of user name or password: RFC 3501 sections 6.2.2, 6.2.3 and RFC 1939 section 7
    give it no other meaning. What IMAP answers with BAD was not understood, so no password was judged.
    """
    coded, text = _CODES.get(answer.code), answer.text
    if coded is not None and answer.code not in _VAGUE:
        return "auth_failed" if encrypted and coded == "clear_text_login_disabled" else coded
    rules = (
        (protocol is Protocol.POP3 and _IN_USE.search(text), "mailbox_in_use"),
        (not encrypted and _NEEDS_TLS.search(text), "clear_text_login_disabled"),
        (told := _told(text), told),
        (coded, coded),
        (_UNKNOWN.search(text), "mechanism_not_offered"),
        (_FOR_NOW.search(text), "auth_temporarily_unavailable"),
        (answer.status == "BAD", "auth_failed"),
        (answer.status == "BYE", "closed"),
    )
    return next((code for applies, code in rules if applies and code), "credentials_refused")


def _told(text: str) -> str | None:
    return next((meaning for words, meaning in _WORDS if words.search(text)), None)
