"""The environment: what is set counts, and what cannot be used is one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

from console import env
from console.env import SettingsError

ROOT = Path(env.BASE)


def test_nothing_set_gives_the_documented_defaults():
    settings = env.read({})
    assert (settings.port, settings.bind, settings.data, settings.allow_loopback) == (
        8000, "127.0.0.1", ROOT / "var", True,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["0", "65536", "abc", "-1", "80 80", "٣"])
def test_a_port_that_is_none_is_refused(text):
    with pytest.raises(SettingsError, match="POSTERN_PORT"):
        env.read({"POSTERN_PORT": text})


@pytest.mark.parametrize("text", ["mail.example.org", "256.0.0.1", "0"])
def test_an_address_that_is_none_is_refused(text):
    with pytest.raises(SettingsError, match="POSTERN_BIND"):
        env.read({"POSTERN_BIND": text})


@pytest.mark.parametrize(
    ("variables", "allowed"),
    [
        ({}, True),
        ({"POSTERN_BIND": "::1"}, True),
        ({"POSTERN_BIND": "0.0.0.0"}, False),
        ({"POSTERN_BIND": "0.0.0.0", "POSTERN_ALLOW_LOOPBACK": "1"}, True),
        ({"POSTERN_ALLOW_LOOPBACK": "0"}, False),
    ],
)
def test_loopback_may_be_tested_while_we_are_bound_to_it_or_when_told_so(variables, allowed):
    assert env.read(variables).allow_loopback is allowed


def test_a_flag_that_is_neither_yes_nor_no_is_refused():
    with pytest.raises(SettingsError, match="POSTERN_ALLOW_LOOPBACK"):
        env.read({"POSTERN_ALLOW_LOOPBACK": "perhaps"})


def test_the_bound_address_and_the_named_hosts_are_allowed():
    hosts = env.read({"POSTERN_BIND": "192.0.2.7", "POSTERN_HOSTS": "Postern.example.org, other"}).allowed_hosts
    assert hosts == ["127.0.0.1", "192.0.2.7", "[::1]", "localhost", "other", "postern.example.org"]


def test_the_secret_key_is_made_once_for_the_owner_only(tmp_path):
    key = env.secret_key(tmp_path / "data")
    assert env.secret_key(tmp_path / "data") == key
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_damaged_secret_key_is_a_sentence(tmp_path):
    (tmp_path / "secret_key").write_text("short")
    with pytest.raises(SettingsError, match="damaged"):
        env.secret_key(tmp_path)


def test_a_folder_that_is_a_file_is_a_sentence(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(SettingsError, match="cannot be read or made"):
        env.secret_key(tmp_path / "data")


def test_reading_the_settings_writes_nothing(tmp_path):
    data = tmp_path / "data"
    command = [sys.executable, "-c", "import django; django.setup()"]
    variables = {"DJANGO_SETTINGS_MODULE": "console.settings", "POSTERN_DATA": str(data), "PATH": "/usr/bin"}
    subprocess.run(command, cwd=ROOT, env=variables, check=True, capture_output=True)
    assert not data.exists()


def test_a_setting_that_cannot_be_used_ends_the_command_with_one_sentence():
    command, variables = [sys.executable, "manage.py", "check"], {"POSTERN_PORT": "abc"}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "POSTERN_PORT is 'abc': a whole number from 1 to 65535 is needed.\n")
