"""The real console in a real browser: `manage.py up` in a folder of its own, and Chromium with a watchful page.

Every page that a test opens fails the test on a message of the Content Security Policy, an error of a script, or a
request to anywhere but the console.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from tests.lab.debian import CHROMIUM
from tests.lab.facts import Security
from tests.lab.pki import Pki
from tests.lab.ports import HOST, Ports
from tests.lab.pyserver import RecordingSmtpServer

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct-horse-battery"
USERS = {"alice": "Pass-Alice-1"}
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items):
    """Mark every test of this folder: it needs Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.chromium)


@pytest.fixture(scope="module")
def chromium():
    """Run the Chromium of Debian, which asks nobody for anything.

    It ends with the module: Playwright keeps an event loop running in this thread, and the tests of other folders
    that this process runs next want loops of their own.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_context(chromium):
    """Return what opens contexts (windows without a past), closed after the test."""
    with ExitStack() as stack:

        def open_context(**options):
            context = chromium.new_context(**options)
            stack.callback(context.close)
            return context

        yield open_context


@dataclass
class Console:
    """A running console and where it is."""

    url: str
    data: Path
    session: dict | None = None


def _environment(data, **more):
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("POSTERN_", "DJANGO_"))}
    return {**mine, "POSTERN_DATA": str(data), **more}


def _is_ready(url):
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _run(data):
    """Start the console on a free port; yield it, then end it."""
    ports = Ports()
    port = ports.reserve()
    url = f"http://{HOST}:{port}"
    output = (data.parent / f"{data.name}.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env=_environment(data, POSTERN_PORT=str(port), POSTERN_ADMIN_PASSWORD=PASSWORD),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )
    try:
        until = time.monotonic() + 60
        while not _is_ready(url):
            assert process.poll() is None, Path(output.name).read_text()
            assert time.monotonic() < until, Path(output.name).read_text()
            time.sleep(0.1)
        yield Console(url, data)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        output.close()
        ports.release()


@pytest.fixture(scope="session")
def console(tmp_path_factory):
    """Run one console for all tests of this process; they share its connections and tell them apart by name."""
    yield from _run(tmp_path_factory.mktemp("console") / "data")


@pytest.fixture(scope="module")
def fresh_console(tmp_path_factory):
    """Run a console for one module, in which nothing has happened yet."""
    yield from _run(tmp_path_factory.mktemp("fresh") / "data")


@pytest.fixture
def pki():
    """Return authorities that no other test of the shared console has trusted."""
    return Pki()


@pytest.fixture
def server(pki):
    """Run an SMTP server whose certificate, for `localhost`, only the root of the PKI vouches for."""
    running = RecordingSmtpServer(Security.STARTTLS, certificate=pki.leaf(), users=USERS)
    with ThreadPoolExecutor(1) as aside:  # its loop cannot start where Playwright's is running
        aside.submit(running.start).result()
    yield running
    running.stop()


@pytest.fixture
def silent_server():
    """Return the port of a server that accepts connections and never says a word."""
    with socket.create_server((HOST, 0)) as listener:
        yield listener.getsockname()[1]


# What Chromium and htmx log as errors although it is meant: an answer of 422 to what a test posts, and a check of the
# form that the next one, or the next page, overtook.
_NO_FAULTS = ("Failed to load resource: the server responded with a status of 4", "htmx:afterRequest", "htmx:sendAbort")


class Watched:
    """What went wrong on the pages of a context: it must stay empty."""

    def __init__(self, url):
        self._url = url
        self.faults = []
        self.muted = False

    def follow(self, page):
        page.on("console", self._message)
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("request", self._request)

    def _message(self, message):
        if not self.muted and message.type == "error" and not message.text.startswith(_NO_FAULTS):
            self.faults.append(f"{message.type}: {message.text}")

    def _request(self, request):
        if not request.url.startswith((self._url, "data:", "blob:", "about:")):
            self.faults.append(f"request to {request.url}")


class Visitor:
    """Open pages of one console, logged in as its administrator, and keep an eye on them."""

    def __init__(self, new_context, console):
        self._new_context = new_context
        self._console = console
        self.watched = Watched(console.url)

    def __call__(self, *, theme="light", script=True, width=1400, log_in=True):
        """Return a new page; `script` tells whether JavaScript is on."""
        if log_in and self._console.session is None:
            self._console.session = self._log_in()
        context = self._new_context(
            base_url=self._console.url,
            java_script_enabled=script,
            viewport={"width": width, "height": 1000},
            storage_state=self._console.session if log_in else None,
        )
        context.add_cookies([{"name": "theme", "value": theme, "url": self._console.url}])
        page = context.new_page()
        self.watched.follow(page)
        return page

    def _log_in(self):
        page = self._new_context(base_url=self._console.url).new_page()
        page.goto("/login/")
        page.get_by_label("Username").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Connections", level=1)).to_be_visible()
        return page.context.storage_state()

    def check(self, page):
        """Fail where axe finds anything on the page, or where it scrolls sideways at 320 px."""
        self.watched.muted = True  # axe puts a style of its own into the page, which the policy rightly blocks
        violations = Axe().run(page).response["violations"]
        self.watched.muted = False
        assert [f"{v['id']}: {v['nodes'][0]['target']}" for v in violations] == []
        before = page.viewport_size
        page.set_viewport_size({"width": 320, "height": 1000})
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        page.set_viewport_size(before)
        assert overflow == 0, f"{page.url} scrolls sideways by {overflow} px at 320 px"


@pytest.fixture
def visit(new_context, console):
    """Return what opens watched pages of the shared console."""
    visitor = Visitor(new_context, console)
    yield visitor
    assert visitor.watched.faults == []


@pytest.fixture
def visit_fresh(new_context, fresh_console):
    """Return what opens watched pages of the module's own console."""
    visitor = Visitor(new_context, fresh_console)
    yield visitor
    assert visitor.watched.faults == []


def fill_smtp(page, name, port, **more):
    """Fill the form of a new connection to a server of this test."""
    page.goto("/connections/smtp/new/")
    page.locator("#id_name").fill(name)
    page.locator("#id_host").fill(more.get("host", "localhost"))
    page.locator(f"input[name=connection_security][value={more.get('security', 'STARTTLS')}]").check()
    page.locator("#id_port").fill(str(port))
    page.locator("#id_username").fill(more.get("username", "alice"))
    page.locator("#id_password").fill(more.get("password", USERS["alice"]))
