"""The one command that runs the console, as a process."""

import os
import pty
import select
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from credentials import key_ring
from tests.lab.ports import Ports
from tests.running import BASE, PASSWORD, Console, descendants, environment, lives, manage, until


def up(data, port, **more):
    """Run the command where it cannot start; return (status, standard error)."""
    ended = manage(data, "up", check=False, POSTERN_PORT=str(port), **more)
    return ended.returncode, ended.stderr.strip()


def accounts(data):
    """Return (name, must change, password hash) of every user."""
    with sqlite3.connect(data / "postern.sqlite3") as database:
        return database.execute("SELECT username, must_change_password, password FROM core_user").fetchall()


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Return the output, data folder and exit status of a first start without a terminal or a chosen password."""
    data, ports = tmp_path_factory.mktemp("first") / "data", Ports()
    with Console(data, ports.reserve()) as console:
        output = console.start()
        status = console.stop()
    ports.release()
    return output, data, status


def test_the_first_start_leaves_the_password_in_a_file_for_its_owner_alone(first):
    _, data, _ = first
    assert stat.S_IMODE((data / "admin-password").stat().st_mode) == 0o600


def test_the_first_start_does_not_print_the_password_where_no_terminal_is(first):
    output, data, _ = first
    assert (data / "admin-password").read_text().strip() not in output


def test_a_made_up_password_must_be_changed(first):
    assert [(name, must) for name, must, _ in accounts(first[1])] == [("admin", 1)]


def test_the_file_of_a_password_that_was_changed_is_gone_at_the_next_start(console):
    left = console.data / "admin-password"
    left.write_text("spent\n")
    console.start()
    assert not left.exists()


def test_the_file_of_a_password_that_was_not_changed_stays(tmp_path, port):
    with Console(tmp_path / "data", port) as console:
        console.start()
        console.stop()
        console.process.stdout.close()
        console.start()
        assert (console.data / "admin-password").exists()


def test_the_ready_line_names_the_address(first):
    assert "Postern is ready at http://127.0.0.1:" in first[0]


def test_sigterm_ends_it_well(first):
    assert first[2] == 0


def test_what_it_wrote_is_for_its_owner_alone(first):
    _, data, _ = first
    others = [path.name for path in data.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert others == []


def test_a_chosen_password_need_not_be_changed(data):
    assert [(name, must) for name, must, _ in accounts(data)] == [("admin", 0)]


def test_a_later_start_does_not_touch_the_administrator(data, port):
    before = accounts(data)
    with Console(data, port, POSTERN_ADMIN_PASSWORD="another-password-1") as console:
        console.start()
        console.stop()
    assert accounts(data) == before


def test_a_later_start_prepares_nothing_again(console):
    assert [line for line in console.start().splitlines() if "Preparing" in line or "Collecting" in line] == []


def test_nobody_is_made_beside_a_superuser_of_another_name(data, port):
    with sqlite3.connect(data / "postern.sqlite3") as database:
        database.execute("UPDATE core_user SET username = 'a.rossi'")
    with Console(data, port) as console:
        console.start()
        console.stop()
    assert [name for name, _, _ in accounts(data)] == ["a.rossi"]


def test_a_weak_chosen_password_is_taken_and_called_weak(prepared, data, port):
    with sqlite3.connect(data / "postern.sqlite3") as database:
        database.execute("DELETE FROM core_user")
    with Console(data, port, POSTERN_ADMIN_PASSWORD="weak") as console:
        output = console.start()
        console.stop()
    assert ("POSTERN_ADMIN_PASSWORD is weak" in output, [name for name, _, _ in accounts(data)]) == (True, ["admin"])


def test_on_a_terminal_the_password_is_shown_and_not_written(data, port):
    with sqlite3.connect(data / "postern.sqlite3") as database:
        database.execute("DELETE FROM core_user")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=BASE,
        env=environment(data, POSTERN_PORT=str(port)),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen = bytearray()

    def shown():
        if select.select([ours], [], [], 0)[0]:
            seen.extend(os.read(ours, 4096))
        return b"is ready at" in seen

    until(shown, "the ready line on a terminal")
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    os.close(ours)
    assert b"user admin, password " in seen
    assert not (data / "admin-password").exists()


def test_a_taken_port_is_one_sentence_and_status_2(data, port):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        status, sentence = up(data, port)
    assert (status, sentence) == (
        2,
        f"Port {port} on 127.0.0.1 is taken by another program: stop it, or set POSTERN_PORT to a free port.",
    )


def test_a_folder_that_cannot_be_made_is_one_sentence_and_status_2(tmp_path, port):
    (tmp_path / "file").write_text("")
    status, sentence = up(tmp_path / "file" / "data", port)
    assert (status, sentence.count("\n"), "cannot be written" in sentence) == (2, 0, True)


def test_a_folder_that_cannot_be_written_is_one_sentence_and_status_2(port):
    status, sentence = up("/proc/self", port)
    assert (status, sentence.count("\n"), "cannot be written" in sentence) == (2, 0, True)


def test_a_database_sealed_with_another_key_is_one_sentence_and_status_2(data, port):
    (data / "vault.key").unlink()
    key_ring.create(data / "vault.key")
    status, sentence = up(data, port)
    assert (status, sentence.count("\n"), "sealed with another key" in sentence) == (2, 0, True)


def test_a_missing_key_is_one_sentence_and_status_2(data, port):
    (data / "vault.key").unlink()
    status, sentence = up(data, port)
    assert (status, sentence.count("\n"), "vault.key is missing" in sentence) == (2, 0, True)
    assert not (data / "vault.key").exists()


def test_a_damaged_database_is_one_sentence_and_status_2(data, port):
    for path in data.glob("postern.sqlite3*"):
        path.unlink()
    (data / "postern.sqlite3").write_bytes(b"no database at all " * 1000)
    status, sentence = up(data, port)
    assert (status, sentence.count("\n"), "cannot be used" in sentence) == (2, 0, True)


def test_a_second_one_on_the_same_data_is_one_sentence_and_status_2(console, port):
    console.start()
    status, sentence = up(console.data, port + 1)
    assert (status, sentence.count("\n"), "runs already with the data folder" in sentence) == (2, 0, True)
    assert console.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_no_process(number, console):
    console.start()
    below = descendants(console.process.pid)
    assert len(below) >= 3
    assert console.stop(number) == 0
    assert [pid for pid in below if lives(pid)] == []


def test_the_children_of_a_killed_supervisor_end_too(console):
    console.start()
    below = descendants(console.process.pid)
    console.process.kill()
    console.process.wait()
    until(lambda: not any(lives(pid) for pid in below), "the children ended")


def test_it_starts_again_right_after_it_was_killed(console):
    console.start()
    console.process.kill()
    console.process.wait()
    console.process.stdout.close()
    assert "is ready at" in console.start()
    assert console.stop() == 0


@pytest.mark.parametrize("name", ["web", "dispatcher"])
def test_a_killed_child_is_started_again(name, console):
    console.start()
    console.kill(name)
    with urllib.request.urlopen(f"http://127.0.0.1:{console.port}/readyz", timeout=30) as answer:
        assert answer.status == 200
    assert console.stop() == 0


def test_the_chosen_password_reaches_no_child(data, port):
    with Console(data, port, POSTERN_ADMIN_PASSWORD=PASSWORD) as console:
        console.start()
        seen = [Path(f"/proc/{pid}/environ").read_bytes() for pid in descendants(console.process.pid)]
        console.stop()
    assert [PASSWORD.encode() in each for each in seen] == [False] * len(seen)


def test_no_process_may_write_its_memory_to_a_disk(console):
    console.start()
    limits = [Path(f"/proc/{pid}/limits").read_text() for pid in descendants(console.process.pid)]
    console.stop()
    found = [line.split()[4:6] for text in limits for line in text.splitlines() if "core file" in line]
    assert found == [["0", "0"]] * len(limits)
