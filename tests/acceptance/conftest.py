"""Installations for tests that run the real command."""

import os
import shutil

import pytest

from tests.lab.ports import Ports
from tests.running import PASSWORD, Console


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """Return a data folder as the first start leaves it, made once; its administrator has `PASSWORD`."""
    data = tmp_path_factory.mktemp("prepared") / "data"
    ports = Ports()
    with Console(data, ports.reserve(), POSTERN_ADMIN_PASSWORD=PASSWORD) as console:
        console.start()
        assert console.stop() == 0
    ports.release()
    return data


@pytest.fixture
def port():
    """Return a port that nobody else takes."""
    ports = Ports()
    yield ports.reserve()
    ports.release()


@pytest.fixture
def data(prepared, tmp_path):
    """Return a copy of the prepared data folder; the static files, which nobody changes, are shared."""
    copy = tmp_path / "data"
    shutil.copytree(prepared / "static", copy / "static", copy_function=os.link)
    shutil.copytree(prepared, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("static", "*.bell"))
    return copy


@pytest.fixture
def console(data, port):
    """Return an installation that was started before; it is not running yet."""
    with Console(data, port) as installation:
        yield installation
