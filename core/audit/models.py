"""The table of the audit trail. Rows are added and never changed or removed: the database refuses it too.

The triggers stand in the migration that makes the table. On SQLite most alterations of a table rebuild it and
lose its triggers: a migration that alters this one has to make them again (a test looks for them).
"""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models

from core.audit.actors import Door
from core.audit.acts import ACTS

MAX_NAME = 300
DOORS = tuple(door.value for door in Door)


class AppendOnly(Exception):
    """Say that what was recorded stays as it is."""

    def __init__(self) -> None:
        super().__init__("What the audit trail holds is neither changed nor removed.")


class AuditEvents(models.QuerySet["AuditEvent"]):
    """Events, for reading."""

    def update(self, **_: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly

    def delete(self) -> NoReturn:
        """Refuse."""
        raise AppendOnly

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly


class AuditEvent(models.Model):
    """One act: who did it, when, where from, through which door, to what, and what differs since.

    User and object are kept by id and name, not as references: they may be gone when somebody asks.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(editable=False)
    act = models.CharField(max_length=40, editable=False)
    # The part of the act before the dot, stored so that an index serves it.
    act_group = models.CharField(max_length=20, editable=False)
    actor_id = models.BigIntegerField(null=True, editable=False)
    actor_name = models.CharField(max_length=150, editable=False)
    door = models.CharField(max_length=10, choices=[(door, door) for door in DOORS], editable=False)
    address = models.CharField(max_length=100, blank=True, editable=False)
    object_kind = models.CharField(max_length=30, editable=False)
    object_id = models.CharField(max_length=64, blank=True, editable=False)
    object_name = models.CharField(max_length=MAX_NAME, blank=True, editable=False)
    before = models.JSONField(null=True, editable=False)
    after = models.JSONField(null=True, editable=False)
    reason = models.TextField(blank=True, editable=False)
    extra = models.JSONField(default=dict, editable=False)

    objects = AuditEvents.as_manager()

    class Meta:
        ordering = ("-at", "-id")
        verbose_name = "audit event"
        # Each filter of the page in the order of the page, so that no filter sorts or counts a million rows.
        indexes = (
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["act_group", "-at", "-id"], name="audit_by_group"),
            models.Index(fields=["act", "-at", "-id"], name="audit_by_act"),
            models.Index(fields=["actor_name", "-at", "-id"], name="audit_by_actor"),
            models.Index(fields=["door", "-at", "-id"], name="audit_by_door"),
            models.Index(fields=["object_kind", "-at", "-id"], name="audit_by_kind"),
            models.Index(fields=["object_id", "-at", "-id"], name="audit_by_object"),
            models.Index(fields=["object_name", "-at", "-id"], name="audit_by_object_name"),
        )
        constraints = (models.CheckConstraint(condition=models.Q(door__in=DOORS), name="audit_door"),)

    def __str__(self) -> str:
        return f"{self.act} {self.object_name}"

    @property
    def sentence(self) -> str:
        """Return what happened, for people."""
        return ACTS.get(self.act, self.act)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the event; refuse to change one."""
        if not self._state.adding:
            raise AppendOnly
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly
