"""The closed catalogue of outcome codes: what happened, what to do, and which field mends it.

A code is never renamed or reused. Sentences and advice are chosen by stage and code
together: a `timeout` while connecting has another remedy than one while signing in.
Scripts may rely on the codes; people read the rest, so it names the remedy.
"""

from __future__ import annotations

from types import MappingProxyType

from steng.codes import anywhere, folder, job, reach, sign_in, tls, trust
from steng.codes.outcome import Outcome
from steng.wire import StageName

__all__ = ["CATALOGUE", "CODES", "Outcome", "find"]

CATALOGUE: MappingProxyType[tuple[StageName | None, str], Outcome] = MappingProxyType(
    {
        (outcome.stage, outcome.code): outcome
        for part in (anywhere, reach, tls, trust, sign_in, folder, job)
        for outcome in part.outcomes()
    }
)
CODES: tuple[str, ...] = tuple(sorted({outcome.code for outcome in CATALOGUE.values()}))


def find(stage: StageName, code: str) -> Outcome:
    """Return what is said of `code` at `stage`; raise KeyError for a code that is not in the catalogue."""
    return CATALOGUE.get((stage, code)) or CATALOGUE[None, code]
