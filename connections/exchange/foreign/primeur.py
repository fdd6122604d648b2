"""The words of Primeur's client connections: Data One and Data Mover (SMTP, POP3/IMAP)."""

from __future__ import annotations

from connections.exchange.foreign.vocabulary import Vocabulary
from connections.exchange.foreign.words import Word, choice, ignored, number, selection, switch, text

_STATUS = {"Enabled": "ENABLED", "Disabled": "DISABLED"}
_TEST = "An act, not a value: press Test here."


def _same(*values: str) -> dict[str, str]:
    return {value: value for value in values}


_IDENTITY: tuple[Word, ...] = (
    text("NAME", "name"),
    text("DESCRIPTION", "description"),
    choice("STATUS", "status", _STATUS, default="Enabled"),
    text("HOST", "host"),
    number("PORT", "port"),
    text("USERNAME", "username"),
)
_SIGN_IN: tuple[Word, ...] = (
    choice(
        "AUTHENTICATION TYPE", "authentication_type", _same("BASIC", "OAUTH2_CLIENT_CREDENTIAL"), "as it is",
        default="BASIC",
    ),
    text("PASSWORD", "password", "a secret: see above"),
    text("SEARCH CREDENTIAL", "credential", "the name of a credential that exists here"),
)  # fmt: skip
_TLS: tuple[Word, ...] = (
    switch("MATCH SERVER HOSTNAME", "match_server_hostname", yes="Enabled", no="Disabled", default="Disabled"),
    text("CLIENT KEY LABEL", "client_key_label", "the label of a key that exists here"),
    selection(
        "SSL AUTHENTICATION PROTOCOL", "ssl_protocol_mode", "ssl_protocols",
        "ALL, or ONLY SPECIFIC VALUES with the versions (a list, or separated by commas); SSLv2Hello too",
        default="ALL",
    ),
    selection(
        "ACCEPTED CIPHER SUITES", "cipher_suite_mode", "cipher_suites",
        "ALL, or ONLY SPECIFIC VALUES with the suites, in their order", default="ALL",
    ),
)  # fmt: skip
_SECURITY = choice("CONNECTION SECURITY", "connection_security", _same("STARTTLS", "SSL_TLS", "NONE"), "as it is")
_RETRIES: tuple[Word, ...] = (
    number("MAX RETRIES", "max_retries", "empty = none"),
    number("RETRY INTERVAL", "retry_interval", "seconds, as there"),
    ignored("CONFIGURATION TEST", _TEST),
)

SMTP = Vocabulary(
    kind="smtp",
    title="Primeur SMTP",
    words=(
        *_IDENTITY,
        *_SIGN_IN,
        *_TLS,
        text("SIGN KEY ALIAS", "sign_key_alias", "the label of a key that exists here"),
        _SECURITY,
        *_RETRIES,
    ),
)

MAILBOX = Vocabulary(
    kind="mailbox",
    title="Primeur POP3 IMAP",
    words=(
        *_IDENTITY,
        *_SIGN_IN,
        *_TLS,
        choice("STORE TYPE", "store_type", _same("IMAP", "POP3"), "as it is", default="IMAP"),
        text("FOLDER", "folder", "the folder that is polled, on the server"),
        _SECURITY,
        choice("DISPOSITION", "disposition", _same("DELETE", "KEEP", "SEEN"), "as it is"),
        choice(
            "PULL DISPOSITION", "pull_disposition",
            _same("GET_FIRST_MESSAGE", "GET_FIRST_UNREAD_MESSAGE", "GET_LAST_MESSAGE", "GET_LAST_UNREAD_MESSAGE"),
            "as it is",
        ),
        *_RETRIES,
    ),
)  # fmt: skip

MAILBOX_ONLY = frozenset({"store type", "folder", "disposition", "pull disposition"})
"""The labels that only the form of a mailbox has; its FOLDER is mandatory."""
