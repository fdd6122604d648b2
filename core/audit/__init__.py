"""The audit trail: who did what, when, where from, through which door, and what it was before and after.

A service that changes something calls `record` in the transaction of the change, so that there is never one
without the other. Who acts is bound around the work by whatever opened the door (`acting`), not handed through
every call. What a row may show is declared once (`declare`); a secret shows that it is set, and since when.
"""

from core.audit.actors import STRANGER, Actor, Door, acting, acting_everywhere, current
from core.audit.acts import ACTS, group_of
from core.audit.declarations import Declaration, Thing, declare, declared, register_links, snapshot, thing
from core.audit.recording import record

__all__ = [
    "ACTS",
    "STRANGER",
    "Actor",
    "Declaration",
    "Door",
    "Thing",
    "acting",
    "acting_everywhere",
    "current",
    "declare",
    "declared",
    "group_of",
    "record",
    "register_links",
    "snapshot",
    "thing",
]
