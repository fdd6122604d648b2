"""Suspended sign-ins in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from cluster.models import Job, SuspendedLogin
from cluster.serializers import ConnectionReferenceSerializer
from core.errors import refuse_unknown
from core.requests import read_object


class LiftRequestSerializer(serializers.Serializer[Any]):
    """Why a refused sign-in may be tried again."""

    reason = serializers.CharField(max_length=2048)


class LiftedSerializer(serializers.Serializer[Any]):
    """Who let it be tried again, when and why."""

    at = serializers.DateTimeField()
    by = serializers.CharField()
    reason = serializers.CharField()


class StoppedSerializer(serializers.Serializer[Any]):
    """A test that was stopped before it signed in."""

    job = serializers.UUIDField()
    connection = ConnectionReferenceSerializer(allow_null=True)
    created = serializers.DateTimeField()


class SuspendedLoginSerializer(serializers.Serializer[SuspendedLogin]):
    """A refused sign-in; `stopped` counts the tests that it stopped, `latest_stopped` names some."""

    id = serializers.UUIDField()
    host = serializers.CharField()
    username = serializers.CharField()
    code = serializers.CharField()
    summary = serializers.CharField()
    advice = serializers.CharField()
    since = serializers.DateTimeField()
    job = serializers.UUIDField(allow_null=True)
    connection = ConnectionReferenceSerializer(allow_null=True)
    overtaken_at = serializers.DateTimeField(allow_null=True)
    lifted = LiftedSerializer(allow_null=True)
    stopped = serializers.IntegerField()
    latest_stopped = StoppedSerializer(many=True)


def suspended_to_json(row: SuspendedLogin) -> dict[str, Any]:
    """Return a row of `selectors` as the API shows it."""
    return {
        "id": str(row.pk),
        "host": row.host,
        "username": row.username,
        "code": row.code,
        "summary": row.summary,
        "advice": row.advice,
        "since": row.since,
        "job": str(row.job_id) if row.job_id else None,
        "connection": _connection(row),
        "overtaken_at": row.overtaken_at,
        "lifted": {"at": row.lifted_at, "by": row.lifted_by, "reason": row.lifted_reason} if row.lifted_at else None,
        "stopped": row.stopped_count,  # type: ignore[attr-defined]  # annotated by the selector
        "latest_stopped": [
            {"job": str(job.pk), "connection": _connection(job), "created": job.created}
            for job in row.latest_stopped  # type: ignore[attr-defined]  # likewise
        ],
    }


def read_reason(data: Any) -> Any:
    """Return the reason as it came: the service judges it. Raises ValidationError for a body of anything else."""
    body = read_object(data)
    refuse_unknown(body, {"reason"})
    return body.get("reason")


def _connection(thing: SuspendedLogin | Job) -> dict[str, str] | None:
    if thing.connection_id is None:
        return None
    return {"id": str(thing.connection_id), "kind": thing.connection_kind, "name": thing.connection_name}
