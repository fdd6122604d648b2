"""What this app keeps: credentials with their sealed secrets, and one sealed text that tells whose keys we have.

Limits, choices and help texts stand here, on the fields; rules of one value in `validators` and `destinations`,
rules between fields in `rules`. `clean()` runs the latter, so every door that goes through `full_clean()` gives the
same codes. Only `services` writes.
"""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from core.errors import invalid
from core.fields import NameField, StrictCharField, StrictChoiceField, StrictDateField, StrictTextField
from core.rules import Problem
from core.secret_values import MAX_SECRET
from core.text import comparison_key
from credentials import rules, validators
from credentials.choices import ClientAuth, CredentialKind
from credentials.destinations import DestinationListField
from credentials.vault import register_sealed

SECRETS: dict[str, int] = {"password": MAX_SECRET, "client_secret": validators.MAX_CLIENT_SECRET}
"""The secrets of a credential, each with its greatest length."""


class VaultCheck(models.Model):
    """A known text, sealed when the database was made: who cannot open it holds another key."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    sealed = models.TextField(editable=False)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="vault_check_is_one"),)

    def __str__(self) -> str:
        return "the sealed check of the vault"


class Credential(models.Model):
    """A named secret that connections use instead of having one each."""

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

    def __str__(self) -> str:
        return str(self.name)

    def secret_is_set(self, name: str) -> bool:
        """Tell whether a secret is stored, or typed and about to be."""
        return bool(getattr(self, f"{name}_sealed", ""))

    def values(self) -> dict[str, Any]:
        """Return the values of the definition by name; secrets are not among them."""
        return {name: getattr(self, name) for name in self.definition_fields()}

    @classmethod
    def definition_fields(cls) -> tuple[str, ...]:
        """Return the names of the plain fields that a person defines, in the order of the model."""
        return tuple(
            item.name
            for item in cls._meta.concrete_fields
            if item.editable and not item.is_relation and not item.primary_key
        )

    @classmethod
    def writable(cls) -> tuple[str, ...]:
        """Return every name that a door may write."""
        return (*cls.definition_fields(), *SECRETS)

    def clean(self) -> None:
        """Check the name against all others, and the rules between fields."""
        self.name_key = comparison_key(self.name)
        problems: dict[str, list[ValidationError]] = {}
        for problem in rules.missing(self.values(), self.secret_is_set):
            problems.setdefault(problem.field, []).append(invalid(problem.code, problem.detail, **problem.params))
        other = (
            Credential.objects.filter(name_key=self.name_key).exclude(pk=self.pk).values_list("pk", flat=True).first()
        )
        if self.name and other is not None:
            problems.setdefault("name", []).append(name_taken(other))
        if problems:
            raise ValidationError(problems)

    def advisories(self, today: date) -> list[Problem]:
        """Return what is allowed and yet worth knowing about this credential."""
        return rules.advisories(self.values(), self.secret_is_set, today)


def name_taken(other: uuid.UUID) -> ValidationError:
    """Return the error of a name that another credential has."""
    return invalid("not_unique", "Another credential has this name (case does not count).", other=str(other))


def register_secrets() -> None:
    """Tell the vault which columns hold what it sealed, so that a rotation of its key reaches them."""
    for name in SECRETS:
        register_sealed(Credential, f"{name}_sealed", name)
