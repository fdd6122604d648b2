"""The console as an operator runs it: `manage.py up` as a process of its own, with real settings and data."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
PATIENCE = 60.0
PASSWORD = "correct-horse-battery-9"


def environment(data, **more):
    """Return an environment in which nothing of the test run is left."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("POSTERN_") and name != "DJANGO_SETTINGS_MODULE"
    }
    return {**inherited, "POSTERN_DATA": str(data), "PYTHONUNBUFFERED": "1", **more}


def manage(data, *arguments, check=True, stdin=None, **more):
    """Run a command of manage.py to its end and return what it was."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE,
        env=environment(data, **more),
        input=stdin,
        capture_output=True,
        text=True,
        check=check,
        timeout=PATIENCE,
    )


def until(condition, what, *, patience=PATIENCE, pause=0.02):
    """Wait until a condition gives something true and return that; fail with `what` after a minute."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(pause)
    raise AssertionError(f"in vain for {patience:g} s: {what}")


def children(pid):
    """Return the ids of the processes that a process has started and that live."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def descendants(pid):
    """Return all processes below a process."""
    return [each for child in children(pid) for each in (child, *descendants(child))]


def command_line(pid):
    """Return the arguments of a process, "" where it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def lives(pid):
    """Tell whether a process is there and no zombie."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


class Console:
    """One installation: a data folder, a port, and the process while it runs."""

    def __init__(self, data, port, **more):
        self.data, self.port, self.more = Path(data), port, more
        self.process = None
        self.token = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            below = descendants(self.process.pid)
            self.process.kill()
            self.process.wait()
            for pid in below:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.stdout.close()

    def start(self):
        """Start it and return what it printed until it was ready."""
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=BASE,
            env=environment(self.data, POSTERN_PORT=str(self.port), **self.more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if "is ready at" in line:
                return "".join(lines)
        raise AssertionError(f"it did not become ready:\n{''.join(lines)}")

    def stop(self, number=signal.SIGTERM):
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        self.process.stdout.read()
        return self.process.wait(PATIENCE)

    def pids(self, what):
        """Return the direct children that are `web` or `dispatcher`."""
        word = {"web": "console.web", "dispatcher": "manage.py dispatcher"}[what]
        return [pid for pid in children(self.process.pid) if word in command_line(pid)]

    def kill(self, *names):
        """Kill children by name with everything below them, and wait until others have taken their place."""
        before = {pid: name for name in names for pid in self.pids(name)}
        for pid in before:
            for each in (*descendants(pid), pid):
                os.kill(each, signal.SIGKILL)
        for name in names:
            until(lambda name=name: set(self.pids(name)) - set(before), f"{name} started again")

    def manage(self, *arguments, **more):
        """Run a command of manage.py on the same data."""
        return manage(self.data, *arguments, **more)

    def log_in(self):
        """Get a token that may do everything."""
        self.token = self.manage("token", "create", "admin").stdout.split()[-1]

    def ask(self, method, path, body=None):
        """Return (status, JSON) of a call to the API; a connection that a killed server cut is made again."""
        return until(lambda: self._try(method, path, body), f"{method} {path}")

    def _try(self, method, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, f"/api/v1/{path}", json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return answer.status, json.loads(content) if content else None
