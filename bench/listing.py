"""C1: the list of connections over REST, beside a plain Django REST framework project with the same rows.

Both run under the same web server on SQLite, each in a process of its own; requests are asked in turns, one
client, one connection kept open.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.console import Api, await_ready
from bench.figures import machine, median, percentile, table
from bench.processes import answer, free_port, running
from bench.rows import name_of
from bench.serving import HEADER

WARM_UP = 5

_FILLING = 300.0
_HEAD = ("request", "ours p50", "p95", "queries", "plain p50", "p95", "queries", "p50 ratio", "p95 ratio")

_OURS = ("console.settings", "bench.fill", "/healthz")
_PLAIN = ("bench.plain.settings", "bench.plain.fill", "/api/v1/connections/?limit=1")


class Asked:
    """What the requests of one kind to one project took: milliseconds, and statements."""

    def __init__(self) -> None:
        self.ms: list[float] = []
        self.queries: list[int] = []

    def ask(self, api: Api, path: str, hits: int) -> None:
        """Ask once; raise ValueError where the list does not have as many rows as it should."""
        begin = time.perf_counter()
        page, response = api.get(path)
        self.ms.append(1000 * (time.perf_counter() - begin))
        self.queries.append(int(response.getheader(HEADER) or -1))
        if page["count"] != hits:
            raise ValueError(f"{path}: {page['count']} rows instead of {hits}")

    @property
    def cells(self) -> list[str]:
        """Return p50, p95 and the usual number of statements."""
        return [f"{percentile(self.ms, 0.5):.1f}", f"{percentile(self.ms, 0.95):.1f}", f"{median(self.queries):.0f}"]


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as folder, contextlib.ExitStack() as stack:
        projects = [
            stack.enter_context(_project(Path(folder) / name, options.rows, *parts))
            for name, parts in (("ours", _OURS), ("plain", _PLAIN))
        ]
        lines = [_line(title, path, hits, projects, options.count) for title, path, hits in _requests(options.rows)]
    print(f"{machine()}\n")
    print(f"List of {options.rows} connections, pages of 50 with their count: ms over {options.count} requests each.\n")
    print(table(_HEAD, lines))


def _requests(count: int) -> list[tuple[str, str, int]]:
    one = name_of(count // 2)
    return [
        ("page 1", "connections/?limit=50", count),
        ("last page", f"connections/?limit=50&offset={max(0, count - 50)}", count),
        ("filter kind, status", "connections/?limit=50&kind=smtp&status=DISABLED", -(-count // 10)),
        # Each project has its own name for the parameter and passes over the other's.
        ("search, 1 hit", f"connections/?limit=50&q={one}&search={one}", 1),
    ]


def _line(title: str, path: str, hits: int, projects: Sequence[Api], count: int) -> list[str]:
    for api in projects:
        for _ in range(WARM_UP):
            Asked().ask(api, path, hits)
    ours, plain = Asked(), Asked()
    for _ in range(count):
        for asked, api in zip((ours, plain), projects, strict=True):
            asked.ask(api, path, hits)
    ratios = [percentile(ours.ms, share) / percentile(plain.ms, share) for share in (0.5, 0.95)]
    return [title, *ours.cells, *plain.cells, *(f"{ratio:.2f}" for ratio in ratios)]


@contextlib.contextmanager
def _project(data: Path, count: int, settings: str, fill: str, health: str) -> Iterator[Api]:
    """Fill a folder, serve it, and return its interface."""
    data.mkdir()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("POSTERN_")}
    environ |= {"POSTERN_DATA": str(data), "DJANGO_SETTINGS_MODULE": settings}
    token = answer(["-m", fill, str(count)], "", environ=environ, seconds=_FILLING).split()[-1]
    port, log = free_port(), data / "server.log"
    with running(["-m", "bench.serving", str(port)], environ=environ, output=log) as process:
        await_ready(port, health, process, log)
        with contextlib.closing(Api(port, token)) as api:
            yield api


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench listing", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000, help="connections (default: %(default)s)")
    parser.add_argument("--count", type=int, default=100, help="requests of each kind (default: %(default)s)")
    return parser
