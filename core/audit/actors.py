"""Who acts, and through which door: bound around the work by the door, read by what is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

STRANGER = "not logged in"
"""How who has not logged in is called; no user can have a name with blanks."""


class Door(StrEnum):
    """The way by which an act came in."""

    PAGE = "page"
    API = "api"
    ADMIN = "admin"
    COMMAND = "command"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts; `address` is empty where there is none, `token` names the API token that was used, if any."""

    user_id: int | None
    name: str
    door: Door
    address: str = ""
    token: str = ""


_actor: ContextVar[Actor] = ContextVar("postern_actor")
_everywhere: list[Actor] = []


@contextmanager
def acting(actor: Actor) -> Iterator[Actor]:
    """Bind who acts, in this thread or task, until the block ends."""
    token = _actor.set(actor)
    try:
        yield actor
    finally:
        _actor.reset(token)


@contextmanager
def acting_everywhere(actor: Actor) -> Iterator[Actor]:
    """Bind who acts in all threads of this process where nobody else is bound.

    For a process that works on its own account: its threads do not inherit what one of them has bound.
    """
    _everywhere.append(actor)
    try:
        yield actor
    finally:
        _everywhere.remove(actor)


def current() -> Actor:
    """Return who acts; raise LookupError where nobody is bound: an act without an actor must not pass."""
    actor = _actor.get(None)
    if actor is not None:
        return actor
    if _everywhere:
        return _everywhere[-1]
    raise LookupError("Nobody is bound as the actor: the door that was used has to say who acts.")
