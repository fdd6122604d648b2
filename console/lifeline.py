"""The thread by which a child of the supervisor notices that the supervisor is gone, even by `kill -9`.

The supervisor holds the writing end of a pipe and never writes. Its end closes with it, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading


def end_with(descriptor: int) -> None:
    """Send this process SIGTERM once the other end of the pipe is closed."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(descriptor, 1):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
