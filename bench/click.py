"""P3: one interactive test. From the request over REST (`?wait=30`) to its verdict, beside the bare client's time.

A console runs over a folder of its own with its usual two processes. One click after the other, each followed
by one sign-in of the bare client (`bench.raw`) to the same server: what is left is what the product adds.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import raw
from bench.console import Api, console
from bench.figures import machine, percentile, table
from bench.mailserver import Target, mail_servers

WARM_UP = 5

_HEAD = ("ms", "p50", "p95", "max")


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as folder:
        root = Path(folder)
        (root / "data").mkdir()
        with mail_servers(root / "pki") as (target,), console(root / "data") as api:
            path = _prepare(api, target)
            clicks, bare, probes = _measure(api, path, target, options.count)
    print(f"{machine()}\n")
    print(f"One test of a fast server: {options.count} clicks and as many bare sign-ins, in turns.\n")
    rows = [
        _row("click: request to verdict", clicks),
        _row("  of that, the probe itself", probes),
        _row("raw", bare),
    ]
    added = [f"{percentile(clicks, rank / 100) - percentile(bare, rank / 100):+.1f} ms at p{rank}" for rank in (50, 95)]
    print(table(_HEAD, rows))
    print(
        f"\nclick - raw: {', '.join(added)}; click / raw at p50: {percentile(clicks, 0.5) / percentile(bare, 0.5):.1f}"
    )


def _prepare(api: Api, target: Target) -> str:
    """Trust the server's authority, define the connection, and return where its tests are asked for."""
    api.post("trust-store/certificates/", {"certificate": target.root, "as": "anchor", "reason": "bench"})
    made = api.post(
        "connections/smtp/",
        {
            "name": "bench",
            "host": target.host,
            "port": target.port,
            "connection_security": "STARTTLS",
            "username": target.username,
            "password": target.password,
            "match_server_hostname": True,
        },
    )
    return f"connections/smtp/{made['id']}/test/?wait=30"


def _measure(api: Api, path: str, target: Target, count: int) -> tuple[list[float], list[float], list[float]]:
    context = raw.context_for(target.root)
    clicks: list[float] = []
    bare: list[float] = []
    probes: list[float] = []
    with asyncio.Runner() as runner:
        for _ in range(WARM_UP + count):
            begin = time.perf_counter()
            job = api.post(path, {})
            between = time.perf_counter()
            runner.run(raw.sign_in(target, context))
            end = time.perf_counter()
            probes.append(_probe_ms(job))
            clicks.append(1000 * (between - begin))
            bare.append(1000 * (end - between))
    return clicks[WARM_UP:], bare[WARM_UP:], probes[WARM_UP:]


def _probe_ms(job: dict[str, Any]) -> float:
    """Return how long the stages of a test took together; raise ValueError where it did not sign in."""
    outcomes = {stage["name"]: stage["outcome"] for stage in job["stages"]}
    if job["state"] != "finished" or outcomes.get("auth") != "ok":
        raise ValueError(job)
    return float(sum(stage["duration_ms"] or 0 for stage in job["stages"]))


def _row(title: str, values: Sequence[float]) -> list[str]:
    return [title, *(f"{value:.1f}" for value in (percentile(values, 0.5), percentile(values, 0.95), max(values)))]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench click", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="clicks (default: %(default)s)")
    return parser
