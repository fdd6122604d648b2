"""What each role gets at a door, by the declarations alone."""

from __future__ import annotations

from core.permissions import ACTS, ANYONE, LOGGED_IN, ROLES, Need
from tests.role_table.doors import Door

STRANGER = "stranger"
NO_ROLE = "no role"
COLUMNS = (STRANGER, NO_ROLE, *ROLES)

YES = "yes"
PART = "part"
NO = "no"
HIDDEN = "404"
LOG_IN = "log in"


def cell(door: Door, column: str) -> str:
    """Return what a column of the table says at a door."""
    if column == STRANGER:
        return YES if all(ANYONE in need.acts for need in door.needs) else LOG_IN
    held = frozenset(ROLES.get(column, ())) | {ANYONE, LOGGED_IN}
    verdicts = [_verdict(need, held, is_detail=door.is_detail) for need in door.needs]
    return next(verdict for verdict in (HIDDEN, NO, PART, YES) if verdict in verdicts)


def _verdict(need: Need, held: frozenset[str], *, is_detail: bool) -> str:
    seen = any((ACTS[act].sees if act in ACTS else act) in held for act in need.acts)
    if is_detail and not seen:
        return HIDDEN
    if held.issuperset(need.acts) or (need.acts[0] in held and not need.parts):
        return YES
    return PART if held.intersection(need.acts) or (need.owner and seen) else NO
