"""Ask a STENG to test a definition, saved or as it is on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from cluster import dispatch
from cluster.models import Cluster, Job, Steng
from cluster.selectors import clusters, only_cluster, stengs
from connections import candidate as candidates
from connections import fingerprint, rules
from connections.candidate import Candidate
from connections.choices import Authentication, Status
from connections.models import SmtpConnection
from connections.selectors import standing
from core.errors import Refused, invalid
from core.models import User
from credentials.vault import SecretUnreadable
from steng import wire
from untrusted_cache import selectors as trust


@dataclass(frozen=True, slots=True)
class Target:
    """Where a test runs: a cluster, perhaps one STENG of it, and how far it goes."""

    cluster: Any = None
    steng: Any = None
    depth: wire.Depth = wire.Depth.FULL


def request_test(
    connection: SmtpConnection,
    target: Target,
    *,
    user: User | None,
    overrides: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> Job:
    """Enqueue a test of a saved connection, with the overrides of a dynamic one.

    Raises ValidationError (`not_dynamic`, `not_found`, the codes of overridden fields), and Refused
    `cluster_required` where nobody said where to run.
    """
    if overrides and not connection.dynamic:
        raise ValidationError(
            {
                name: [invalid("not_dynamic", "This connection is not dynamic: its values cannot be overridden.")]
                for name in overrides
            }
        )
    candidate = candidates.build(overrides or {}, connection, partial=True, draft=True)
    return _enqueue(candidate, connection, target, user=user, now=now)


def request_draft_test(
    values: Mapping[str, Any],
    based_on: SmtpConnection | None,
    target: Target,
    *,
    user: User | None,
    now: datetime | None = None,
) -> Job:
    """Enqueue a test of values that are not saved.

    A stored secret of `based_on` is used only where the values do not lead it elsewhere
    (`secret_must_be_retyped`). Values that equal the saved ones count as a test of the connection itself.
    """
    candidate = candidates.build(values, based_on, partial=False, draft=True)
    same = based_on is not None and fingerprint.of_candidate(candidate) == fingerprint.of_row(based_on)
    return _enqueue(candidate, based_on if same else None, target, user=user, now=now, draft_of=based_on)


def every_steng(target: Target, default: SmtpConnection | None) -> list[Target]:
    """Return one target for each STENG of the cluster; raise what naming the cluster alone would raise."""
    cluster, _ = _where(default or SmtpConnection(), target)
    return [Target(cluster.name, steng.name, target.depth) for steng in stengs().filter(cluster=cluster)]


def _enqueue(
    candidate: Candidate,
    connection: SmtpConnection | None,
    target: Target,
    *,
    user: User | None,
    now: datetime | None,
    draft_of: SmtpConnection | None = None,
) -> Job:
    moment = now or timezone.now()
    cluster, steng = _where(candidate.row, target)
    advisories = [rules.advisory_to_json(problem) for problem in candidate.advisories]
    if candidate.row.status == Status.DISABLED:
        advisories.append(
            rules.advisory_to_json(
                rules.Problem(
                    "status", "connection_disabled", "The connection is disabled: transfers refuse it.", "warning"
                )
            )
        )
    tested = fingerprint.of_candidate(candidate)
    arguments: dict[str, Any] = {
        "connection": (connection.pk, connection.kind, connection.name) if connection is not None else None,
        "connection_version": connection.version if connection is not None else 0,
        "changed_since_success": changed_since_success(connection) if connection is not None else (),
        "definition": _definition(candidate.row),
        "configuration": tested,
        "draft_of": draft_of.pk if draft_of is not None and connection is None else None,
        "stands": connection is not None and target.depth is wire.Depth.FULL and tested == connection.configuration,
        "trust_version": trust.trust_version(),
        "advisories": advisories,
        "cluster": cluster,
        "steng": steng,
        "user": user,
        "now": moment,
    }
    try:
        request = probe_request(candidate, depth=target.depth, now=moment)
    except SecretUnreadable:
        return dispatch.refuse(code="secret_unreadable", depth=target.depth, **arguments)
    return dispatch.enqueue(request=request, **arguments)


def changed_since_success(connection: SmtpConnection) -> list[str]:
    """Return the fields, and `trust`, that changed after the connection worked for the last time.

    Empty where nothing did, or where it never worked.
    """
    last = connection.last_test
    if last.success_version is None:
        return []
    changed = sorted(name for name, version in connection.field_versions.items() if version > last.success_version)
    _, trust_now = standing({connection.pk})[connection.pk]
    return [*changed, "trust"] if trust_now > (last.success_trust_version or 0) else changed


def probe_request(candidate: Candidate, *, depth: wire.Depth, now: datetime) -> wire.ProbeRequest:
    """Return what a STENG needs for this definition; raise SecretUnreadable for a damaged secret."""
    row = candidate.row
    return wire.ProbeRequest(
        protocol=wire.Protocol.SMTP,
        host=row.host_canonical,
        port=row.port,
        security=wire.Security(row.connection_security),
        authentication=wire.Authentication(row.authentication_type),
        timeout_ms=row.timeout_ms,
        login=_login(candidate),
        helo_name=row.helo_name,
        sender_address=row.sender_address,
        tls=wire.TlsPolicy(
            match_server_hostname=row.match_server_hostname,
            protocols=rules.chosen_protocols(row.values()),
            cipher_suites=rules.chosen_suites(row.values()),
        ),
        trust=trust.trust_set_for(row.host_canonical, row.port, now),
        egress=wire.Egress(allow_loopback=settings.POSTERN_ALLOW_LOOPBACK),
        depth=depth,
    )


def _login(candidate: Candidate) -> wire.Login | None:
    row = candidate.row
    if row.authentication_type != Authentication.BASIC:
        return None
    password = candidate.reveal("password")
    if not row.username or password is None:
        return None
    return wire.Login(wire.Mechanism(row.basic_mechanism), row.username, password)


def _definition(row: SmtpConnection) -> dict[str, Any]:
    """Return the tested values without secrets, so that the page can show them again."""
    values = {name: getattr(row, name) for name in row.definition_fields()}
    return {
        **values,
        "cluster": row.cluster.name if row.cluster else None,
        "steng": row.steng.name if row.steng else None,
    }


def _where(row: SmtpConnection, target: Target) -> tuple[Cluster, Steng | None]:
    errors: dict[str, list[ValidationError]] = {}
    chosen: dict[str, Cluster | Steng | None] = {}
    for name in ("cluster", "steng"):
        try:
            chosen[name] = candidates.find_reference(name, getattr(target, name))
        except ValidationError as error:
            errors[name] = error.error_list
    if errors:
        raise ValidationError(errors)
    steng, cluster = chosen["steng"], chosen["cluster"]
    if steng is None and cluster is None:
        steng, cluster = row.steng, row.cluster
    if isinstance(steng, Steng):
        if cluster is not None and steng.cluster_id != cluster.pk:
            raise ValidationError({"steng": [invalid("not_found", f"{steng.name} is not a STENG of this cluster.")]})
        return steng.cluster, steng
    if isinstance(cluster, Cluster):
        return cluster, None
    only = only_cluster()
    if only is not None:
        return only, None
    names = [cluster.name for cluster in clusters()]
    detail = f"Say on which cluster the test is to run: {', '.join(names)}." if names else "There is no cluster yet."
    raise Refused("cluster_required", detail, clusters=names)


def parse_depth(value: Any) -> wire.Depth:
    """Return the depth of a test; raise ValidationError where it is none."""
    try:
        return wire.Depth(value)
    except ValueError:
        allowed = [str(depth) for depth in wire.Depth]
        raise ValidationError(
            {"depth": [invalid("invalid_choice", f"Choose one of {', '.join(allowed)}.", allowed=allowed)]}
        ) from None
