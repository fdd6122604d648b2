"""What this app keeps: credentials with their sealed secrets, and one sealed text that tells whose keys we have.

Limits, choices and help texts stand here, on the fields; rules of one value in `validators` and `destinations`,
rules between fields in `rules`. `clean()` runs the latter, so every door that goes through `full_clean()` gives the
same codes. Only `services` writes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.definition_models import Definition
from core.fields import NameField, StrictCharField, StrictChoiceField, StrictDateField, StrictTextField
from core.rules import Problem
from core.secret_values import MAX_SECRET
from credentials import rules, validators
from credentials.choices import ClientAuth, CredentialKind
from credentials.destinations import DestinationListField
from credentials.vault import register_sealed


class VaultCheck(models.Model):
    """A known text, sealed when the database was made: who cannot open it holds another key."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    sealed = models.TextField(editable=False)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="vault_check_is_one"),)

    def __str__(self) -> str:
        return "the sealed check of the vault"


class Credential(Definition):
    """A named secret that connections use instead of having one each."""

    NOUN = "credential"
    SECRETS = {"password": MAX_SECRET, "client_secret": validators.MAX_CLIENT_SECRET}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = StrictChoiceField(
        "Kind", choices=CredentialKind.choices, help_text="It cannot be changed while a connection uses the credential."
    )
    name = NameField("Name")
    name_key = models.CharField(max_length=400, unique=True, editable=False)
    description = StrictTextField("Description", max_length=2_048, blank=True, default="")
    destinations = DestinationListField(
        "Destinations",
        blank=True,
        help_text=(
            "The servers that it may be used for, one a line: mail.example.org:587, *.example.org:993 (every host "
            "below), [2001:db8::25]:*. Empty: any server."
        ),
    )
    username = StrictCharField(
        "Username",
        max_length=320,
        blank=True,
        default="",
        help_text="Up to 320 characters. Many servers want the whole e-mail address.",
    )
    password_sealed = models.TextField(blank=True, default="", editable=False)
    password_changed_at = models.DateTimeField(null=True, editable=False)
    client_id = StrictCharField(
        "Client ID", max_length=512, blank=True, default="", help_text="As the provider registered it."
    )
    client_secret_sealed = models.TextField(blank=True, default="", editable=False)
    client_secret_changed_at = models.DateTimeField(null=True, editable=False)
    token_endpoint = StrictCharField(
        "Token endpoint",
        max_length=2_048,
        blank=True,
        default="",
        validators=[validators.validate_token_endpoint],
        help_text="The https address at which tokens are asked for.",
    )
    scope = StrictCharField(
        "Scope",
        max_length=1_024,
        blank=True,
        default="",
        help_text="What the token is asked for, separated by blanks, if the provider wants to be told.",
    )
    client_auth = StrictChoiceField(
        "Client authentication",
        choices=ClientAuth.choices,
        default=ClientAuth.POST,
        blank=True,
        help_text="How client ID and secret are sent to the token endpoint.",
    )
    secret_expires = StrictDateField(
        "Secret expires",
        null=True,
        blank=True,
        help_text="The day from which the provider refuses the client secret, such as 2027-01-31. It is a reminder.",
    )
    version = models.PositiveIntegerField(default=0, editable=False)
    field_versions = models.JSONField(default=dict, editable=False)
    created = models.DateTimeField(editable=False)
    updated = models.DateTimeField(editable=False)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )

    class Meta:
        ordering = ("name_key",)
        indexes = (models.Index(fields=["kind", "name_key"], name="credential_by_kind"),)
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=CredentialKind.values), name="credential_kind"),
            models.CheckConstraint(condition=Q(client_auth__in=ClientAuth.values), name="credential_client_auth"),
        )

    def broken_rules(self) -> Iterable[Problem]:
        """Return what the kind makes mandatory and is not there."""
        return rules.missing(self.values(), self.secret_is_set)

    def advisories(self, today: date) -> list[Problem]:
        """Return what is allowed and yet worth knowing about this credential."""
        return rules.advisories(self.values(), self.secret_is_set, today)


def register_secrets() -> None:
    """Tell the vault which columns hold what it sealed, so that a rotation of its key reaches them."""
    for name in Credential.SECRETS:
        register_sealed(Credential, f"{name}_sealed", name)
