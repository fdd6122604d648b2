"""Any Django project under the console's own gunicorn, with its queries counted: `python -m bench.serving PORT`.

The project is the one of `DJANGO_SETTINGS_MODULE`; each response says in `X-Queries` how many statements it took.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.db import connection

from console.web import Web

HEADER = "X-Queries"


class Served(Web):
    """The console's web server with another application."""

    def load(self) -> Any:
        """Return the application with its counter."""
        return counted(get_wsgi_application())


def counted(application: Any) -> Callable[..., Iterable[bytes]]:
    """Return a WSGI application that adds the number of statements to each response."""

    def count(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        statements = 0

        def execute(run: Any, *arguments: Any) -> Any:
            nonlocal statements
            statements += 1
            return run(*arguments)

        # Django has made its whole answer when it calls this: nothing here streams.
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, (HEADER, str(statements))], *rest)

        with connection.execute_wrapper(execute):
            answer: Iterable[bytes] = application(environ, start)
        return answer

    return count


def main() -> None:
    """Serve until SIGTERM."""
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64) as listener:
        listener.set_inheritable(True)
        Served(listener.fileno()).run()


if __name__ == "__main__":
    main()
