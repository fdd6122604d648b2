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
from cluster.choices import JobKind, Lane
from cluster.models import Batch, Cluster, Job, Steng
from cluster.selectors import clusters, only_cluster, stengs
from connections import candidate as candidates
from connections import fingerprint, rules
from connections.candidate import Candidate
from connections.choices import Authentication, Status
from connections.models import Connection, MailboxConnection, SmtpConnection
from connections.selectors import standing
from core.errors import Refused, invalid
from core.models import User
from core.rules import Problem, Values, advisory_to_json
from credentials.services import open_secret
from credentials.vault import SecretUnreadable
from steng import wire
from untrusted_cache import selectors as trust


@dataclass(frozen=True, slots=True)
class Target:
    """Where a test runs: a cluster, perhaps one STENG of it; how far it goes, and whether it reads the next subject."""

    cluster: Any = None
    steng: Any = None
    depth: wire.Depth = wire.Depth.FULL
    subject: bool = False


def request_test(
    connection: Connection,
    target: Target,
    *,
    user: User | None,
    overrides: Mapping[str, Any] | None = None,
    lane: Lane = Lane.INTERACTIVE,
    batch: Batch | None = None,
    now: datetime | None = None,
) -> Job:
    """Enqueue a test of a saved connection, with the overrides of a dynamic one; `batch` is the bulk it belongs to.

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
    candidate = candidates.build(type(connection), overrides or {}, connection, user=user, partial=True, draft=True)
    return _enqueue(candidate, connection, target, user=user, now=now, lane=lane, batch=batch)


def request_draft_test(
    model: type[Connection],
    values: Mapping[str, Any],
    based_on: Connection | None,
    target: Target,
    *,
    user: User | None,
    kind: JobKind = JobKind.CONFIGURATION_TEST,
    now: datetime | None = None,
) -> Job:
    """Enqueue a test of values that are not saved, or with another `kind` of job what is asked of their server.

    A stored secret of `based_on` is used only where the values do not lead it elsewhere
    (`secret_must_be_retyped`). Values that equal the saved ones count as a test of the connection itself.
    """
    candidate = candidates.build(model, values, based_on, user=user, partial=False, draft=True)
    same = based_on is not None and fingerprint.of_candidate(candidate) == fingerprint.of_row(based_on)
    return _enqueue(candidate, based_on if same else None, target, user=user, now=now, draft_of=based_on, kind=kind)


def request_folders(
    connection: MailboxConnection, target: Target, *, user: User | None, now: datetime | None = None
) -> Job:
    """Enqueue a look at the folders that a saved mailbox has; they come as evidence of the stage `folder`."""
    candidate = candidates.build(MailboxConnection, {}, connection, user=user, partial=True, draft=True)
    return _enqueue(candidate, connection, target, user=user, now=now, kind=JobKind.FOLDER_LIST)


def every_steng(target: Target, default: Connection | None) -> list[Target]:
    """Return one target for each STENG of the cluster; raise what naming the cluster alone would raise."""
    cluster, _ = _where(default or Connection(), target)
    return [Target(cluster.name, steng.name, target.depth) for steng in stengs().filter(cluster=cluster)]


def _enqueue(
    candidate: Candidate,
    connection: Connection | None,
    target: Target,
    *,
    user: User | None,
    now: datetime | None,
    draft_of: Connection | None = None,
    kind: JobKind = JobKind.CONFIGURATION_TEST,
    lane: Lane = Lane.INTERACTIVE,
    batch: Batch | None = None,
) -> Job:
    moment = now or timezone.now()
    cluster, steng = _where(candidate.row, target)
    advisories = [advisory_to_json(problem) for problem in candidate.advisories]
    if candidate.row.status == Status.DISABLED:
        advisories.append(
            advisory_to_json(
                Problem("status", "connection_disabled", "The connection is disabled: transfers refuse it.", "warning")
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
        "kind": kind,
        "stands": connection is not None
        and kind == JobKind.CONFIGURATION_TEST
        and target.depth is wire.Depth.FULL
        and tested == connection.configuration,
        "trust_version": trust.trust_version(),
        "advisories": advisories,
        "cluster": cluster,
        "steng": steng,
        "user": user,
        "now": moment,
        "lane": lane,
        "batch": batch,
    }
    try:
        request = probe_request(candidate, target, kind=kind, now=moment)
    except SecretUnreadable:
        return dispatch.refuse(code="secret_unreadable", depth=target.depth, **arguments)
    return dispatch.enqueue(request=request, **arguments)


def changed_since_success(connection: Connection) -> list[str]:
    """Return the fields, and `trust`, that changed after the connection worked for the last time.

    Empty where nothing did, or where it never worked.
    """
    last = connection.last_test
    if last.success_version is None:
        return []
    changed = sorted(name for name, version in connection.field_versions.items() if version > last.success_version)
    _, trust_now = standing({connection.pk})[connection.pk]
    return [*changed, "trust"] if trust_now > (last.success_trust_version or 0) else changed


def probe_request(candidate: Candidate, target: Target, *, kind: JobKind, now: datetime) -> wire.ProbeRequest:
    """Return what a STENG needs for this definition; raise SecretUnreadable for a damaged secret."""
    row, values = candidate.row, candidate.row.values()
    return wire.ProbeRequest(
        host=row.host_canonical,
        port=row.port,
        security=wire.Security(row.connection_security),
        authentication=wire.Authentication(values["authentication_type"]),
        timeout_ms=row.timeout_ms,
        login=_login(candidate, values),
        tls=wire.TlsPolicy(
            match_server_hostname=row.match_server_hostname,
            protocols=rules.chosen_protocols(values),
            cipher_suites=rules.chosen_suites(values),
        ),
        trust=trust.trust_set_for(row.host_canonical, row.port, now),
        egress=wire.Egress(allow_loopback=settings.POSTERN_ALLOW_LOOPBACK),
        depth=target.depth,
        purpose=wire.Purpose.FOLDERS if kind == JobKind.FOLDER_LIST else wire.Purpose.TEST,
        **_of_kind(row, target),
    )


def _of_kind(row: Connection, target: Target) -> dict[str, Any]:
    """Return what only one kind of connection says to a STENG."""
    if isinstance(row, SmtpConnection):
        return {
            "protocol": wire.Protocol.SMTP,
            "helo_name": row.helo_name,
            "sender_address": row.sender_address,
        }
    assert isinstance(row, MailboxConnection)
    mailbox = wire.Mailbox(
        folder=row.folder,
        disposition=wire.Disposition(row.disposition),
        pull=wire.Pull(row.pull_disposition),
        show_subject=target.subject,
    )
    return {"protocol": wire.Protocol(row.store_type), "mailbox": mailbox}


def _login(candidate: Candidate, values: Values) -> wire.Login | None:
    if values["authentication_type"] != Authentication.BASIC:
        return None
    credential = candidate.row.credential
    if credential is not None:
        return wire.Login(wire.Mechanism(values["basic_mechanism"]), credential.username, open_secret(credential))
    password = candidate.reveal("password")
    if not values["username"] or password is None:
        return None
    return wire.Login(wire.Mechanism(values["basic_mechanism"]), values["username"], password)


def _definition(row: Connection) -> dict[str, Any]:
    """Return the tested values without secrets, so that the page can show them again."""
    values = {name: getattr(row, name) for name in row.definition_fields()}
    return {
        "kind": row.KIND,
        **values,
        "cluster": row.cluster.name if row.cluster else None,
        "steng": row.steng.name if row.steng else None,
        "credential": row.credential.name if row.credential else None,
    }


def _where(row: Connection, target: Target) -> tuple[Cluster, Steng | None]:
    errors: dict[str, list[ValidationError]] = {}
    chosen: dict[str, Any] = {}
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
