"""One way in which a stage can end."""

from __future__ import annotations

from dataclasses import dataclass

from steng.wire import StageName


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way in which a stage can end: `detail` says what happened, `advice` what to do, `field` where.

    Without a stage it is what is said of the code at every stage that has no words of its own.
    """

    stage: StageName | None
    code: str
    detail: str
    advice: str
    field: str | None = None
