"""Folders that are not there, not open to this account, or or open in part; POP3 servers that will not count."""

from collections.abc import Iterator

from tests.lab.faults.fault import Fault


def faults() -> Iterator[Fault]:
    """Yield them."""
    yield from ()
