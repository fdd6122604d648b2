"""`python -m tests.lab`: run the lab in the foreground until Ctrl-C or SIGTERM."""

import argparse
import os
import select
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.lab import debian
from tests.lab.daemon import LabError
from tests.lab.lab import Lab, check_folder, temporary_folder
from tests.lab.pylab import PyLab
from tests.lab.samples import deliver

# Easy to remember, and free on most machines; another is chosen for each that is taken.
PORTS = {
    "submission": 2587,
    "smtps": 2465,
    "plain": 2525,
    "imap": 2143,
    "imaps": 2993,
    "pop3": 2110,
    "pop3s": 2995,
}
CHECK_SECONDS = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the lab; return 0 after a signal, 1 when a server died, 2 when the lab could not start."""
    options = _options(arguments)
    stopped = _stop_requests()
    with ExitStack() as stack:
        try:
            lab = _started(options.folder, stack)
            if options.json:
                lab.facts().write_json(options.json)
                stack.callback(options.json.unlink, missing_ok=True)
        except (LabError, OSError) as error:
            sys.stderr.write(f"The lab cannot start: {error}\n")
            return 2
        mail = deliver(lab.dovecot, "alice") if isinstance(lab, Lab) else ""
        _say(f"{lab.facts().table(mail)}\n\nThe lab runs. Stop it with Ctrl-C.")
        while not select.select([stopped], [], [], CHECK_SECONDS)[0]:
            if not lab.alive:
                sys.stderr.write(f"A server of the lab ended by itself; its log is in {lab.folder}.\n")
                return 1
        _say("\nStopping the lab.")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab", description="Run the mail servers of the test suite on 127.0.0.1 until Ctrl-C."
    )
    parser.add_argument(
        "--folder", type=Path, help="where configuration, logs and CA file go (default: a temporary one)"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write hosts, ports, users and passwords there as well"
    )
    return parser.parse_args(arguments)


def _stop_requests() -> int:
    """Return a file descriptor that becomes readable at the first SIGINT or SIGTERM."""
    # A handler that raises could strike in the middle of starting or stopping a server; a byte in a pipe waits.
    readable, writable = os.pipe()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os.write(writable, b"."))
    return readable


def _started(folder: Path | None, stack: ExitStack) -> Lab | PyLab:
    """Start the real servers where they can run, the Python ones elsewhere; `stack` stops them."""
    if folder is None:
        folder = temporary_folder()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
    problem = debian.why_not("postfix")
    if problem is None:
        check_folder(folder.resolve())
        return stack.enter_context(Lab(folder, preferred_ports=PORTS))
    _say(f"Postfix and Dovecot cannot run here ({problem}): the Python servers of the test suite run in their place.\n")
    return stack.enter_context(PyLab(folder, preferred_ports=PORTS))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
