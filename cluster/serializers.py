"""The shapes of clusters, STENGs and jobs in the API: strict going in, documented going out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers

from cluster.choices import JobKind, JobState, Lane, StengState, Verdict
from cluster.models import Cluster, Steng
from cluster.references import find_cluster
from cluster.rules import is_live
from cluster.selectors import is_active
from core.errors import refuse_unknown
from core.requests import read_object
from core.serializers import AdvisorySerializer
from steng.wire import Direction, StageName, StageOutcome

CLUSTER_WRITABLE = ("name", "description")
STENG_WRITABLE = ("name", "description", "cluster", "enabled", "slots")
_CLUSTER_READ = frozenset({"id", "active", "created", "stengs"})
_STENG_READ = frozenset(
    {"id", "state", "live", "draining", "last_seen", "version", "capabilities", "running", "created"}
)


class ReferenceSerializer(serializers.Serializer[Any]):
    """A thing by id and name."""

    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()


class ClusterSerializer(serializers.Serializer[Cluster]):
    """A cluster; `active` tells whether one of its STENGs would take a test now."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=128)
    description = serializers.CharField(max_length=2048, required=False, allow_blank=True)
    active = serializers.BooleanField(read_only=True)
    stengs = ReferenceSerializer(many=True, read_only=True)
    created = serializers.DateTimeField(read_only=True)


class StengSerializer(serializers.Serializer[Steng]):
    """A STENG: `enabled` and `draining` are the admin's wish, `state` was observed, `last_seen` is the evidence."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=128)
    description = serializers.CharField(max_length=2048, required=False, allow_blank=True)
    cluster = ReferenceSerializer()
    enabled = serializers.BooleanField(required=False)
    draining = serializers.BooleanField(read_only=True)
    state = serializers.ChoiceField(choices=StengState.choices, read_only=True)
    live = serializers.BooleanField(read_only=True)
    last_seen = serializers.DateTimeField(read_only=True, allow_null=True)
    version = serializers.CharField(read_only=True)
    capabilities = serializers.DictField(read_only=True)
    slots = serializers.IntegerField(required=False, min_value=1, max_value=10_000)
    running = serializers.IntegerField(read_only=True)
    created = serializers.DateTimeField(read_only=True)


class StageSerializer(serializers.Serializer[Any]):
    """One stage of a test; one that did not begin has no duration."""

    name = serializers.ChoiceField(choices=[stage.value for stage in StageName])
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in StageOutcome])
    duration_ms = serializers.FloatField(allow_null=True)
    code = serializers.CharField(allow_null=True)
    detail = serializers.CharField()
    advice = serializers.CharField()
    field = serializers.CharField(allow_null=True)
    evidence = serializers.DictField()
    peer = serializers.CharField()


class ConnectionReferenceSerializer(ReferenceSerializer):
    """The connection that was tested."""

    kind = serializers.CharField()


class PresentedCertificateSerializer(serializers.Serializer[Any]):
    """A certificate that the server presented and nobody vouched for; `id` leads into the untrusted cache."""

    id = serializers.UUIDField()
    role = serializers.CharField()
    subject = serializers.CharField()
    fingerprint = serializers.CharField()


class JobSerializer(serializers.Serializer[Any]):
    """A job as `representation.job_to_json` gives it."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=JobKind.choices)
    state = serializers.ChoiceField(choices=JobState.choices)
    verdict = serializers.ChoiceField(choices=Verdict.choices, allow_null=True)
    failed_stage = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)
    summary = serializers.CharField()
    advice = serializers.CharField()
    field = serializers.CharField(allow_null=True)
    stale = serializers.BooleanField()
    depth = serializers.CharField()
    lane = serializers.ChoiceField(choices=Lane.choices)
    batch = serializers.UUIDField(allow_null=True)
    connection = ConnectionReferenceSerializer(allow_null=True)
    cluster = ReferenceSerializer(allow_null=True)
    steng = ReferenceSerializer(allow_null=True)
    source_address = serializers.CharField(allow_null=True)
    peer_address = serializers.CharField(allow_null=True)
    requested_by = serializers.CharField(allow_null=True)
    created = serializers.DateTimeField()
    started = serializers.DateTimeField(allow_null=True)
    finished = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.FloatField(allow_null=True)
    stages = StageSerializer(many=True)
    advisories = AdvisorySerializer(many=True)
    untrusted_certificates = PresentedCertificateSerializer(many=True)
    attempt = serializers.IntegerField()


class TranscriptLineSerializer(serializers.Serializer[Any]):
    """One redacted line of the conversation, `ms` after the start of the probe."""

    ms = serializers.IntegerField()
    direction = serializers.ChoiceField(choices=[direction.value for direction in Direction])
    stage = serializers.CharField()
    text = serializers.CharField()


class TranscriptSerializer(serializers.Serializer[Any]):
    """The redacted conversation of a test."""

    lines = TranscriptLineSerializer(many=True)


def cluster_to_json(cluster: Cluster, now: datetime) -> dict[str, Any]:
    """Return a cluster (read with `selectors.clusters`) as the API shows it."""
    return {
        "id": str(cluster.pk),
        "name": cluster.name,
        "description": cluster.description,
        "active": is_active(cluster, now),
        "stengs": [{"id": str(steng.pk), "name": steng.name} for steng in cluster.stengs.all()],
        "created": cluster.created,
    }


def steng_to_json(steng: Steng, now: datetime) -> dict[str, Any]:
    """Return a STENG as the API shows it."""
    return {
        "id": str(steng.pk),
        "name": steng.name,
        "description": steng.description,
        "cluster": {"id": str(steng.cluster.pk), "name": steng.cluster.name},
        "enabled": steng.enabled,
        "draining": steng.drain,
        "state": steng.state,
        "live": is_live(steng, now),
        "last_seen": steng.last_seen,
        "version": steng.version,
        "capabilities": steng.capabilities,
        "slots": steng.slots,
        "running": steng.running,
        "created": steng.created,
    }


def read_cluster(data: Any) -> dict[str, Any]:
    """Return the values to write; what was read may be sent back. Raises ValidationError."""
    return _known(data, CLUSTER_WRITABLE, _CLUSTER_READ)


def read_steng(data: Any) -> dict[str, Any]:
    """Return the values to write, the cluster found by name or `{"id": …}`. Raises ValidationError."""
    values = _known(data, STENG_WRITABLE, _STENG_READ)
    if "cluster" in values:
        values["cluster"] = find_cluster(values["cluster"])
    return values


def _known(data: Any, writable: tuple[str, ...], read_only: frozenset[str]) -> dict[str, Any]:
    body = read_object(data)
    refuse_unknown(body, read_only.union(writable))
    return {name: body[name] for name in writable if name in body}
