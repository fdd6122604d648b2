"""The connection that sends mail."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from connections import validators
from connections.choices import Authentication, BasicMechanism, Kind, OAuth2Mechanism, Security
from connections.models.connection import Connection
from core.fields import StrictBooleanField, StrictCharField, StrictChoiceField, StrictIntegerField
from core.secret_values import MAX_SECRET


class SmtpConnection(Connection):
    """A connection that sends mail."""

    KIND = Kind.SMTP.value
    SECRETS = {"password": MAX_SECRET, "pop_password": MAX_SECRET}
    REFERENCES = ("credential", "client_key_label", "sign_key_alias", "cluster", "steng")

    authentication_type = StrictChoiceField(
        "Authentication type", choices=Authentication.choices, default=Authentication.BASIC, blank=True
    )
    basic_mechanism = StrictChoiceField(
        "Sign-in mechanism",
        choices=BasicMechanism.choices,
        default=BasicMechanism.AUTO,
        blank=True,
        help_text="Automatic takes exactly one that the server offers; in clear text CRAM-MD5 only.",
    )
    oauth2_mechanism = StrictChoiceField(
        "OAuth2 mechanism", choices=OAuth2Mechanism.choices, default=OAuth2Mechanism.AUTO, blank=True
    )
    pop_host = StrictCharField(
        "POP3 server", max_length=253, blank=True, default="", validators=[validators.validate_host]
    )
    pop_port = StrictIntegerField("POP3 port", minimum=1, maximum=65_535, null=True, blank=True)
    pop_security = StrictChoiceField("POP3 security", choices=Security.choices, blank=True, default="")
    pop_username = StrictCharField("POP3 username", max_length=320, blank=True, default="")
    pop_password_sealed = models.TextField(blank=True, default="", editable=False)
    pop_password_changed_at = models.DateTimeField(null=True, editable=False)
    pop_use_apop = StrictBooleanField(
        "Use APOP", default=True, blank=True, help_text="Sign in to POP3 without sending the password itself."
    )
    pop_interval_ms = StrictIntegerField(
        "Interval after POP3",
        maximum=600_000,
        default=5,
        blank=True,
        help_text="Milliseconds to wait between the POP3 sign-in and SMTP.",
    )
    sender_address = StrictCharField(
        "Sender address",
        max_length=320,
        blank=True,
        default="",
        validators=[validators.validate_mailbox_address],
        help_text="Envelope sender and From of the mails that are sent. A test asks the server whether it accepts it.",
    )
    helo_name = StrictCharField(
        "HELO name",
        max_length=255,
        blank=True,
        default="",
        validators=[validators.validate_helo_name],
        help_text="The name this side gives in EHLO. Empty: the STENG's own host name.",
    )
    use_html_body = StrictBooleanField(
        "Use HTML body", default=False, blank=True, help_text="Mails are sent as HTML instead of plain text."
    )

    class Meta:
        verbose_name = "SMTP connection"
        constraints = (
            models.CheckConstraint(
                condition=Q(authentication_type__in=Authentication.values), name="smtp_authentication_type"
            ),
        )
