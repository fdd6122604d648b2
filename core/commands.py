"""What every management command of ours stands on: who runs it is who acts."""

from __future__ import annotations

import os
import pwd
from typing import Any

from django.core.management.base import BaseCommand

from core import audit


class AuditedCommand(BaseCommand):
    """A command whose changes are recorded under the name of the system's user who runs it."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command with its actor bound."""
        with audit.acting(audit.Actor(None, system_user(), audit.Door.COMMAND)):
            return super().execute(*args, **options)


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
