"""P6 and P8: a bulk test of many connections over REST, and what a click waits while it runs.

A console runs over a folder of its own with its usual two processes. First clicks alone; then the bulk test of
`--count` connections, an account each, over a few fast servers, and clicks at a server of their own for as long as
it runs. The bare client (`bench.raw`) signs in as often, as many at a time, and its CPU is what the wall is
measured by.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import clients
from bench.clients import Task
from bench.console import Api, console
from bench.figures import machine, percentile, table
from bench.mailserver import Target, mail_servers

WARM_UP = 5
IN_FLIGHT = 100
_PATIENCE = 3_600.0
_PAUSE = 0.5
_HEAD = ("ms", "p50", "p95", "max")


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    options = _parser().parse_args(arguments)
    accounts = -(-options.count // options.servers)
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as folder:
        root = Path(folder)
        (root / "data").mkdir()
        with (
            mail_servers(root / "pki", processes=options.servers, accounts=accounts) as targets,
            mail_servers(root / "own") as (own,),
            console(root / "data") as api,
        ):
            path = _prepare(api, targets[: options.count], own)
            alone = [_click(api, path) for _ in range(WARM_UP + options.clicks)][WARM_UP:]
            wall, meanwhile, batch = _bulk(api, path)
            bare = clients.measure(Task("raw", options.count, IN_FLIGHT, tuple(targets[: options.count])))
    print(f"{machine()}\n")
    print(f"A bulk test of {options.count:,} connections at {options.servers} servers: {_told(batch)}.\n")
    print(table(_HEAD, [_row("a click alone", alone), _row("a click behind the bulk", meanwhile)]))
    print(f"\nbehind / alone at p50: {percentile(meanwhile, 0.5) / percentile(alone, 0.5):.2f} (P8: at most 1.5)")
    print(
        f"bulk: {wall:.1f} s, {1000 * wall / options.count:.1f} ms each; raw CPU {bare.cpu:.1f} s; "
        f"wall / raw CPU: {wall / bare.cpu:.2f} (P6: at most 1.5)"
    )


def _prepare(api: Api, targets: Sequence[Target], own: Target) -> str:
    """Trust the servers, define the connections, and return where a click is asked for."""
    for root in dict.fromkeys(target.root for target in (*targets, own)):
        api.post("trust-store/certificates/", {"certificate": root, "as": "anchor", "reason": "bench"})
    for place, target in enumerate(targets):
        api.post("connections/smtp/", _definition(f"bulk-{place:05}", target))
    made = api.post("connections/smtp/", _definition("click", own))
    return f"connections/smtp/{made['id']}/test/?wait=30"


def _definition(name: str, target: Target) -> dict[str, Any]:
    return {
        "name": name,
        "host": target.host,
        "port": target.port,
        "connection_security": "STARTTLS",
        "username": target.username,
        "password": target.password,
        "match_server_hostname": True,
    }


def _click(api: Api, path: str) -> float:
    """Return the milliseconds from the request for a test to its verdict; raise ValueError where it did not sign in."""
    begin = time.perf_counter()
    job = api.post(path, {})
    spent = 1000 * (time.perf_counter() - begin)
    if job["state"] != "finished" or job["verdict"] == "failure":
        raise ValueError(json.dumps(job)[:2_000])
    return spent


def _bulk(api: Api, path: str) -> tuple[float, list[float], dict[str, Any]]:
    """Return the seconds of the bulk, the clicks meanwhile, and the batch; raise ValueError where a test failed."""
    begin = time.perf_counter()
    batch = api.post("connections/bulk/", {"action": "test", "filter": {"q": "bulk-"}})
    address, clicks = f"batches/{batch['id']}/?limit=1", []
    while batch["state"] != "finished" and time.perf_counter() - begin < _PATIENCE:
        clicks.append(_click(api, path))
        time.sleep(_PAUSE)  # a person who clicks now and then, not a load
        batch = api.get(address)[0]
    wall = time.perf_counter() - begin
    if batch["verdicts"]["success"] + batch["verdicts"]["warning"] != batch["total"]:
        raise ValueError(json.dumps(batch)[:2_000])
    return wall, clicks, batch


def _told(batch: dict[str, Any]) -> str:
    return f"{batch['verdicts']['success']:,} successful, {batch['verdicts']['warning']:,} with a warning"


def _row(title: str, values: Sequence[float]) -> list[str]:
    return [title, *(f"{value:.1f}" for value in (percentile(values, 0.5), percentile(values, 0.95), max(values)))]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench bulk", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000, help="connections (default: %(default)s)")
    parser.add_argument("--servers", type=int, default=4, help="mail servers (default: %(default)s)")
    parser.add_argument("--clicks", type=int, default=50, help="clicks alone (default: %(default)s)")
    return parser
