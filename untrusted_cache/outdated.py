"""Verdicts that a change of trust left behind: who keeps them says how many, and where they are tested again."""

from __future__ import annotations

from collections.abc import Callable

Outdated = Callable[[], tuple[int, str]]
"""Returns how many verdicts are out of date, and the address of the list from which they are tested again."""

_providers: list[Outdated] = []


def register_outdated(provider: Outdated) -> None:
    """Let `provider` be asked after each change of trust; twice is once."""
    if provider not in _providers:
        _providers.append(provider)


def outdated() -> list[tuple[int, str]]:
    """Return what the providers say, where there is anything to test again."""
    return [(count, address) for count, address in (provider() for provider in _providers) if count]
