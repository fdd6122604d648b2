"""`manage.py up`: the one command that runs the console."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from cluster.locks import Busy, exclusive
from console.preparation import NotReady, check_folder, prepare
from console.supervisor import Supervisor, bind
from core.permissions import HOST


class Command(BaseCommand):
    """Prepare what is needed, then run web server and dispatcher until Ctrl-C or SIGTERM."""

    acts = {"": HOST}
    help = (
        "Run the console: database, first administrator and static files are prepared where needed, then web server "
        "and dispatcher run until Ctrl-C or SIGTERM. Exit status 2 and one sentence where it cannot start."
    )
    # The preparation says what is wrong in one sentence; Django's checks need the database.
    requires_system_checks: list[str] = []

    def handle(self, *_: Any, **__: Any) -> None:
        """Run the console."""
        try:
            self._run(Path(settings.POSTERN_DATA))
        except NotReady as problem:
            sys.stderr.write(f"{problem}\n")
            sys.exit(2)

    def _run(self, data: Path) -> None:
        os.umask(0o077)  # database, logs and keys are nobody else's business, in whatever folder
        # Nor what is in memory: a process that crashes, ours or one of its children, writes none of it to a disk.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        check_folder(data)
        try:
            with exclusive(data / "run" / "up.lock"):
                listener = bind(settings.POSTERN_BIND, settings.POSTERN_PORT)
                password = os.environ.get("POSTERN_ADMIN_PASSWORD")
                prepare(password, self._tell, is_terminal=sys.stdout.isatty())
                Supervisor(listener, settings.BASE_DIR, self._tell).run()
        except Busy as busy:
            raise NotReady(
                f"Postern runs already with the data folder {data} ({busy}): "
                "stop it, or set POSTERN_DATA to another folder."
            ) from None

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
