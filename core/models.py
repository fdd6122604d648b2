"""Users, their tokens, and what is remembered to answer a repeated or a hostile request."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from core.acts import ACTS, codename_of
from core.audit.models import AuditEvent
from core.choices import Scope

__all__ = ["ApiToken", "AuditEvent", "IdempotencyRecord", "LogInAttempt", "Right", "Scope", "User"]


class User(AbstractUser):
    """A person, or a script, that uses the console."""

    must_change_password = models.BooleanField(
        "must change the password",
        default=False,
        help_text="Pages lead to the change of the password until it is done.",
    )
    # No column: how far the token goes by which this user was found. Who logged in goes all the way.
    token_scope = Scope.FULL


class Right(models.Model):  # noqa: DJ008  there are no rows to be shown
    """The acts as permissions of one model that has no table: `core.acts.ACTS` is their only declaration."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [(codename_of(name), f"May {act.phrase}") for name, act in ACTS.items()]


class ApiToken(models.Model):
    """A token for scripts; only its digest is kept, so that a copy of the database opens nothing."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=128, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the token, hex.")
    prefix = models.CharField(
        max_length=12, editable=False, help_text="How the token begins, to tell one from another."
    )
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.FULL)
    expires = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("user_id", "created")
        constraints = (models.CheckConstraint(condition=Q(scope__in=Scope.values), name="token_scope"),)

    def __str__(self) -> str:
        return f"{self.prefix}…"


class IdempotencyRecord(models.Model):
    """The answer to a POST with an `Idempotency-Key`, kept to be given again; no answer of ours holds a secret."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    # HMAC of method, address and body: a body may hold a password, which a bare digest would let somebody guess.
    request_digest = models.CharField(max_length=64)
    # Null while the first request is at work.
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    created = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "key"], name="idempotency_user_key"),)

    def __str__(self) -> str:
        return self.key


class LogInAttempt(models.Model):
    """A try to log in that has not succeeded (yet); who and whence are kept as an HMAC only."""

    digest = models.CharField(max_length=64)
    moment = models.DateTimeField(db_index=True)

    class Meta:
        indexes = (models.Index(fields=["digest", "moment"]),)

    def __str__(self) -> str:
        return f"{self.moment:%Y-%m-%d %H:%M:%S}"
