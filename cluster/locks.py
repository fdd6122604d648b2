"""A lock that dies with its holder: nothing to clean up after `kill -9`."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


class Busy(Exception):
    """Somebody else holds the lock; the text says who, as far as they told."""


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock for the body; raise Busy where another process does, OSError where the file cannot be made.

    The kernel lets go of the lock when the process ends, however it ends. The number of the process stands in the
    file, for who is refused.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"process {os.pread(file, 20, 0).decode('ascii', 'replace').strip() or 'unknown'}") from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(file)
