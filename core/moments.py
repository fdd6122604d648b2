"""Times that people and scripts write."""

from __future__ import annotations

import datetime as dt
import re

from core.errors import invalid

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


def read_moment(value: object, *, end_of_day: bool = False) -> dt.datetime | None:
    """Return the UTC time of RFC 3339 text, or of a date alone its start or its last second; raise `invalid_type`.

    A person who writes "expires 2027-03-31" means that the whole day still counts.
    """
    if value is None or value == "":
        return None
    moment = value if isinstance(value, dt.datetime) else _parse(value, end_of_day=end_of_day)
    if moment is None or moment.tzinfo is None:
        raise invalid("invalid_type", "Expected a date, or a time with its zone as in 2027-03-31T12:00:00Z.")
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError:
        raise invalid("out_of_range", "This time is beyond the calendar.") from None


def _parse(value: object, *, end_of_day: bool) -> dt.datetime | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        if _DATE.match(value):
            clock = dt.time(23, 59, 59) if end_of_day else dt.time()
            return dt.datetime.combine(dt.date.fromisoformat(value), clock, dt.UTC)
        # "+" in an address means a blank, and who forgets to encode a zone means a plus.
        return dt.datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
    except ValueError:
        return None
