"""Who uses a thing: apps that refer to others say so here, so that the others need not know them.

The trust store can show what an entry is used by, and refuse to remove what is in use, without an import
of connections; a kind of user registers its provider in its `AppConfig.ready`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Provider = Callable[[Any], list[dict[str, Any]]]

_providers: dict[str, list[Provider]] = {}


def register_usage(kind: str, provider: Provider) -> None:
    """Let `provider` answer for things of `kind` (e.g. "trust", "credential", "cluster"); twice is once."""
    known = _providers.setdefault(kind, [])
    if provider not in known:
        known.append(provider)


def usage(kind: str, thing: Any) -> list[dict[str, Any]]:
    """Return the users of a thing as the API shows them: `{"kind", "id", "name"}`."""
    return [user for provider in _providers.get(kind, ()) for user in provider(thing)]
