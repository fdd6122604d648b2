"""How a job looks to a script: one shape, in the API and on the command line."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from cluster import ports
from cluster.models import Job
from cluster.selectors import members_of_chains


def job_to_json(job: Job) -> dict[str, Any]:
    """Return one job as the API shows it."""
    return jobs_to_json([job])[0]


def jobs_to_json(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Return jobs as the API shows them, with a constant number of queries."""
    stale = ports.stale_among(jobs)
    chains = members_of_chains({job.chain_id for job in jobs if job.chain_id is not None})
    return [_job(job, job.pk in stale, chains) for job in jobs]


def _job(job: Job, stale: bool, chains: Mapping[uuid.UUID, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    return {
        "id": str(job.pk),
        "kind": job.kind,
        "state": job.state,
        "verdict": job.verdict,
        "failed_stage": job.failed_stage or None,
        "code": job.code or None,
        "summary": job.summary,
        "advice": job.advice,
        "field": job.field or None,
        "stale": stale,
        "depth": job.depth,
        "lane": job.lane,
        "batch": str(job.batch_id) if job.batch_id else None,
        "connection": _connection(job),
        "cluster": _reference(job.cluster_id, job.cluster.name if job.cluster else job.cluster_name),
        "steng": _steng(job),
        "source_address": job.source_address or None,
        "peer_address": job.peer_address or None,
        "requested_by": job.requested_by_name or None,
        "created": job.created,
        "started": job.started,
        "finished": job.finished,
        "duration_ms": job.duration_ms,
        "stages": job.stages,
        "advisories": job.advisories,
        "untrusted_certificates": list(chains.get(job.chain_id, ())) if job.chain_id else [],
        "attempt": job.attempt,
    }


def _connection(job: Job) -> dict[str, Any] | None:
    if job.connection_id is None:
        return None
    return {"id": str(job.connection_id), "kind": job.connection_kind, "name": job.connection_name}


def _steng(job: Job) -> dict[str, Any] | None:
    """Return where the job ran, else where it was sent."""
    steng = job.ran_on or job.steng
    return _reference(steng.pk, steng.name) if steng else _reference(None, job.steng_name)


def _reference(key: uuid.UUID | None, name: str) -> dict[str, Any] | None:
    return {"id": str(key) if key else None, "name": name} if name else None
