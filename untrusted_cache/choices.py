"""The enumerations of trust."""

from django.db import models


class Kind(models.TextChoices):
    """How a certificate is trusted: whatever it signs, or itself alone at one endpoint."""

    ANCHOR = "anchor", "anchor"
    PIN = "pin", "pin"


class Status(models.TextChoices):
    """What became of a certificate or of a presented chain. It is derived from decisions, never stored."""

    UNTRUSTED = "untrusted", "untrusted"
    TRUSTED = "trusted", "trusted"
    REJECTED = "rejected", "rejected"


class Role(models.TextChoices):
    """The place of a certificate in a chain."""

    LEAF = "leaf", "leaf"
    INTERMEDIATE = "intermediate", "intermediate"
    ROOT = "root", "root"
