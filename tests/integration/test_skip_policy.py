"""What a run of the tests says, and how it ends, when something that the tests need is missing."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.lab import debian

ROOT = Path(__file__).resolve().parents[2]

Run = Callable[..., subprocess.CompletedProcess[str]]

# Loaded first, it makes this machine one without Chromium.
POORER = """
from tests.lab import debian
debian.PACKAGES = {**debian.PACKAGES, "chromium": "/nowhere/chromium"}
"""
MARKED = """
import pytest

@pytest.mark.chromium
def test_looks(): raise AssertionError("ran without Chromium")

@pytest.mark.chromium
def test_looks_again(): raise AssertionError("ran without Chromium")

def test_adds(): pass
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run pytest on one module with the plugin alone: `run(source, "-n2", CI="true")`."""

    def run_pytest(source: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "poorer.py").write_text(POORER)
        (tmp_path / "test_it.py").write_text(source)
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        plugins = ("-p", "poorer", "-p", "tests.lab.plugin", "-p", "no:django", "-p", "no:cacheprovider")
        inherited = {name: value for name, value in os.environ.items() if name != "CI" and "PYTEST" not in name}
        return subprocess.run(
            [sys.executable, "-m", "pytest", *plugins, *options, "test_it.py"],
            cwd=tmp_path,
            env={**inherited, **environment, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run_pytest


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_skips_are_counted_loudly_by_reason_and_pass_on_a_desk(run: Run, workers: str) -> None:
    done = run(MARKED, workers)
    assert done.returncode == 0
    assert "! 2 SKIPPED !" in done.stdout
    assert "    2 x needs chromium: not installed: chromium\n" in done.stdout
    assert "test_it.py::test_looks" not in done.stdout.partition("2 SKIPPED")[2]


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_skips_fail_the_run_in_ci_and_each_is_named(run: Run, workers: str) -> None:
    done = run(MARKED, workers, CI="true")
    assert done.returncode == 1
    summary = done.stdout.partition("CI=true: A SKIPPED TEST FAILS THE RUN. These were skipped:\n")[2]
    assert summary.startswith("  test_it.py::test_looks\n  test_it.py::test_looks_again\n")


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import pytest\ndef test_gives_up(): pytest.skip('no mood')\n", "test_it.py::test_gives_up"),
        (
            "import pytest\n@pytest.mark.skipif(True, reason='no mood')\ndef test_marked(): pass\n",
            "test_it.py::test_marked",
        ),
        ("import pytest\npytest.skip('no mood', allow_module_level=True)\n", "test_it.py"),
        ("import pytest\npytest.importorskip('no_mood')\ndef test_never_seen(): pass\n", "test_it.py"),
    ],
)
def test_no_way_to_skip_escapes_ci(run: Run, source: str, name: str, workers: str) -> None:
    done = run(source, workers, CI="true")
    assert done.returncode == 1
    assert f"These were skipped:\n  {name}\n" in done.stdout


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_run_without_skips_passes_in_ci_without_a_word(run: Run, workers: str) -> None:
    done = run(
        "import pytest\ndef test_adds(): pass\n@pytest.mark.xfail\ndef test_odd(): assert 0\n", workers, CI="true"
    )
    assert done.returncode == 0
    assert "SKIPPED" not in done.stdout


def test_failing_run_with_skips_keeps_its_own_exit_status(run: Run) -> None:
    assert run("import no_such_module\n", "-n0", CI="true").returncode == 2


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("1", True), ("", False), ("false", False)])
def test_ci_is_on_for_true_and_1_only(value: str, expected: bool) -> None:
    assert debian.in_ci({"CI": value}) is expected


def test_marker_that_needs_root_names_that_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "is_root", lambda: False)
    assert (debian.why_not("postfix"), debian.why_not("root")) == ("not root", "not root")


class Apt:
    """Stand in for Debian: note the commands, and make packages appear when they are installed."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commands: list[list[str]] = []
        self.environment: Mapping[str, str] = {}
        self.policy_seen = ""
        self.broken = False
        self.folder = folder
        monkeypatch.setattr(debian, "PACKAGES", {name: str(folder / name) for name in debian.PACKAGES})
        monkeypatch.setattr(debian, "POLICY", folder / "policy-rc.d")
        monkeypatch.setattr(debian, "is_root", lambda: True)
        monkeypatch.setattr(debian.shutil, "which", lambda name: f"/usr/bin/{name}")
        monkeypatch.setattr(debian.subprocess, "run", self.run)
        monkeypatch.delenv("CI", raising=False)

    def have(self, *packages: str) -> None:
        for package in packages:
            (self.folder / package).touch()

    def run(self, command: list[str], *, env: Mapping[str, str], **_: object) -> None:
        self.commands.append(command)
        self.environment = env
        if self.broken:
            raise subprocess.CalledProcessError(100, command)
        if "install" in command:
            self.policy_seen = (self.folder / "policy-rc.d").read_text()
            self.have(*(word for word in command if word in debian.PACKAGES))


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Apt:
    """Return a Debian without any of the packages, on which this process is root."""
    return Apt(tmp_path, monkeypatch)


def test_only_what_is_missing_is_installed_and_no_daemon_starts(apt: Apt) -> None:
    apt.have("chromium", "fonts-dejavu-core", "dovecot-core")
    assert debian.main() == 0
    assert apt.commands == [
        ["apt-get", "update"],
        ["debconf-set-selections"],
        [
            "apt-get",
            "install",
            "--yes",
            "--no-install-recommends",
            "postfix",
            "dovecot-imapd",
            "dovecot-pop3d",
            "openssl",
        ],
    ]
    assert apt.environment["DEBIAN_FRONTEND"] == "noninteractive"
    assert apt.policy_seen == "#!/bin/sh\nexit 101\n"
    assert not (apt.folder / "policy-rc.d").exists()


def test_policy_of_the_machine_itself_stays(apt: Apt) -> None:
    (apt.folder / "policy-rc.d").write_text("its own")
    assert debian.main() == 0
    assert (apt.folder / "policy-rc.d").read_text() == "its own"


def test_nothing_runs_when_nothing_is_missing(apt: Apt) -> None:
    apt.have(*debian.PACKAGES)
    assert (debian.main(), apt.commands) == (0, [])


def test_without_root_it_says_what_will_be_skipped(
    apt: Apt, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(debian, "is_root", lambda: False)
    apt.have(*(set(debian.PACKAGES) - {"chromium"}))
    assert (debian.main(), apt.commands) == (0, [])
    said = capsys.readouterr().err
    assert "MISSING: chromium\nThey were not installed: only root may install packages." in said
    assert "Every test marked chromium WILL BE SKIPPED." in said


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_failure_of_apt_is_told_and_is_fatal_in_ci_only(
    apt: Apt, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ci: str, status: int
) -> None:
    monkeypatch.setenv("CI", ci)
    apt.broken = True
    assert debian.main() == status
    assert "Every test marked postfix or chromium or openssl WILL BE SKIPPED." in capsys.readouterr().err
    assert not (apt.folder / "policy-rc.d").exists()
