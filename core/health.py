"""What must work before the console is ready; each app registers its own checks."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import connection

logger = logging.getLogger(__name__)

Check = Callable[[], None]


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


_checks: dict[str, Check] = {"database": _database}


def register_check(name: str, check: Check) -> None:
    """Let `check` be asked by /readyz; it raises where its thing does not work."""
    _checks[name] = check


def failing() -> list[str]:
    """Return the names of what does not work now; why stands in the log, not before strangers."""
    names = []
    for name, check in _checks.items():
        try:
            check()
        except Exception:
            logger.exception("Not ready: %s", name)
            names.append(name)
    return names
