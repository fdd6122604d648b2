"""Two processes under one: web server and dispatcher, started, watched, started again, and ended together.

The supervisor imports neither of them and does nothing else, so there is little in it that could break. It
binds the listening socket itself: a web server that is started again finds it open, and a browser that
connects in between waits instead of being refused.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from console.preparation import NotReady

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
"""Seconds before a child that died is started again; doubled each time, until one has lived for a while."""

STEADY = 30.0
"""Seconds after which a child counts as well again."""

GRACE = 10.0
"""Seconds that the children get to end; the dispatcher gives running tests five of them."""

SAME_SIGNAL = 0.5
"""Seconds within which a second signal is an echo of the first."""

BACKLOG = 512
BIND_PATIENCE = 2.0
"""Seconds for the children of a supervisor that was killed to let go of the port."""


@dataclass(slots=True)
class Child:
    """A process that is to run, and how that went so far."""

    name: str
    command: list[str]
    descriptors: tuple[int, ...]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = field(default=0.0)


def bind(address: str, port: int) -> socket.socket:
    """Return the listening socket; raise NotReady with one sentence where the port cannot be had."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    until = time.monotonic() + BIND_PATIENCE
    while True:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE and time.monotonic() < until:
                time.sleep(0.1)
                continue
            raise NotReady(_why_not(address, port, error)) from None
        listener.set_inheritable(True)
        return listener


def _why_not(address: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {address} is taken by another program: stop it, or set POSTERN_PORT to a free port."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address} (POSTERN_BIND) is not an address of this machine."
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used by this user: set POSTERN_PORT to a port above 1023."
    return f"Port {port} on {address} cannot be used: {error.strerror}."


class Supervisor:
    """Run web server and dispatcher until a signal says that it is enough."""

    def __init__(self, listener: socket.socket, base: Path, tell: Callable[[str], None]) -> None:
        self._listener = listener
        self._base = base
        self._tell = tell
        self._stops = 0
        self._stopped = 0.0
        # Nobody writes to it: that it closes is the message (see console.lifeline).
        lifeline, self._held = os.pipe()
        os.set_inheritable(lifeline, True)
        socket_number = listener.fileno()
        python = sys.executable
        self._children = [
            Child("web", [python, "-m", "console.web", str(socket_number), str(lifeline)], (socket_number, lifeline)),
            Child("steng", [python, "manage.py", "dispatcher", "--lifeline", str(lifeline)], (lifeline,)),
        ]

    def run(self) -> None:
        """Keep both running; return once both have ended after SIGTERM, SIGINT or SIGHUP. A second one forces."""
        with self._signals() as told:
            threading.Thread(target=self._announce, name="ready", daemon=True).start()
            try:
                while not self._stops:
                    self._keep_running()
                    self._wait(told, 0.5)
                self._tell("Stopping …")
                self._end(told)
            finally:
                for child in self._children:
                    _kill(child)
                os.close(self._held)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[int]:
        told, tell = os.pipe()
        os.set_blocking(told, False)
        os.set_blocking(tell, False)

        def count(*_: object) -> None:
            # One Ctrl-C, or one `timeout make run`, may arrive twice: at us, and through make.
            if self._stops == 0 or time.monotonic() - self._stopped > SAME_SIGNAL:
                self._stops += 1
                self._stopped = time.monotonic()

        before = {number: signal.signal(number, count) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        wakeup = signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
        try:
            yield told
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(told)
            os.close(tell)

    def _wait(self, told: int, seconds: float) -> None:
        select.select([told], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            os.read(told, 4096)

    def _keep_running(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._note_death(child, now)
            if child.process is None and now >= child.due:
                self._start(child)

    def _start(self, child: Child) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "POSTERN_ADMIN_PASSWORD"}
        child.process = subprocess.Popen(  # noqa: S603  our own programs
            child.command,
            cwd=self._base,
            env={**environment, "POSTERN_ROLE": child.name},
            pass_fds=child.descriptors,
            stdin=subprocess.DEVNULL,
            # A session of its own: Ctrl-C is for us, and we tell the children in good order.
            start_new_session=True,
        )
        child.started = time.monotonic()

    def _note_death(self, child: Child, now: float) -> None:
        status = child.process.returncode if child.process else 0
        _kill(child)  # what it has left behind: a web worker whose parent was killed
        child.process = None
        if now - child.started > STEADY:
            child.pause = FIRST_PAUSE
        child.due = now + child.pause
        self._tell(f"The {child.name} process ended (status {status}); it is started again.")
        child.pause = min(child.pause * 2, LONGEST_PAUSE)

    def _end(self, told: int) -> None:
        for child in self._children:
            if child.process is not None:
                with contextlib.suppress(ProcessLookupError):
                    child.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + GRACE
        while time.monotonic() < until and self._stops < 2:
            if all(child.process is None or child.process.poll() is not None for child in self._children):
                return
            self._wait(told, 0.1)

    def _announce(self) -> None:
        """Say once where the console is, as soon as it answers there."""
        host, port = self._listener.getsockname()[:2]
        reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound
        shown = f"[{reachable}]" if ":" in reachable else reachable
        while not self._stops:
            if _is_ready(reachable, port):
                self._tell(f"Postern is ready at http://{shown}:{port}/ (Ctrl-C ends it).")
                return
            time.sleep(0.1)


def _is_ready(host: str, port: int) -> bool:
    asking = http.client.HTTPConnection(host, port, timeout=5)
    try:
        asking.request("GET", "/readyz", headers={"Host": "localhost"})
        return asking.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()


def _kill(child: Child) -> None:
    """End a child and everything in its session at once; nothing happens where all of it has ended."""
    if child.process is None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()
