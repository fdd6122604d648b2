"""The Debian packages that the test suite needs: what is missing, why a test is skipped, and how to install it.

`python -m tests.lab.debian` installs what is missing when it may, and says what will be skipped when it may not.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
# Asked by invoke-rc.d before it starts anything; 101 is "action forbidden by policy".
POLICY_TEXT = "#!/bin/sh\nexit 101\n"
PRESEED = "postfix postfix/main_mailer_type select No configuration\n"

# Package to the one file that tells that it is there. Files rather than dpkg's database, because what a test needs is
# the program, whoever brought it.
PACKAGES: Mapping[str, str] = {
    "postfix": "/usr/lib/postfix/sbin/master",
    "dovecot-core": "/usr/sbin/dovecot",
    "dovecot-imapd": "/usr/lib/dovecot/imap-login",
    "dovecot-pop3d": "/usr/lib/dovecot/pop3-login",
    "chromium": "/usr/bin/chromium",
    "fonts-dejavu-core": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "openssl": "/usr/bin/openssl",
}
# Marker to what a test that carries it needs.
NEEDED_BY: Mapping[str, tuple[str, ...]] = {
    "postfix": ("postfix", "dovecot-core", "dovecot-imapd", "dovecot-pop3d"),
    "chromium": ("chromium", "fonts-dejavu-core"),
    "openssl": ("openssl",),
    "root": (),
}
NEED_ROOT = frozenset({"postfix", "root"})
CHROMIUM = PACKAGES["chromium"]
OPENSSL = PACKAGES["openssl"]


def is_root() -> bool:
    """Say whether this process is root."""
    return os.geteuid() == 0


def missing(packages: Sequence[str] = tuple(PACKAGES)) -> list[str]:
    """Return which of `packages` are not installed."""
    return [package for package in packages if not Path(PACKAGES[package]).exists()]


def why_not(marker: str) -> str | None:
    """Return why a test with this marker cannot run here, in a few words; None where it can."""
    if marker in NEED_ROOT and not is_root():
        return "not root"
    absent = missing(NEEDED_BY[marker])
    return f"not installed: {', '.join(absent)}" if absent else None


def in_ci(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether this run is one where a skipped test is a failure."""
    return environment.get("CI", "").lower() in {"1", "true"}


def install(packages: Sequence[str]) -> None:
    """Install `packages` with apt-get, asking nothing and starting no daemon.

    Raises subprocess.CalledProcessError when apt-get fails.
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_daemon_starts():
        _run(["apt-get", "update"], environment)
        if "postfix" in packages:
            _preseed(environment)
        _run(["apt-get", "install", "--yes", "--no-install-recommends", *packages], environment)


def main() -> int:
    """Install what is missing, or say loudly what will be skipped; the exit status is 1 only where CI=true."""
    absent = missing()
    if not absent:
        return 0
    problem = _why_not_install()
    if problem is None:
        try:
            install(absent)
        except (OSError, subprocess.CalledProcessError) as error:
            problem = f"apt-get failed: {error}"
        absent = missing()
    if not absent:
        return 0
    sys.stderr.write(warning(absent, problem or "apt-get installed them, yet they are not where they should be"))
    return 1 if in_ci() else 0


def warning(absent: Sequence[str], problem: str) -> str:
    """Return the loud text about packages that stay missing."""
    skipped = [marker for marker, needs in NEEDED_BY.items() if set(needs) & set(absent)]
    lines = (
        f"MISSING: {' '.join(absent)}",
        f"They were not installed: {problem}.",
        f"Every test marked {' or '.join(skipped)} WILL BE SKIPPED.",
    )
    rule = "!" * max(map(len, lines))
    return "\n".join((rule, *lines, rule, ""))


def _why_not_install() -> str | None:
    if not shutil.which("apt-get"):
        return "this system has no apt-get"
    return None if is_root() else "only root may install packages"


def _preseed(environment: Mapping[str, str]) -> None:
    # Without an answer Postfix would configure itself for this host's name. debconf is there on any Debian; where it
    # is not, the noninteractive front end takes the default, which is harmless while no daemon starts.
    if shutil.which("debconf-set-selections"):
        subprocess.run(["debconf-set-selections"], input=PRESEED, text=True, check=True, env=environment)


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    sys.stdout.write(f"$ {' '.join(command)}\n")
    sys.stdout.flush()
    subprocess.run(command, check=True, env=environment, stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def _no_daemon_starts() -> Iterator[None]:
    """Forbid packages to start what they install; a policy that is already there stays as it is."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text(POLICY_TEXT)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


if __name__ == "__main__":
    raise SystemExit(main())
