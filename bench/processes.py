"""Child processes of a benchmark: each is ended by its id when the block ends, however it ends."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_GRACE = 20.0
"""Seconds that a child gets to end by itself before it is killed."""


@contextlib.contextmanager
def running(
    arguments: Sequence[str], *, environ: Mapping[str, str] | None = None, output: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python ARGUMENTS` for the body; it has pipes for input and output, or writes to the file `output`."""
    with contextlib.ExitStack() as stack:
        told = stack.enter_context(output.open("wb")) if output else subprocess.PIPE
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=environ,
                stdin=subprocess.PIPE,
                stdout=told,
                stderr=subprocess.STDOUT if output else None,
                # Ctrl-C is for us: we end our children, in their order.
                start_new_session=True,
            )
        )
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a child: SIGTERM, then SIGKILL for one that does not go."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def answer(arguments: Sequence[str], text: str, *, environ: Mapping[str, str] | None = None, seconds: float) -> str:
    """Run `python ARGUMENTS` with `text` as its input, to its end, and return what it wrote.

    Raises CalledProcessError, and TimeoutExpired after `seconds` (the child is killed by then).
    """
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environ,
        input=text,
        stdout=subprocess.PIPE,
        text=True,
        timeout=seconds,
        check=True,
    )
    return done.stdout


def free_port() -> int:
    """Return a TCP port of loopback that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port
