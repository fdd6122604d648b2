"""The same rows for ours and for the plain peer, written in bulk: plain data, no database in here."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_NAMESPACE = uuid.UUID(int=0)
_SECURITIES = ("STARTTLS", "SSL_TLS", "NONE")
_VERDICTS = ("success", "success", "failure", "warning", "")
_WORDS = "orders invoices payroll desadv remittance forecast stock returns"


@dataclass(frozen=True, slots=True)
class Row:
    """A connection as a list shows it; `verdict` is empty for one that was never tested."""

    id: uuid.UUID
    name: str
    description: str
    status: str
    host: str
    port: int
    security: str
    username: str
    tags: list[str]
    partner: str
    updated: datetime
    verdict: str
    finished: datetime | None


def rows(count: int) -> Iterator[Row]:
    """Yield `count` different rows, the same in every run."""
    words = _WORDS.split()
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        word, verdict = words[number % len(words)], _VERDICTS[number % len(_VERDICTS)]
        moment = begin + timedelta(minutes=number)
        yield Row(
            id=uuid.uuid5(_NAMESPACE, str(number)),
            name=f"{word}-{number:06}",
            description=f"Sends {word} to partner {number % 500}.",
            status="DISABLED" if number % 10 == 0 else "ENABLED",
            host=f"mail{number % 1000}.example.org",
            port=587,
            security=_SECURITIES[number % 3],
            username=f"{word}@example.org",
            tags=[word],
            partner=f"partner-{number % 500}",
            updated=moment,
            verdict=verdict,
            finished=moment if verdict else None,
        )


def name_of(number: int) -> str:
    """Return the name of one row."""
    return next(row.name for place, row in enumerate(rows(number + 1)) if place == number)
