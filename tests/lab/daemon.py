"""One daemon as a child process: started in a session of its own, waited for, stopped by its own process id."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

START_SECONDS = 20.0  # generous: a loaded machine is slow, a broken configuration dies at once and is seen at once
STOP_SECONDS = 10.0
POLL_SECONDS = 0.01


class LabError(Exception):
    """Say in one sentence why the lab cannot do what was asked."""


def wait_for(condition: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Return as soon as `condition` holds; raise LabError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(POLL_SECONDS)


def make_folder(folder: Path) -> None:
    """Make a folder that the users of the daemons can enter, whatever the umask of this process is."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)


def accepts(host: str, port: int) -> bool:
    """Say whether somebody listens on this port; the connection is closed again at once."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _leash(group: int) -> subprocess.Popen[bytes]:
    """Start a shell that ends the process group when this process is gone, also when it was killed.

    The shell waits for a pipe to close whose other end this process alone holds. (The kernel's own PR_SET_PDEATHSIG
    will not do: it is forgotten when a program changes its user for a moment, as Postfix does.)
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", f"read _; kill -TERM -{group}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


class Daemon:
    """Run one server program in the foreground, as a child of this process."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        """Name the program; `log` is where it writes, and what a failure quotes from."""
        self.name = name
        self.log = log
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: subprocess.Popen[bytes] | None = None

    def start(self, ports: Sequence[tuple[str, int]]) -> None:
        """Start the program and return when all of `ports` accept connections.

        Raises LabError, with the end of the log, if it dies first or takes too long.
        """
        # Two reasons for a session of its own: Ctrl-C in the terminal must reach us alone, and Postfix ends by
        # signalling its whole process group.
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd="/",
                umask=0o022,
            )
        self._leash = _leash(self._process.pid)
        pending = list(ports)

        def ready() -> bool:
            if not self.alive:
                raise LabError(f"{self.name} ended while it started. Its log ends with:\n{self.log_tail()}")
            while pending and accepts(*pending[0]):
                pending.pop(0)
            return not pending

        try:
            wait_for(ready, f"{self.name} to listen on {', '.join(f'{host}:{port}' for host, port in ports)}")
        except BaseException:
            self.stop()
            raise

    @property
    def alive(self) -> bool:
        """Say whether the program still runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Return the process id while it runs."""
        return self._process.pid if self._process is not None and self.alive else None

    def stop(self) -> None:
        """End the program and everything it started; does nothing the second time."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # What outlived its master is still in the session we made for it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        self._drop_leash()

    def _drop_leash(self) -> None:
        leash, self._leash = self._leash, None
        if leash is not None:
            leash.kill()  # before its pipe closes: its reaction to that is for the day when nobody could call this
            leash.communicate()

    def log_tail(self, lines: int = 12) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log_text().splitlines()[-lines:])

    def log_text(self) -> str:
        """Return the whole log."""
        try:
            return self.log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
