"""The enumerations of clusters, STENGs and jobs."""

from __future__ import annotations

from django.db import models


class JobKind(models.TextChoices):
    """What a job is for."""

    CONFIGURATION_TEST = "configuration_test", "Configuration test"
    FOLDER_LIST = "folder_list", "Folder list"


class Lane(models.TextChoices):
    """Who waits for a job: a person, or a list. A click never queues behind a bulk test."""

    INTERACTIVE = "interactive", "Interactive"
    BULK = "bulk", "Bulk"


class JobState(models.TextChoices):
    """Where a job is; the arrows between them are in `states`."""

    QUEUED = "queued", "Waiting"
    DISPATCHED = "dispatched", "Handed over"
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"
    TIMED_OUT = "timed_out", "Timed out"
    LOST = "lost", "Lost"
    FAILED = "failed", "Not run"


class Verdict(models.TextChoices):
    """What a finished test says of a connection."""

    SUCCESS = "success", "Success"
    WARNING = "warning", "Warning"
    FAILURE = "failure", "Failure"


class StengState(models.TextChoices):
    """What was observed of a STENG; the admin's wish is another column."""

    UNKNOWN = "unknown", "Never seen"
    ONLINE = "online", "Online"
    DRAINING = "draining", "Draining"
    OFFLINE = "offline", "Offline"
