"""The bell between the web server and the dispatcher: a named pipe, so that a click costs milliseconds.

The bell carries nothing: what to do stands in the database, and the dispatcher looks there each second
anyhow. So a bell that nobody hears, or that rings twice, is no error.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from django.conf import settings


def bell() -> Path:
    """Return the path of the named pipe."""
    return Path(settings.POSTERN_DATA) / "run" / "dispatcher.bell"


def wake() -> None:
    """Ring, if anybody listens; never wait, never fail."""
    # ENXIO: no dispatcher reads. ENOENT: none ever ran here. EAGAIN: the pipe is full of rings already.
    with contextlib.suppress(OSError):
        pipe = os.open(bell(), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if stat.S_ISFIFO(os.fstat(pipe).st_mode):
                os.write(pipe, b"!")
        finally:
            os.close(pipe)


def listen() -> int:
    """Return a non-blocking descriptor that is readable after each ring; raise OSError where none can be made.

    It is open for writing too, so that it never reads as closed while no web server runs.
    """
    path = bell()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and not path.is_fifo():
        path.unlink()
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
