"""What every management command of ours stands on: who runs it is who acts."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import audit


class AuditedCommand(BaseCommand):
    """A command whose changes are recorded under the name of the system's user who runs it.

    `acts` says, by the word that chooses what it does ("" where there is one thing only), which act that is. It is
    not asked for: who may run it is decided by the system.
    """

    acts: Mapping[str, str] = {}

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command with its actor bound."""
        with audit.acting(audit.Actor(None, system_user(), audit.Door.COMMAND)):
            return super().execute(*args, **options)


class IntermixedParser(CommandParser):
    """Parse a sub-command whose options may stand between its words: `set NAME --kind smtp field=value …`."""

    _inside = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse options first and words afterwards, which the stock parser does only when asked for it."""
        if self._inside:
            return super().parse_known_args(args, namespace)
        self._inside = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._inside = False


def system_user() -> str:
    """Return the name of the user whose process this is, by the system's own account.

    Not from the environment, where everybody can call himself as he likes; a user id without an account,
    as containers have, is its number.
    """
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"
