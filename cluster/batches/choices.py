"""The enumerations of batches."""

from __future__ import annotations

from django.db import models


class Action(models.TextChoices):
    """What a batch does to each of its things."""

    ENABLE = "enable", "Enable"
    DISABLE = "disable", "Disable"
    TEST = "test", "Test"
    DELETE = "delete", "Delete"


class ItemState(models.TextChoices):
    """What became of one item. `running`: its test is on the way; the last four are final."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    SKIPPED = "skipped", "Skipped"


class BatchState(models.TextChoices):
    """Where a batch is; it follows from its columns and is not stored."""

    RUNNING = "running", "Running"
    CANCELLING = "cancelling", "Being cancelled"
    CANCELLED = "cancelled", "Cancelled"
    FINISHED = "finished", "Finished"


OPEN = (ItemState.WAITING, ItemState.RUNNING)


class Rank(models.IntegerChoices):
    """The place of an item in a list that shows first what needs attention; also how people count results."""

    FAILED = 0, "Failed"
    SKIPPED = 1, "Skipped"
    CANCELLED = 2, "Cancelled"
    WARNING = 3, "With a warning"
    RUNNING = 4, "Running"
    WAITING = 5, "Waiting"
    DONE = 6, "Done"
