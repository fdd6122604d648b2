"""The kinds of connections, by the word that addresses, files and commands use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connections.models import Connection, MailboxConnection, SmtpConnection
from credentials.vault import register_sealed

KINDS: Mapping[str, type[Connection]] = MappingProxyType(
    {model.KIND: model for model in (SmtpConnection, MailboxConnection)}
)

ANY = "|".join(KINDS)
"""The kinds as a pattern of addresses."""


def register_secrets() -> None:
    """Tell the vault which columns hold what it sealed, so that a rotation of its key reaches them."""
    models: tuple[type[Connection], ...] = (Connection, *KINDS.values())
    for model in models:
        for name in model.SECRETS:
            column = f"{name}_sealed"
            if model._meta.get_field(column).model is model:
                register_sealed(model, column, name)
