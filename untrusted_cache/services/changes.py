"""The version of all trust: one line for every change and every endpoint that it may concern."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from untrusted_cache.choices import Kind
from untrusted_cache.models import TrustChange, TrustEntry


def note_change(now: dt.datetime, host: str | None = None, port: int | None = None) -> None:
    """Write that trust changed for an endpoint, for all ports of a host, or for all; call it in the transaction."""
    change = TrustChange(host=host, port=port, at=now)
    change.full_clean()
    change.save(force_insert=True)


def note_entry(entry: TrustEntry, now: dt.datetime, former_scope: Iterable[str] | None = None) -> None:
    """Write that an entry came, changed or went; `former_scope` is what its scope was before."""
    if entry.kind == Kind.PIN:
        note_change(now, entry.host, entry.port)
        return
    former = entry.scope if former_scope is None else list(former_scope)
    if not entry.scope or not former:
        note_change(now)
        return
    for host in sorted({*entry.scope, *former}):
        note_change(now, host)
