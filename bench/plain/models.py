"""Connections without anything of ours: plain fields, a plain row for the last test."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models


class LastTest(models.Model):
    """What the latest test of a connection said."""

    objects: ClassVar[models.Manager[LastTest]] = models.Manager()

    job = models.UUIDField(null=True)
    state = models.CharField(max_length=10)
    verdict = models.CharField(max_length=10)
    failed_stage = models.CharField(max_length=20, blank=True)
    code = models.CharField(max_length=60, blank=True)
    finished = models.DateTimeField(null=True)
    duration_ms = models.FloatField(null=True)

    class Meta:
        app_label = "plain"

    def __str__(self) -> str:
        return self.verdict


class Connection(models.Model):
    """What a list shows of a connection."""

    objects: ClassVar[models.Manager[Connection]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=128, unique=True)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=10, db_index=True)
    host = models.CharField(max_length=253, db_index=True)
    port = models.PositiveIntegerField()
    connection_security = models.CharField(max_length=10)
    username = models.CharField(max_length=320)
    tags = models.JSONField(default=list)
    partner = models.CharField(max_length=128, blank=True)
    updated = models.DateTimeField()
    last_test = models.OneToOneField(LastTest, on_delete=models.PROTECT)

    class Meta:
        app_label = "plain"

    def __str__(self) -> str:
        return self.name
