"""List and run the benchmarks: `python -m bench [NAME [options]]`, or `make bench ARGS="NAME options"`.

Without a name all of them run, one after the other, with their usual counts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from bench import bulk, click, listing, probe

BENCHMARKS: dict[str, tuple[str, Callable[[Sequence[str]], None]]] = {
    "probe": ("P1: CPU per probe, ours beside a bare asyncio client and aiosmtplib", probe.main),
    "click": ("P3: one interactive test over REST, from the request to the verdict", click.main),
    "bulk": ("P6, P8: a bulk test of 1,000 connections, and a click behind it", bulk.main),
    "listing": ("C1: the list of 20,000 connections beside a plain Django REST framework list", listing.main),
}

UNKNOWN = 2


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark that is named, all of them where none is, and return the exit status."""
    if not arguments:
        for name, (title, run) in BENCHMARKS.items():
            print(f"\n== {name}: {title}\n", flush=True)
            run([])
        return 0
    name, *options = arguments
    if name not in BENCHMARKS:
        width = max(map(len, BENCHMARKS))
        print("usage: python -m bench [NAME [--help | options]]")
        print(*(f"  {known:<{width}}  {title}" for known, (title, _) in BENCHMARKS.items()), sep="\n")
        return 0 if name in {"-h", "--help", "--list"} else UNKNOWN
    BENCHMARKS[name][1](options)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
