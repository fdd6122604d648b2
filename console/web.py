"""The web server of `manage.py up`: gunicorn on a socket that the supervisor has bound.

python -m console.web LISTENING_DESCRIPTOR LIFELINE_DESCRIPTOR
"""

from __future__ import annotations

import os
import sys
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from console.lifeline import end_with
from console.worker import TimedWorker

THREADS = 16
"""Twice what may wait for tests at a time (`cluster.waiting`), so that pages are always answered."""


class Web(BaseApplication):  # type: ignore[misc]
    """The console under gunicorn, one process with threads: SQLite has one writer anyhow, and memory is shared."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        super().__init__()

    def load_config(self) -> None:
        """Set what differs from gunicorn's own choices."""
        for name, value in {
            "bind": f"fd://{self._descriptor}",
            "worker_class": TimedWorker,
            "workers": 1,
            "threads": THREADS,
            "graceful_timeout": 3,
            "timeout": 60,
            "keepalive": 15,
            "loglevel": "warning",
            "control_socket_disable": True,  # it would stand in the home folder, shared by all installations
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the WSGI application; called in the worker, so that the parent stays small."""
        from console.wsgi import application  # noqa: PLC0415  the parent must not load Django

        return application


def main() -> None:
    """Serve until SIGTERM, or until the supervisor is gone."""
    listening, lifeline = (int(argument) for argument in sys.argv[1:3])
    end_with(lifeline)
    Web(listening).run()


if __name__ == "__main__":
    main()
