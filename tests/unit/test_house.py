"""The rules of the house that a machine can keep: arrows, guests, style, and migrations that say what models say."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
APPS = ("console", "connections", "credentials", "untrusted_cache", "cluster", "core")


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_no_arrow_points_the_wrong_way():
    done = run(sys.executable, "-c", "from importlinter.cli import lint_imports_command as go; go()", "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_agent_loads_without_django():
    code = (
        "import pkgutil, importlib, sys, steng\n"
        "for found in pkgutil.walk_packages(steng.__path__, 'steng.'):\n"
        "    if not found.name.endswith('__main__'): importlib.import_module(found.name)\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = run(sys.executable, "-c", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert [name for name in (*APPS, "django", "rest_framework") if f"'{name}'" in done.stdout] == []


@pytest.mark.parametrize("act", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff_finds_nothing(act):
    done = run(sys.executable, "-m", "ruff", *act, "--no-cache", ".")
    assert done.returncode == 0, done.stdout


def test_the_migrations_make_what_the_models_say(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
