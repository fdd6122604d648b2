"""The connection that reads a mailbox by IMAP or POP3."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from connections.choices import (
    Disposition,
    Kind,
    MailboxAuthentication,
    MailboxMechanism,
    OAuth2Mechanism,
    PullDisposition,
    StoreType,
)
from connections.models.connection import Connection
from connections.rules.required import INBOX
from core.fields import StrictCharField, StrictChoiceField

_DEFAULTS = {
    StoreType.IMAP.value: {
        "disposition": Disposition.KEEP.value,
        "pull_disposition": PullDisposition.GET_FIRST_UNREAD_MESSAGE.value,
    },
    StoreType.POP3.value: {
        "disposition": Disposition.DELETE.value,
        "pull_disposition": PullDisposition.GET_FIRST_MESSAGE.value,
    },
}


class MailboxConnection(Connection):
    """A connection that takes mail out of a mailbox, one message a poll."""

    KIND = Kind.MAILBOX.value

    store_type = StrictChoiceField(
        "Store type",
        choices=StoreType.choices,
        default=StoreType.IMAP,
        blank=True,
        help_text="IMAP knows folders and which messages are unread; POP3 has one folder and neither mark.",
    )
    authentication_type = StrictChoiceField(
        "Authentication type", choices=MailboxAuthentication.choices, default=MailboxAuthentication.BASIC, blank=True
    )
    basic_mechanism = StrictChoiceField(
        "Sign-in mechanism",
        choices=MailboxMechanism.choices,
        default=MailboxMechanism.AUTO,
        blank=True,
        help_text="Automatic takes exactly one that the server offers; in clear text CRAM-MD5 (POP3: APOP) only.",
    )
    oauth2_mechanism = StrictChoiceField(
        "OAuth2 mechanism", choices=OAuth2Mechanism.choices, default=OAuth2Mechanism.AUTO, blank=True
    )
    folder = StrictCharField(
        "Folder",
        max_length=1_000,
        default=INBOX,
        blank=True,
        help_text="The folder that is polled, in any script, with the server's own separator. POP3 has INBOX only.",
    )
    disposition = StrictChoiceField(
        "Disposition",
        choices=Disposition.choices,
        blank=True,
        default="",
        help_text="What becomes of a message that was taken. Usual: KEEP for IMAP, DELETE for POP3. A test does none.",
    )
    pull_disposition = StrictChoiceField(
        "Pull disposition",
        choices=PullDisposition.choices,
        blank=True,
        default="",
        help_text="Which message a poll takes; one poll takes one. A test names it without touching it.",
    )

    class Meta:
        verbose_name = "POP3/IMAP connection"
        constraints = (
            models.CheckConstraint(
                condition=Q(authentication_type__in=MailboxAuthentication.values), name="mailbox_authentication_type"
            ),
            models.CheckConstraint(condition=Q(store_type__in=StoreType.values), name="mailbox_store_type"),
            models.CheckConstraint(condition=Q(disposition__in=Disposition.values), name="mailbox_disposition"),
            models.CheckConstraint(
                condition=Q(pull_disposition__in=PullDisposition.values), name="mailbox_pull_disposition"
            ),
        )

    def fill_in(self) -> None:
        """Choose what suits the protocol where nothing was chosen."""
        self.folder = self.folder or INBOX
        for name, value in _DEFAULTS.get(self.store_type, {}).items():
            if getattr(self, name) == "":
                setattr(self, name, value)
