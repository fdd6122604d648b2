"""A batch and its items: one row for what was asked for, one for each thing it is done to."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from cluster.batches.choices import OPEN, Action, BatchState, ItemState, Rank
from cluster.choices import Verdict
from core.audit import Actor, Door
from core.fields import StrictTextField


class Batch(models.Model):
    """One act on many things of a kind, asked for by one person.

    `requested_as` and `cancelled_as` are the actors of the audit trail as they were bound then: what the
    dispatcher does for somebody is recorded as theirs. `counts` is filled in at the end; until then the items
    are counted.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20)
    action = models.CharField(max_length=10, choices=Action.choices)
    options = models.JSONField(default=dict, blank=True)
    reason = StrictTextField("Reason", max_length=2_048, blank=True, default="")
    total = models.PositiveIntegerField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_as = models.JSONField()
    created = models.DateTimeField()
    cancelled_as = models.JSONField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = "bulk run"
        ordering = ("-created", "-id")
        indexes = (
            models.Index(fields=["-created", "-id"], name="batch_history"),
            # The dispatcher asks at each turn; there are few of these beside the history.
            models.Index(fields=["created"], condition=Q(finished__isnull=True), name="batch_live"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(action__in=Action.values), name="batch_action"),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True) | Q(cancelled_as__isnull=False),
                name="batch_cancelled_by_somebody",
            ),
        )

    def __str__(self) -> str:
        noun = self.kind if self.total == 1 else f"{self.kind}s"
        return f"{self.get_action_display()} {self.total:,} {noun}"

    @property
    def state(self) -> BatchState:
        """Return where the batch is."""
        if self.finished is None:
            return BatchState.RUNNING if self.cancelled_at is None else BatchState.CANCELLING
        return BatchState.FINISHED if self.cancelled_at is None else BatchState.CANCELLED

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more will happen to any item."""
        return self.finished is not None

    @property
    def requester(self) -> Actor:
        """Return who asked for it, as the audit trail knows them."""
        return _actor(self.requested_as)

    @property
    def canceller(self) -> Actor | None:
        """Return who cancelled it."""
        return _actor(self.cancelled_as) if self.cancelled_as else None


class BatchItem(models.Model):
    """One thing of a batch, by id and by the name that it had; what became of it.

    The job is that of a test. Code and detail are copied from it at its end: the history of jobs is shortened
    on its own account.
    """

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items", db_index=False)
    place = models.PositiveIntegerField()
    thing_id = models.UUIDField()
    thing_kind = models.CharField(max_length=20, blank=True, default="")
    name = models.CharField(max_length=128, blank=True, default="")
    state = models.CharField(max_length=10, choices=ItemState.choices, default=ItemState.WAITING)
    verdict = models.CharField(max_length=10, choices=Verdict.choices, blank=True, default="")
    rank = models.PositiveSmallIntegerField(choices=Rank.choices, default=Rank.WAITING)
    code = models.CharField(max_length=60, blank=True, default="")
    detail = models.TextField(blank=True, default="")
    job = models.ForeignKey(
        "cluster.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            # Counts every state from the index alone, and hands out what waits in its order.
            models.Index(fields=["batch", "state", "verdict", "place"], name="batch_item_state"),
            models.Index(fields=["batch", "rank", "place"], name="batch_item_rank"),
            models.Index(fields=["job"], condition=Q(job__isnull=False), name="batch_item_job"),
        )
        constraints = (
            models.UniqueConstraint(fields=["batch", "thing_id"], name="batch_item_once"),
            models.CheckConstraint(condition=Q(state__in=ItemState.values), name="batch_item_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=OPEN, ended__isnull=True) | (~Q(state__in=OPEN) & Q(ended__isnull=False)),
                name="batch_item_end_of_final_only",
            ),
            models.CheckConstraint(
                condition=Q(state__in=(*OPEN, ItemState.DONE)) | ~Q(code=""), name="batch_item_says_why_not"
            ),
            models.CheckConstraint(
                condition=Q(verdict="") | Q(state=ItemState.DONE), name="batch_item_verdict_of_done"
            ),
        )

    def __str__(self) -> str:
        return self.name or str(self.thing_id)


def _actor(stored: dict[str, str]) -> Actor:
    return Actor(
        user_id=int(stored["user_id"]) if stored["user_id"] is not None else None,
        name=stored["name"],
        door=Door(stored["door"]),
        address=stored["address"],
        token=stored["token"],
    )
