"""Pages of the audit log that cost the same on a million events as on ten.

A page begins where another ended, at a place in the order of time, so no page counts or skips what it does not
show. One filter is answered by its index; whatever else is asked for is sieved out of a window of events behind
that one filter, because no index serves every combination. Where the window ends before the page is full, the
page says so and its "older" leads on behind the window.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from core.audit.filters import Filters
from core.audit.models import AuditEvent
from core.errors import invalid
from core.pagination import MAX_COUNT

WINDOW = 20_000
"""Events that one page searches through at most: some tens of milliseconds."""

# What tells most comes first: of several filters this is the one whose index is used.
_BY_SELECTIVITY = ("object_id", "object_name", "actor_name", "act", "act_group", "object_kind", "door")
_SEARCHED = ("object_name", "actor_name", "reason", "address")
_PLACE = re.compile(r"([0-9]{1,18})-([0-9]{1,18})\Z")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of the trail; what is older or newer than it is told by time, then by id."""

    at: dt.datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.id}"

    def older(self) -> Q:
        """Return what selects the events before this place; both halves keep to the index."""
        return Q(at__lte=self.at) & ~Q(at=self.at, id__gte=self.id)

    def newer(self) -> Q:
        """Return what selects the events after this place."""
        return Q(at__gte=self.at) & ~Q(at=self.at, id__lte=self.id)

    def back_to(self) -> Q:
        """Return what selects the event of this place and those after it."""
        return Q(at__gte=self.at) & ~Q(at=self.at, id__lt=self.id)

    def up_to(self) -> Q:
        """Return what selects the event of this place and those before it."""
        return Q(at__lte=self.at) & ~Q(at=self.at, id__gt=self.id)


@dataclass(frozen=True, slots=True)
class Page:
    """Events, newest first, and where the neighbouring pages begin; `searched_on` where the window ended first."""

    events: list[AuditEvent]
    older: Place | None
    newer: Place | None
    searched_on: bool = False


def read_place(text: str) -> Place | None:
    """Return the place that an address names, None where it names none; raise ValidationError `invalid_type`."""
    if not text:
        return None
    match = _PLACE.match(text)
    if match is None:
        raise invalid("invalid_type", "This is no place in the audit log.")
    try:
        return Place(_EPOCH + int(match[1]) * _MICROSECOND, int(match[2]))
    except OverflowError:
        raise invalid("invalid_type", "This is no place in the audit log.") from None


def page(filters: Filters, size: int, *, older: Place | None = None, newer: Place | None = None) -> Page:
    """Return the newest events behind the filters, or those next to a place."""
    forward = newer is not None and older is None
    base, sieve = _split(filters)
    if older is not None:
        base = base.filter(older.older())
    elif newer is not None:
        base = base.filter(newer.newer()).order_by("at", "id")
    edge = _edge(base) if sieve else None
    found = _sieved(base, sieve)
    if edge is not None:
        found = found.filter(edge.up_to() if forward else edge.back_to())
    events = list(found[: size + 1])
    more, events = len(events) > size, events[:size]
    beyond = _place(events[-1]) if more else edge
    if forward:
        events.reverse()
        return Page(events, _place(events[-1]) if events else newer, beyond, not more and edge is not None)
    first = _place(events[0]) if events else older
    return Page(events, beyond, first if older is not None else None, not more and edge is not None)


def count(filters: Filters) -> int | None:
    """Return how many events are behind the filters, None where counting them would take long."""
    base, sieve = _split(filters)
    if sieve and _edge(base) is not None:
        return None
    found = _sieved(base, sieve).order_by()[: MAX_COUNT + 1].count()
    return found if found <= MAX_COUNT else None


def event(pk: int) -> AuditEvent | None:
    """Return one event."""
    return AuditEvent.objects.filter(pk=pk).first() if pk < 2**63 else None


def _split(filters: Filters) -> tuple[QuerySet[AuditEvent], Q]:
    """Return what an index answers, and what is left to be sieved."""
    found = AuditEvent.objects.all()
    if filters.since is not None:
        found = found.filter(at__gte=filters.since)
    if filters.until is not None:
        # The second that was named counts whole.
        found = found.filter(at__lt=filters.until + dt.timedelta(seconds=1))
    rest = dict(filters.exact)
    for column in _BY_SELECTIVITY:
        if column in rest:
            found = found.filter(**{column: rest.pop(column)})
            break
    return found, _sieve(rest, filters.text)


def _sieve(rest: Mapping[str, str], text: str) -> Q:
    sieve = Q(**{f"sieved_{column}": value for column, value in rest.items()})
    if text:
        words = Q()
        for column in _SEARCHED:
            words |= Q(**{f"{column}__icontains": text})
        sieve &= words
    return sieve


def _sieved(base: QuerySet[AuditEvent], sieve: Q) -> QuerySet[AuditEvent]:
    if not sieve:
        return base
    # As an expression no index serves it: the database stays with the index of the one filter, within the window.
    plain = {f"sieved_{column}": Coalesce(F(column), Value("")) for column in _BY_SELECTIVITY}
    return base.alias(**plain).filter(sieve)


def _edge(base: QuerySet[AuditEvent]) -> Place | None:
    """Return the last place of the window, None where the window reaches to the end."""
    found = list(base.values_list("at", "id")[WINDOW - 1 : WINDOW + 1])
    return Place(*found[0]) if len(found) == 2 else None


def _place(event: AuditEvent) -> Place:
    return Place(event.at, event.pk)
