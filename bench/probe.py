"""P1: what one probe costs. CPU of the client process for SMTP with STARTTLS, sign-in and the captured chain.

Ours, the bare client (`bench.raw`) and aiosmtplib take turns against the same servers in processes of their
own; each measurement is a fresh client process. Read CPU and ratios: the wall belongs to who shares the machine.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.clients import CLIENTS, Spent, Task, measure
from bench.figures import machine, median, table
from bench.mailserver import Target, mail_servers

SERVERS = 2
"""Server processes: one alone would be what everybody waits for."""

VARIETY = 300
"""Certificates and accounts of each server: in a bulk test hardly anything is met twice."""

_HEAD = ("in flight", "client", "CPU ms", "user", "sys", "min", "max", "probes/s", "peak MB", "vs raw")

Measured = dict[tuple[int, str], list[Spent]]


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    options = _parser().parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="postern-bench-") as folder,
        mail_servers(Path(folder), processes=SERVERS, variety=VARIETY) as targets,
    ):
        measured = _measure(options, targets)
    print(f"{machine()}\n")
    print(
        f"CPU of the client process per probe (user + sys, ms): SMTP, STARTTLS, AUTH PLAIN, chain of 2.\n"
        f"n = {options.count}, medians of {options.rounds} rounds in turns.\n"
    )
    print(table(_HEAD, _rows(measured, options.count)))


def _measure(options: argparse.Namespace, targets: Sequence[Target]) -> Measured:
    measured: Measured = {}
    for _ in range(options.rounds):
        for in_flight in options.in_flight:
            for client in CLIENTS:
                task = Task(client, options.count, in_flight, tuple(targets))
                measured.setdefault((in_flight, client), []).append(measure(task))
    return measured


def _rows(measured: Measured, count: int) -> list[list[str]]:
    return [
        _row(in_flight, client, spent, count, ratio=_ratio(spent, measured[in_flight, "raw"]))
        for (in_flight, client), spent in measured.items()
    ]


def _ratio(spent: Sequence[Spent], peer: Sequence[Spent]) -> float:
    # Round by round, then the middle: a burst of somebody else's work spoils a pair, not the comparison.
    return median([mine.cpu / other.cpu for mine, other in zip(spent, peer, strict=True)])


def _row(in_flight: int, client: str, spent: Sequence[Spent], count: int, *, ratio: float) -> list[str]:
    per_probe = [1000 * each.cpu / count for each in spent]
    return [
        str(in_flight),
        client,
        f"{median(per_probe):.2f}",
        f"{1000 * median([each.user for each in spent]) / count:.2f}",
        f"{1000 * median([each.system for each in spent]) / count:.2f}",
        f"{min(per_probe):.2f}",
        f"{max(per_probe):.2f}",
        f"{median([count / each.wall for each in spent]):.0f}",
        f"{median([each.peak for each in spent]):.0f}",
        f"{ratio:.2f}",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench probe", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000, help="probes per measurement (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds in turns (default: %(default)s)")
    parser.add_argument(
        "--in-flight", type=int, nargs="+", default=[50, 500], help="probes at a time (default: %(default)s)"
    )
    return parser
