"""What the vault keeps in the database: one sealed text that tells whether our keys are the right ones."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class VaultCheck(models.Model):
    """A known text, sealed when the database was made: who cannot open it holds another key."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    sealed = models.TextField(editable=False)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="vault_check_is_one"),)

    def __str__(self) -> str:
        return "the sealed check of the vault"
