"""The one function that writes the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from core.audit.actors import current
from core.audit.acts import ACTS, group_of
from core.audit.declarations import Thing, plain, thing
from core.audit.models import MAX_NAME, AuditEvent


def record(
    act: str,
    row_or_ref: models.Model | Thing,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    now: datetime | None = None,
    **extra: Any,
) -> None:
    """Write that the bound actor did this, in the transaction of the change.

    Of `before` and `after` only what differs is kept; where both are given and nothing differs, nothing is
    written. For what came or went only one of them is given, and kept whole. `extra` holds no secret.

    Raises KeyError for an act that is not in the catalogue, LookupError where no actor is bound or the row's
    model is not declared, TransactionManagementError outside a transaction: then a change could be stored whose
    event is not.
    """
    if act not in ACTS:
        raise KeyError(act)
    actor = current()
    if not transaction.get_connection().in_atomic_block:
        raise TransactionManagementError("An event is written in the transaction of the change that it records.")
    if before is not None and after is not None:
        before, after = _difference(before, after)
        if not before and not after:
            return
    subject = row_or_ref if isinstance(row_or_ref, Thing) else thing(row_or_ref)
    if actor.token:
        extra["token"] = actor.token
    AuditEvent(
        at=now or timezone.now(),
        act=act,
        act_group=group_of(act),
        actor_id=actor.user_id,
        actor_name=actor.name[:150],
        door=actor.door.value,
        address=actor.address[:100],
        object_kind=subject.kind,
        object_id=subject.id,
        object_name=subject.name[:MAX_NAME],
        before=None if before is None else plain(before),
        after=None if after is None else plain(after),
        reason=reason,
        extra=plain(extra),
    ).save()


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in changed if name in before},
        {name: after[name] for name in changed if name in after},
    )
