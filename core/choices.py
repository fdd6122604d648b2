"""The closed lists of values that users and tokens choose from."""

from __future__ import annotations

from django.db import models


class Scope(models.TextChoices):
    """How much of what its user may do a token may do."""

    READ = "read", "read"
    TEST = "test", "read and run tests"
    FULL = "full", "all that the user may do"
