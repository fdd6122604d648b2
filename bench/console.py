"""A console of its own for a benchmark: `manage.py up` over a folder that is made for it, and its REST interface."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

from bench.processes import answer, free_port, running

HOST = "127.0.0.1"
_READY = 120.0
_REQUEST = 70.0
"""Seconds for the first start, and for one request: longer than `?wait=` may take."""


@dataclass(slots=True)
class Api:
    """The REST interface over one connection that is kept open, as a script would use it."""

    port: int
    token: str
    prefix: str = "/api/v1/"
    _connection: http.client.HTTPConnection = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection(HOST, self.port, timeout=_REQUEST)

    def get(self, path: str) -> tuple[Any, http.client.HTTPResponse]:
        """Return the parsed body and the response; raise ValueError for any status but 2xx."""
        return self._request("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the parsed body; raise ValueError for any status but 2xx."""
        return self._request("POST", path, body)[0]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[Any, http.client.HTTPResponse]:
        headers = {"Authorization": f"Token {self.token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        text = None if body is None else json.dumps(body)
        self._connection.request(method, self.prefix + path, body=text, headers=headers)
        response = self._connection.getresponse()
        said = response.read()
        if not 200 <= response.status < 300:
            raise ValueError(f"{method} {path}: {response.status} {said[:500]!r}")
        return json.loads(said), response


@contextlib.contextmanager
def console(data: Path) -> Iterator[Api]:
    """Run a console over the empty folder `data`, and return its interface with a token for everything."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("POSTERN_")}
    port = free_port()
    environ |= {"POSTERN_DATA": str(data), "POSTERN_PORT": str(port)}
    started = {**environ, "POSTERN_ADMIN_PASSWORD": secrets.token_urlsafe(16)}
    log = data.parent / "console.log"
    with running(["manage.py", "up"], environ=started, output=log) as process:
        await_ready(port, "/readyz", process, log)
        told = answer(["manage.py", "token", "create", "admin"], "", environ=environ, seconds=_READY)
        api = Api(port, told.split()[-1])
        with contextlib.closing(api):
            yield api


def await_ready(port: int, path: str, process: Popen[bytes], log: Path) -> None:
    """Return once the server answers with less than 500; raise RuntimeError where it ends, TimeoutError in vain."""
    until = time.monotonic() + _READY
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(log.read_text(errors="replace")[-2_000:])
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", path)
            if connection.getresponse().status < 500:
                return
        time.sleep(0.1)
    raise TimeoutError(log.read_text(errors="replace")[-2_000:])
