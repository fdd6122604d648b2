"""The web server and clients that do not finish what they begin."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys

import pytest

from console.web import THREADS
from console.worker import TimedReader
from tests.running import BASE, environment

SLOW = """
import sys
from console import web, worker
worker.TimedWorker.seconds = 0.5
web.main()
"""
PATIENCE = 60
HEADS = {
    "half a request line": b"GET /heal",
    "half a header": b"GET /healthz HTTP/1.1\r\nHost: local",
    "no end of the headers": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n",
    "half a body": b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nusername=a",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Run the web server with half a second for a client; return its address."""
    alive, held = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as after:
        after.callback(os.close, held)
        number = listener.fileno()
        process = subprocess.Popen(
            [sys.executable, "-c", SLOW, str(number), str(alive)],
            cwd=BASE,
            env=environment(tmp_path_factory.mktemp("web") / "data"),
            pass_fds=(number, alive),
            stdin=subprocess.DEVNULL,
        )
        os.close(alive)
        after.callback(process.wait, PATIENCE)
        after.callback(process.terminate)
        yield listener.getsockname()


def ask(connection):
    """Ask for the sign of life; return its status."""
    connection.request("GET", "/healthz", headers={"Host": "localhost"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


@pytest.mark.parametrize("sent", HEADS.values(), ids=HEADS.keys())
def test_requests_that_never_end_do_not_hold_the_console(sent, server):
    with contextlib.ExitStack() as opened:
        for _ in range(THREADS + 4):
            opened.enter_context(socket.create_connection(server, PATIENCE)).sendall(sent)
        other = opened.enter_context(contextlib.closing(http.client.HTTPConnection(*server, timeout=PATIENCE)))
        assert ask(other) == 200


def test_a_client_that_does_not_finish_is_cut_off(server):
    with socket.create_connection(server, PATIENCE) as client:
        client.sendall(HEADS["half a header"])
        assert client.recv(1) == b""


def test_a_byte_now_and_then_does_not_prolong_the_time(server):
    with socket.create_connection(server, PATIENCE) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nX-Much: ")
        client.settimeout(0.1)
        ended = False
        for _ in range(PATIENCE * 10):
            with contextlib.suppress(TimeoutError):
                try:
                    client.sendall(b"x")
                    ended = client.recv(1) == b""
                except (ConnectionResetError, BrokenPipeError):
                    ended = True
            if ended:
                break
        assert ended


def test_a_connection_serves_several_requests(server):
    with contextlib.closing(http.client.HTTPConnection(*server, timeout=PATIENCE)) as connection:
        first = ask(connection), connection.sock.getsockname()
        second = ask(connection), connection.sock.getsockname()
    assert (first[0], second) == (200, first)


def test_a_connection_that_was_quiet_for_longer_than_a_request_may_take_still_serves(server):
    with contextlib.closing(http.client.HTTPConnection(*server, timeout=PATIENCE)) as connection:
        # More than is read together with the head, so that the body's own time has begun.
        connection.request("POST", "/healthz", b"x" * 30_000, {"Host": "localhost"})
        connection.getresponse().read()
        before = connection.sock.getsockname()
        with socket.create_connection(server, PATIENCE) as slow:
            slow.sendall(HEADS["half a header"])
            slow.recv(1)  # the time of a request that came later is over
        assert (ask(connection), connection.sock.getsockname()) == (200, before)


def test_an_answer_may_take_as_long_as_it_takes():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"GET")
        assert TimedReader(ours, 0.5).read() == b"GET"
        assert ours.gettimeout() is None


def test_a_body_has_a_time_of_its_own():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = TimedReader(ours, 0.05)
        with pytest.raises(ConnectionResetError):
            reader.read()
        theirs.sendall(b"late")
        with pytest.raises(ConnectionResetError):
            reader.read()
        reader.begin()
        assert reader.read() == b"late"
