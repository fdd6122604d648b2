"""The enumerations of a definition, written exactly as in the systems that people know."""

from __future__ import annotations

from django.db import models


class Kind(models.TextChoices):
    """What a connection reaches."""

    SMTP = "smtp", "SMTP"
    MAILBOX = "mailbox", "POP3/IMAP"


class Status(models.TextChoices):
    """The admin's wish; a disabled connection can be tested, real jobs refuse it."""

    ENABLED = "ENABLED", "Enabled"
    DISABLED = "DISABLED", "Disabled"


class Security(models.TextChoices):
    """How the conversation is protected; there is no fall-back from one to another."""

    STARTTLS = "STARTTLS", "STARTTLS"
    SSL_TLS = "SSL_TLS", "SSL/TLS"
    NONE = "NONE", "None (clear text)"


class Authentication(models.TextChoices):
    """How an SMTP connection signs in."""

    BASIC = "BASIC", "Basic (user name and password)"
    OAUTH2_CLIENT_CREDENTIAL = "OAUTH2_CLIENT_CREDENTIAL", "OAuth2 client credential"
    POP_BEFORE_SMTP = "POP_BEFORE_SMTP", "POP before SMTP"
    NONE = "NONE", "None"


class BasicMechanism(models.TextChoices):
    """The mechanism of a sign-in with user name and password; AUTO makes exactly one attempt."""

    AUTO = "AUTO", "Automatic"
    PLAIN = "PLAIN", "PLAIN"
    LOGIN = "LOGIN", "LOGIN"
    CRAM_MD5 = "CRAM_MD5", "CRAM-MD5"


class MailboxAuthentication(models.TextChoices):
    """How a mailbox connection signs in."""

    BASIC = Authentication.BASIC.value, Authentication.BASIC.label
    OAUTH2_CLIENT_CREDENTIAL = (
        Authentication.OAUTH2_CLIENT_CREDENTIAL.value,
        Authentication.OAUTH2_CLIENT_CREDENTIAL.label,
    )


class MailboxMechanism(models.TextChoices):
    """The mechanism of a mailbox's sign-in with user name and password; the last two exist in POP3 only."""

    AUTO = "AUTO", "Automatic"
    PLAIN = "PLAIN", "PLAIN"
    LOGIN = "LOGIN", "LOGIN"
    CRAM_MD5 = "CRAM_MD5", "CRAM-MD5"
    USER_PASS = "USER_PASS", "USER/PASS (POP3)"
    APOP = "APOP", "APOP (POP3)"


POP3_ONLY_MECHANISMS = frozenset({MailboxMechanism.USER_PASS.value, MailboxMechanism.APOP.value})


class StoreType(models.TextChoices):
    """The protocol by which a mailbox is read."""

    IMAP = "IMAP", "IMAP"
    POP3 = "POP3", "POP3"


class Disposition(models.TextChoices):
    """What becomes of a message after a poll took it."""

    KEEP = "KEEP", "Keep"
    SEEN = "SEEN", "Mark as read"
    DELETE = "DELETE", "Delete"


class PullDisposition(models.TextChoices):
    """Which message a poll takes; the first is the oldest."""

    GET_FIRST_MESSAGE = "GET_FIRST_MESSAGE", "First (oldest) message"
    GET_FIRST_UNREAD_MESSAGE = "GET_FIRST_UNREAD_MESSAGE", "First (oldest) unread message"
    GET_LAST_MESSAGE = "GET_LAST_MESSAGE", "Last (newest) message"
    GET_LAST_UNREAD_MESSAGE = "GET_LAST_UNREAD_MESSAGE", "Last (newest) unread message"


class OAuth2Mechanism(models.TextChoices):
    """The SASL mechanism that carries an OAuth2 token."""

    AUTO = "AUTO", "Automatic"
    XOAUTH2 = "XOAUTH2", "XOAUTH2"
    OAUTHBEARER = "OAUTHBEARER", "OAUTHBEARER"


class Selection(models.TextChoices):
    """Whether everything safe is allowed, or only what is named."""

    ALL = "ALL", "All"
    SPECIFIC = "SPECIFIC", "Only specific values"


class SslProtocol(models.TextChoices):
    """The versions of SSL and TLS that a definition may name, oldest last."""

    TLSV1_3 = "TLSv1_3", "TLSv1_3"
    TLSV1_2 = "TLSv1_2", "TLSv1_2"
    TLSV1_1 = "TLSv1_1", "TLSv1_1"
    TLSV1 = "TLSv1", "TLSv1"
    SSLV3 = "SSLv3", "SSLv3"
    SSLV2HELLO = "SSLv2Hello", "SSLv2Hello"
