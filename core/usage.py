"""Who uses a thing: apps that refer to others say so here, so that the others need not know them.

The trust store can show what an entry is used by, and refuse to remove what is in use, without an import
of connections; a kind of user registers its provider in its `AppConfig.ready`. The way back is `listen` and
`notify`: who uses a thing hears when it changed, in the transaction of the change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

Provider = Callable[[Any], list[dict[str, Any]]]
Counter = Callable[[Collection[Any]], Mapping[Any, int]]
Listener = Callable[[Any, Collection[str]], None]

_providers: dict[str, list[Provider]] = {}
_counters: dict[Provider, Counter] = {}
_listeners: dict[str, list[Listener]] = {}


def register_usage(kind: str, provider: Provider, counter: Counter | None = None) -> None:
    """Let `provider` answer for things of `kind` (e.g. "trust", "credential", "cluster"); twice is once.

    `counter` tells of many things at once how many users each has, by primary key, for lists: without one the
    provider is asked for each row.
    """
    known = _providers.setdefault(kind, [])
    if provider not in known:
        known.append(provider)
    if counter is not None:
        _counters[provider] = counter


def usage(kind: str, thing: Any) -> list[dict[str, Any]]:
    """Return the users of a thing as the API shows them: `{"kind", "id", "name"}`."""
    return [user for provider in _providers.get(kind, ()) for user in provider(thing)]


def usage_counts(kind: str, things: Collection[Any]) -> dict[Any, int]:
    """Return by primary key how many users each of these things has."""
    counts = dict.fromkeys((thing.pk for thing in things), 0)
    for provider in _providers.get(kind, ()):
        counter = _counters.get(provider)
        found = counter(things) if counter is not None else {thing.pk: len(provider(thing)) for thing in things}
        for key, number in found.items():
            counts[key] += number
    return counts


def listen(kind: str, listener: Listener) -> None:
    """Let `listener` hear of every change of a thing of `kind`: it gets the thing and what changed; twice is once."""
    known = _listeners.setdefault(kind, [])
    if listener not in known:
        known.append(listener)


def notify(kind: str, thing: Any, changed: Collection[str]) -> None:
    """Tell the listeners, in the transaction of the caller: one that fails undoes the change."""
    for listener in _listeners.get(kind, ()):
        listener(thing, changed)
