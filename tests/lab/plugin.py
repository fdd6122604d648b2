"""The pytest plugin of the lab: its fixtures, and the policy for tests that cannot run here.

A test says by a marker what it needs of the machine. Where that is missing it is skipped, with the reason; the run ends
with a loud count of everything skipped; and with CI=true one skipped test makes the whole run fail, because a green run
that tested nothing is worse than a red one.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import debian
from tests.lab.lab import USERS, Lab, made_up_passwords
from tests.lab.pki import Pki

CROWD = tuple(f"agent{number:02}" for number in range(1, 51))  # for tests with many accounts at once


@pytest.fixture(scope="session")
def pki() -> Pki:
    """Return the public key infrastructure of this test process."""
    return Pki()


@pytest.fixture(scope="session")
def lab(pki: Pki) -> Iterator[Lab]:
    """Run a Postfix and a Dovecot of this test process; its users are alice, bob and agent01 to agent50."""
    problem = debian.why_not("postfix")
    if problem is not None:
        pytest.skip(f"needs Postfix and Dovecot: {problem}")
    with Lab(pki=pki, users=made_up_passwords((*USERS, *CROWD))) as running:
        yield running


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and the policy where the results come together."""
    config.addinivalue_line("markers", "postfix: needs Debian's Postfix and Dovecot, and root")
    config.addinivalue_line("markers", "chromium: needs Chromium and its fonts")
    config.addinivalue_line("markers", "openssl: needs the openssl program")
    config.addinivalue_line("markers", "root: needs root")
    config.pluginmanager.register(SkipPolicy(config), "postern-skip-policy")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose marker asks for what this machine has not."""
    for marker in debian.NEEDED_BY:
        if item.get_closest_marker(marker) and (problem := debian.why_not(marker)):
            pytest.skip(f"needs {marker}: {problem}")


class SkipPolicy:
    """Collect what was skipped, say it at the end, and turn it into a failure under CI=true."""

    def __init__(self, config: pytest.Config) -> None:
        """Know whether this process is a worker of pytest-xdist, which only reports to the one that decides."""
        self._config = config
        self._worker = hasattr(config, "workerinput")
        self._skipped: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a skipped test; what is expected to fail and did is not one."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._skipped[report.nodeid] = _reason(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that skipped itself while it was imported: its tests are not even counted elsewhere."""
        if report.skipped:
            self._skipped[report.nodeid] = _reason(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take over what a worker noted while collecting; pytest-xdist does not pass that on by itself."""
        self._skipped.update(getattr(node, "workeroutput", {}).get("postern_skipped", {}))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand the notes over, or decide about the exit status."""
        if self._worker:
            self._config.workeroutput["postern_skipped"] = self._skipped  # type: ignore[attr-defined]
        elif self._fails and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say how many were skipped and why; name each of them where that fails the run."""
        if not self._skipped:
            return
        colour = "red" if self._fails else "yellow"
        terminalreporter.section(f"{len(self._skipped)} SKIPPED", sep="!", bold=True, **{colour: True})
        for reason, count in Counter(self._skipped.values()).most_common():
            terminalreporter.write_line(f"{count:5} x {reason}", **{colour: True})
        if self._fails:
            terminalreporter.write_line(
                "CI=true: A SKIPPED TEST FAILS THE RUN. These were skipped:", red=True, bold=True
            )
            for nodeid in sorted(self._skipped):
                terminalreporter.write_line(f"  {nodeid}", red=True)

    @property
    def _fails(self) -> bool:
        return bool(self._skipped) and debian.in_ci()


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    # A skip is reported as (file, line, "Skipped: why").
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")
