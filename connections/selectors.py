"""Read definitions: one, or many with filters; a row comes with its standing verdict."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

from django.core.exceptions import ValidationError
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from connections.choices import Kind, Security, Status
from connections.kinds import KINDS
from connections.models import Connection
from core.errors import invalid
from core.search import words_of
from core.text import comparison_key
from steng.wire import Verdict
from untrusted_cache.models import TrustChange

Row = TypeVar("Row", bound=Connection)

FILTERS = (
    "kind", "name", "status", "security", "verdict", "stale", "host", "q", "tag", "partner", "cluster",
)  # fmt: skip
"""What a list of connections can be narrowed by; the order in which it is shown is no filter."""

NEVER = "none"
"""The filter value for connections that were never tested."""

OUTCOMES: tuple[tuple[str, str], ...] = (
    (Verdict.FAILURE.value, "Failed"),
    (Verdict.WARNING.value, "Warning"),
    (Verdict.SUCCESS.value, "Successful"),
    (NEVER, "Never tested"),
)
"""What a list can be filtered for of the last test, as people call it; what needs attention first."""

ORDERINGS: dict[str, tuple[str, ...]] = {
    "name": ("name_key",),
    "host": ("host_canonical", "port", "name_key"),
    "security": ("connection_security", "name_key"),
    "status": ("status", "name_key"),
    "verdict": ("last_test__rank", "name_key"),
    "tested": ("last_test__finished", "name_key"),
    "created": ("created", "name_key"),
    "updated": ("updated", "name_key"),
}

_LISTED = (
    "kind", "name", "description", "status", "host", "host_canonical", "port", "connection_security", "username",
    "tags", "partner", "updated", "last_test",
    *(f"last_test__{name}" for name in ("job", "state", "verdict", "failed_stage", "code", "finished", "duration_ms")),
)  # fmt: skip
"""The columns that any list shows; what is added to a list and not here costs a query for each row."""

_CHOICES: dict[str, tuple[str, tuple[str, ...]]] = {
    "kind": ("kind", tuple(Kind.values)),
    "status": ("status", tuple(Status.values)),
    "security": ("connection_security", tuple(Security.values)),
}


def _concerns() -> Q:
    """Return the condition of changes of trust that concern a connection: all, its host, or its endpoint."""
    endpoint = Q(host=OuterRef("host_canonical")) & (Q(port__isnull=True) | Q(port=OuterRef("port")))
    return Q(host__isnull=True) | endpoint


def _is_stale() -> Case:
    """Return the expression that tells whether a verdict was made for another configuration or trust."""
    later = TrustChange.objects.filter(_concerns(), pk__gt=OuterRef("last_test__trust_version"))
    return Case(
        When(last_test__finished__isnull=True, then=Value(False)),
        When(~Q(configuration=F("last_test__configuration")), then=Value(True)),
        When(Q(connection_security=Security.NONE), then=Value(False)),
        default=Exists(later),
        output_field=BooleanField(),
    )


def is_stale(row: Connection) -> bool:
    """Tell whether the verdict of a row read by this module was made for another configuration or trust."""
    stale: bool = row.stale  # type: ignore[attr-defined]  # annotated by `_with_verdicts` and `whole`
    return stale


def _with_verdicts(rows: QuerySet[Connection]) -> QuerySet[Connection]:
    # What a mailbox is read by stands in the row of its kind; to a list it is the type, so it comes along.
    store_type = F("mailboxconnection__store_type")
    return rows.select_related("last_test").annotate(stale=_is_stale(), store_type=store_type)


def whole(model: type[Row]) -> QuerySet[Row]:
    """Return all connections of a kind with what their pages show."""
    rows = model._default_manager.select_related("last_test", "cluster", "steng", "credential", "updated_by")
    return cast("QuerySet[Row]", rows.annotate(stale=_is_stale()))


def find(reference: str | uuid.UUID, kind: str | None = None) -> Connection | None:
    """Return the connection with this id or name, whole and as a row of its own kind; None where there is none."""
    try:
        key: dict[str, Any] = {"pk": reference if isinstance(reference, uuid.UUID) else uuid.UUID(reference)}
    except ValueError:
        key = {"name_key": comparison_key(str(reference))}
    found = Connection.objects.filter(**key).values_list("pk", "kind").first()
    if found is None or kind not in {None, found[1]}:
        return None
    return whole(KINDS[found[1]]).filter(pk=found[0]).first()


def definitions(model: type[Row]) -> QuerySet[Row]:
    """Return all connections of a kind with what their definitions refer to, and nothing about their tests."""
    relations = [item.name for item in model._meta.concrete_fields if item.name in model.REFERENCES]
    return cast("QuerySet[Row]", model._default_manager.select_related(*relations))


def by_names(keys: Collection[str]) -> dict[str, Connection]:
    """Return the connections of these comparison keys by them, as rows of their own kinds."""
    found: dict[str, Connection] = {}
    for model in KINDS.values():
        found |= {row.name_key: row for row in definitions(model).filter(name_key__in=keys)}
    return found


def find_many(keys: Iterable[tuple[str, uuid.UUID]]) -> dict[uuid.UUID, Connection]:
    """Return the connections with these kinds and ids, each as a row of its kind, without what only pages show."""
    wanted: dict[str, list[uuid.UUID]] = {}
    for kind, key in keys:
        wanted.setdefault(kind, []).append(key)
    found: dict[uuid.UUID, Connection] = {}
    for kind, ids in wanted.items():
        if kind in KINDS:
            rows = (
                KINDS[kind]
                ._default_manager.select_related("last_test", "cluster", "steng", "credential")
                .filter(pk__in=ids)
            )
            found |= {row.pk: row for row in rows}
    return found


class Matches:
    """The connections that match some filters, in their order; pages of it come with their verdicts.

    Verdicts are added to the rows that are read and not to the count, which would look up the last
    test of every connection for nothing.
    """

    def __init__(self, plain: QuerySet[Connection]) -> None:
        self._plain = plain

    def count(self) -> int:
        """Return how many there are."""
        return self._plain.count()

    def keys(self) -> QuerySet[Connection, uuid.UUID]:
        """Return their ids, for a condition of another query."""
        return self._plain.order_by().values_list("pk", flat=True)

    def definitions(self, size: int = 500) -> Iterator[Connection]:
        """Yield them whole by name, `size` read at once.

        Each batch is a query of its own that goes on behind the last name, so that whoever takes long to read keeps
        no snapshot of the database open. What is renamed meanwhile may be met twice or not at all.
        """
        last = ""
        while True:
            batch = self._plain.filter(name_key__gt=last).order_by("name_key")[:size]
            names = list(batch.values_list("name_key", flat=True))
            rows = by_names(names)
            yield from (rows[name] for name in names if name in rows)
            if len(names) < size:
                return
            last = names[-1]

    def rows(self) -> QuerySet[Connection]:
        """Return them with what a list shows."""
        return _with_verdicts(self._plain).only(*_LISTED)

    def __getitem__(self, part: slice) -> QuerySet[Connection]:
        return self.rows()[part]

    def __iter__(self) -> Iterator[Connection]:
        return iter(self.rows())


def connection_list(filters: Mapping[str, str]) -> Matches:
    """Return the connections that match the filters of a query string.

    Filters: kind, name, status, host, q, tag, partner, cluster, security, verdict, stale, ordering.
    Raises ValidationError `invalid_choice` by filter where a value cannot match anything.
    """
    errors: dict[str, list[ValidationError]] = {}
    rows = Connection.objects.all()
    for name, (column, allowed) in _CHOICES.items():
        if filters.get(name):
            _require(name, filters[name], allowed, errors)
            rows = rows.filter(**{column: filters[name]})
    try:
        rows = _by_words(_by_text(rows, filters), words_of(filters.get("q", "")))
    except ValidationError as error:
        errors["q"] = error.error_list
    rows = _by_verdict(rows, filters, errors)
    rows = _ordered(rows, filters.get("ordering") or "name", errors)
    if errors:
        raise ValidationError(errors)
    return Matches(rows)


def _by_text(rows: QuerySet[Connection], filters: Mapping[str, str]) -> QuerySet[Connection]:
    if filters.get("name"):
        rows = rows.filter(name_key=comparison_key(filters["name"]))
    if filters.get("host"):
        rows = rows.filter(host_canonical=filters["host"].lower())
    if filters.get("partner"):
        rows = rows.filter(partner__iexact=filters["partner"])
    if filters.get("cluster"):
        rows = rows.filter(cluster__name_key=comparison_key(filters["cluster"]))
    if filters.get("tag"):
        rows = rows.filter(tags__contains=f"\n{filters['tag']}\n")
    return rows


def _by_words(rows: QuerySet[Connection], words: Iterable[str]) -> QuerySet[Connection]:
    for word in words:
        rows = rows.filter(
            Q(name_key__contains=comparison_key(word))
            | Q(host_canonical__contains=word.lower())
            | Q(host__icontains=word)
            | Q(partner__icontains=word)
        )
    return rows


def _by_verdict(
    rows: QuerySet[Connection], filters: Mapping[str, str], errors: dict[str, list[ValidationError]]
) -> QuerySet[Connection]:
    verdict, stale = filters.get("verdict"), filters.get("stale")
    if verdict:
        _require("verdict", verdict, (*Verdict, NEVER), errors)
        rows = (
            rows.filter(last_test__finished__isnull=True)
            if verdict == NEVER
            else rows.filter(last_test__verdict=verdict)
        )
    if stale:
        _require("stale", stale, ("true", "false"), errors)
        rows = rows.alias(outdated=_is_stale()).filter(outdated=stale == "true")
    return rows


def _ordered(
    rows: QuerySet[Connection], ordering: str, errors: dict[str, list[ValidationError]]
) -> QuerySet[Connection]:
    name = ordering.removeprefix("-")
    _require("ordering", name, tuple(ORDERINGS), errors)
    first, *rest = ORDERINGS.get(name, ORDERINGS["name"])
    return rows.order_by(f"-{first}" if ordering.startswith("-") else first, *rest, "pk")


def _require(name: str, value: str, allowed: tuple[str, ...], errors: dict[str, list[ValidationError]]) -> None:
    if value not in allowed:
        errors[name] = [invalid("invalid_choice", f"Choose one of {', '.join(allowed)}.", allowed=list(allowed))]


def standing(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[str, int]]:
    """Return by connection its configuration and the number of the last change of trust that concerns it."""
    latest = TrustChange.objects.filter(_concerns()).order_by("-pk").values("pk")[:1]
    rows = Connection.objects.filter(pk__in=ids).annotate(
        trust=Case(
            When(connection_security=Security.NONE, then=Value(0)),
            default=Coalesce(Subquery(latest), 0),
            output_field=BigIntegerField(),
        )
    )
    return {
        key: (configuration, trust) for key, configuration, trust in rows.values_list("pk", "configuration", "trust")
    }
