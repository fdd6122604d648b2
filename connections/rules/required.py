"""What some values make mandatory, and what they cannot have."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from connections.choices import (
    POP3_ONLY_MECHANISMS,
    Authentication,
    Disposition,
    Kind,
    MailboxMechanism,
    PullDisposition,
    Selection,
    StoreType,
)
from core.rules import IsSet, Problem, Values, not_available, required

INBOX = "INBOX"

_WITHOUT_MARK = {
    PullDisposition.GET_FIRST_UNREAD_MESSAGE.value: PullDisposition.GET_FIRST_MESSAGE.value,
    PullDisposition.GET_LAST_UNREAD_MESSAGE.value: PullDisposition.GET_LAST_MESSAGE.value,
}
"""The choices that need a mark that POP3 does not have, each with the one that comes nearest."""


def missing(values: Values, is_set: IsSet) -> Iterator[Problem]:
    """Yield `required` for what these values make mandatory."""
    if values.get("ssl_protocol_mode") == Selection.SPECIFIC and not values.get("ssl_protocols"):
        yield required("ssl_protocols", "Choose at least one version, or ALL.")
    if values.get("cipher_suite_mode") == Selection.SPECIFIC and not values.get("cipher_suites"):
        yield required("cipher_suites", "Choose at least one cipher suite, or ALL.")
    sign_in = _SIGN_IN.get(values.get("authentication_type", ""))
    if sign_in is not None:
        yield from sign_in(values, is_set)


def unavailable(values: Values) -> Iterator[Problem]:
    """Yield `not_available` for values that exist but not together."""
    if values.get("kind") != Kind.MAILBOX:
        return
    if values.get("store_type") != StoreType.POP3:
        if values.get("basic_mechanism") in POP3_ONLY_MECHANISMS:
            yield not_available(
                "basic_mechanism", "USER/PASS and APOP exist in POP3 only.", MailboxMechanism.AUTO.value
            )
        return
    if str(values.get("folder") or INBOX).upper() != INBOX:
        yield not_available("folder", "POP3 has one folder only, INBOX; other folders need IMAP.", INBOX)
    if values.get("disposition") == Disposition.SEEN:
        yield not_available("disposition", "POP3 cannot mark a message as read; only IMAP can.", Disposition.KEEP.value)
    instead = _WITHOUT_MARK.get(values.get("pull_disposition", ""))
    if instead is not None:
        yield not_available("pull_disposition", "POP3 does not know what is unread; only IMAP does.", instead)


def _basic(values: Values, is_set: IsSet) -> Iterator[Problem]:
    if values.get("credential"):
        return
    username, password = bool(values.get("username")), is_set("password")
    if values.get("kind") == Kind.MAILBOX:
        if not username:
            yield required("username", "A mailbox needs a user name, or a credential that brings one.")
        if not password:
            yield required("password", "A mailbox needs a password, or a credential that brings one.")
        return
    if username and not password:
        yield required("password", "A user name needs its password; leave both empty to send without a sign-in.")
    if password and not username:
        yield required("username", "A password needs its user name; leave both empty to send without a sign-in.")


def _oauth2(values: Values, _: IsSet) -> Iterator[Problem]:
    if not values.get("credential"):
        yield required("credential", "OAuth2 needs a credential.")
    if not values.get("username"):
        yield required("username", "OAuth2 needs the mailbox as user name.")


def _pop(values: Values, is_set: IsSet) -> Iterator[Problem]:
    for name in ("pop_host", "pop_port", "pop_security", "pop_username"):
        if values.get(name) in (None, ""):
            yield required(name, "POP before SMTP needs this field.")
    if not is_set("pop_password"):
        yield required("pop_password", "POP before SMTP needs a password.")


_SIGN_IN: dict[str, Callable[[Values, IsSet], Iterator[Problem]]] = {
    Authentication.BASIC.value: _basic,
    Authentication.OAUTH2_CLIENT_CREDENTIAL.value: _oauth2,
    Authentication.POP_BEFORE_SMTP.value: _pop,
}
