"""The shape of batches in the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from cluster.batches.choices import Action, BatchState, ItemState
from cluster.batches.models import Batch, BatchItem
from cluster.choices import Verdict


class BatchResultSerializer(serializers.Serializer[Any]):
    """What became of one thing. `outcome` is about the act, `verdict` about what a test found."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_null=True)
    outcome = serializers.ChoiceField(choices=ItemState.choices)
    verdict = serializers.ChoiceField(choices=Verdict.choices, allow_null=True)
    code = serializers.CharField(allow_null=True)
    detail = serializers.CharField()
    job = serializers.UUIDField(allow_null=True)


class VerdictsSerializer(serializers.Serializer[Any]):
    """How many tests of a batch had each verdict."""

    success = serializers.IntegerField()
    warning = serializers.IntegerField()
    failure = serializers.IntegerField()


class BatchSerializer(serializers.Serializer[Any]):
    """A batch and its progress: of `total` so many wait, run, are done, failed, were cancelled or skipped."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    action = serializers.ChoiceField(choices=Action.choices)
    state = serializers.ChoiceField(choices=BatchState.choices)
    reason = serializers.CharField()
    total = serializers.IntegerField()
    waiting = serializers.IntegerField()
    running = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    skipped = serializers.IntegerField()
    verdicts = VerdictsSerializer()
    requested_by = serializers.CharField()
    created = serializers.DateTimeField()
    cancelled_by = serializers.CharField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)
    finished = serializers.DateTimeField(allow_null=True)


class BatchDetailSerializer(BatchSerializer):
    """A batch with a page of its results; `count` is how many results there are behind the filter."""

    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = BatchResultSerializer(many=True)


def batch_to_json(batch: Batch, counts: Mapping[str, int]) -> dict[str, Any]:
    """Return a batch as the API shows it, without its results."""
    canceller = batch.canceller
    return {
        "id": str(batch.pk),
        "kind": batch.kind,
        "action": batch.action,
        "state": batch.state.value,
        "reason": batch.reason,
        "total": batch.total,
        **{state.value: counts[state] for state in ItemState},
        "verdicts": {verdict.value: counts[verdict] for verdict in Verdict},
        "requested_by": batch.requester.name,
        "created": batch.created,
        "cancelled_by": canceller.name if canceller else None,
        "cancelled_at": batch.cancelled_at,
        "finished": batch.finished,
    }


def item_to_json(item: BatchItem) -> dict[str, Any]:
    """Return what became of one thing as the API shows it."""
    return {
        "id": str(item.thing_id),
        "name": item.name or None,
        "outcome": item.state,
        "verdict": item.verdict or None,
        "code": item.code or None,
        "detail": item.detail,
        "job": str(item.job_id) if item.job_id else None,
    }
