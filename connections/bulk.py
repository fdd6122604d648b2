"""Bulk acts on connections: which connections are meant, and what the dispatcher does to each.

A batch is asked for by ids, or by the filters of the list. Who asks is permitted twice: when they ask, and again
when an item is performed, because rights may be taken away while a long batch runs.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from cluster.batches import services as batches
from cluster.batches.choices import Action
from cluster.batches.services import Thing
from cluster.choices import Lane
from cluster.models import Batch, BatchItem
from cluster.ports import Outcome, register_performer
from connections import candidate, selectors, services, testing
from connections.choices import Status
from connections.models import Connection
from core import permissions
from core.errors import NO_FILTER, Refused, invalid, unknown_fields
from core.models import User
from steng.wire import TrustSet
from untrusted_cache import selectors as trust

KIND = "connection"
"""How the batches of this app are told from those of others."""

LIMIT = 10_000
"""Connections of one batch: so many rows are written under one lock, and read again by whoever looks at the result."""

ACTS: Mapping[Action, str] = {
    Action.ENABLE: "connections.enable",
    Action.DISABLE: "connections.enable",
    Action.TEST: "connections.test",
    Action.DELETE: "connections.edit",
}

_OPTIONS = frozenset({"cluster", "steng", "depth"})


def register() -> None:
    """Let the dispatcher perform batches of connections."""
    register_performer(KIND, performer)


def request(
    action: Action,
    things: Sequence[Thing],
    *,
    user: User,
    options: Mapping[str, Any] | None = None,
    reason: str = "",
    now: datetime | None = None,
) -> Batch:
    """Start a batch; `options` (cluster, steng, depth) say where and how far tests go.

    Raises PermissionDenied, and ValidationError for options that do not exist and a reason that is too long.
    """
    if not permissions.may(user, ACTS[action]):
        raise PermissionDenied(f"You may not {permissions.ACTS[ACTS[action]].phrase}.")
    return batches.start(
        kind=KIND,
        action=action,
        things=things,
        user=user,
        options=_checked(action, options or {}),
        reason=reason,
        now=now or timezone.now(),
    )


def by_ids(ids: Collection[uuid.UUID]) -> list[Thing]:
    """Return the connections with these ids, in their order; one that does not exist has no name.

    Raises ValidationError `too_many`.
    """
    if len(ids) > LIMIT:
        raise ValidationError({"ids": [_too_many(len(ids))]})
    found = Connection.objects.only("name", "kind").in_bulk(list(ids))
    return [Thing(key, found[key].name, found[key].kind) if key in found else Thing(key) for key in ids]


def by_filter(filters: Mapping[str, str]) -> list[Thing]:
    """Return the connections that match the filters of the list, by name.

    Raises ValidationError on `filter`: `unknown_field` (a misspelt one must not mean "all of them"),
    `invalid_choice`, `too_many`.
    """
    matching = matching_filter(filters).keys()
    rows = Connection.objects.filter(pk__in=matching).order_by("name_key").values_list("pk", "name", "kind")
    found = [Thing(*row) for row in rows[: LIMIT + 1]]
    if len(found) > LIMIT:
        raise ValidationError({"filter": [_too_many(matching.count())]})
    return found


def matching_filter(filters: Mapping[str, str]) -> selectors.Matches:
    """Return the connections that match the filters of the list; raise ValidationError on `filter`."""
    unknown = unknown_fields(sorted(filters), selectors.FILTERS, NO_FILTER)
    if unknown:
        raise ValidationError({"filter": [error for errors in unknown.values() for error in errors]})
    try:
        return selectors.connection_list(filters)
    except ValidationError as error:
        problems = [
            invalid(problem.code or "invalid_choice", f"{name}: {problem.messages[0]}", **dict(problem.params or {}))
            for name, found in error.error_dict.items()
            for problem in found
        ]
        raise ValidationError({"filter": problems}) from None


def performer(batch: Batch, items: Sequence[BatchItem]) -> Callable[[uuid.UUID], Outcome]:
    """Return what does to one connection what a batch asks for, as the user who asked and may still do it."""
    user, action = batch.requested_by, Action(batch.action)
    rows, known = (
        selectors.find_many((item.thing_kind, item.thing_id) for item in items),
        dict[tuple[str, int], TrustSet](),
    )

    def perform(thing_id: uuid.UUID) -> Outcome:
        # Nobody may do anything for a user who is gone.
        if user is None or not permissions.may(user, ACTS[action]):
            raise Refused("permission_denied", "Who asked for this may not do it any more.")
        row = rows.get(thing_id)
        if row is None:
            return Outcome(code="not_found", detail="There is no such connection, or not any more.", skipped=True)
        with trust.remembering(known):
            return _PERFORMING[action](row, user, batch)

    return perform


def _enable(row: Connection, user: User, batch: Batch) -> Outcome:  # noqa: ARG001
    return _status(row, Status.ENABLED, user, "It was enabled already.")


def _disable(row: Connection, user: User, batch: Batch) -> Outcome:  # noqa: ARG001
    return _status(row, Status.DISABLED, user, "It was disabled already.")


def _status(row: Connection, status: Status, user: User, already: str) -> Outcome:
    if services.set_status(row, status, user=user).changed:
        return Outcome()
    return Outcome(code="unchanged", detail=already)


def _test(row: Connection, user: User, batch: Batch) -> Outcome:
    options = batch.options
    target = testing.Target(
        cluster=options.get("cluster"),
        steng=options.get("steng"),
        depth=testing.parse_depth(options.get("depth", "full")),
    )
    return Outcome(job=testing.request_test(row, target, user=user, lane=Lane.BULK, batch=batch))


def _delete(row: Connection, user: User, batch: Batch) -> Outcome:  # noqa: ARG001
    services.delete(row)
    return Outcome()


_PERFORMING: Mapping[Action, Callable[[Connection, User, Batch], Outcome]] = {
    Action.ENABLE: _enable,
    Action.DISABLE: _disable,
    Action.TEST: _test,
    Action.DELETE: _delete,
}


def _checked(action: Action, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as they are kept: references by id, so that a renamed cluster is still the one meant."""
    if options and action != Action.TEST:
        sentence = "Only a test has this."
        raise ValidationError({name: [invalid("not_available", sentence)] for name in sorted(options)})
    kept: dict[str, Any] = {}
    errors = unknown_fields(sorted(options), _OPTIONS)
    for name in ("cluster", "steng"):
        try:
            found = candidate.find_reference(name, options.get(name))
        except ValidationError as error:
            errors[name] = error.error_list
        else:
            kept |= {name: {"id": str(found.pk)}} if found is not None else {}
    if errors:
        raise ValidationError(errors)
    if "depth" in options:
        kept["depth"] = testing.parse_depth(options["depth"]).value
    return kept


def _too_many(count: int) -> ValidationError:
    return invalid("too_many", f"At most {LIMIT:,} connections at a time.", limit=LIMIT, value=count)
