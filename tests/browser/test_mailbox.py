"""A mailbox in a browser, against a real Dovecot: from a certificate that nobody trusts to a folder that is polled.

The story is told three times: with a script, without one, and without a browser at all, by what it would post.
"""

import http.cookiejar
import re
import shutil
import time
import urllib.parse
import urllib.request
from html import unescape

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD
from tests.browser.test_story import run_test, stages, trust_the_intermediate
from tests.lab.dovecot import Dovecot
from tests.lab.lab import temporary_folder

pytestmark = pytest.mark.postfix

FOLDER = "注文/البريد الوارد"
CANARY = "Rechnung für März"
MESSAGE = (
    b"From: sender@lab.test\r\nDate: Tue, 3 Nov 2026 10:12:00 +0000\r\n"
    b"Subject: =?utf-8?q?Rechnung_f=C3=BCr_M=C3=A4rz?=\r\n\r\nNumber 7.\r\n"
)
USERS = {"alice": "Pass-Alice-1", "bob": "Pass-Bob-1"}


@pytest.fixture
def dovecot(pki):
    """Run a Dovecot with a mailbox that holds something."""
    folder = temporary_folder()
    running = Dovecot(folder, certificate=pki.leaf(), users=USERS)
    try:
        running.start()
        running.put("alice", "INBOX", (MESSAGE, "S"))
        running.put("alice", FOLDER, (MESSAGE, "S"), (MESSAGE, ""), (MESSAGE, ""))
        running.look_in("alice", "INBOX", FOLDER)
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


def fill(page, name, port, **more):
    """Fill the form of a new mailbox."""
    page.goto("/connections/mailbox/new/")
    page.locator("#id_name").fill(name)
    page.locator("#id_host").fill("localhost")
    page.locator(f"input[name=store_type][value={more.get('store_type', 'IMAP')}]").check()
    page.locator("input[name=connection_security][value=STARTTLS]").check()
    page.locator("#id_port").fill(str(port))
    page.locator("#id_username").fill("alice")
    page.locator("#id_password").fill(USERS["alice"])


def save(page):
    page.get_by_role("button", name="Save", exact=True).last.click()


def run_test_again(page, verdict):
    """Press TEST beside a result, and wait for the next one."""
    before = page.locator("#test-panel").get_attribute("data-job")
    page.locator("#test-button").click()
    expect(page.locator("#test-panel")).not_to_have_attribute("data-job", before)
    expect(page.locator("#test-panel .verdict h3")).to_have_text(verdict)


def folder_words(page):
    """Return what the panel says of the folder."""
    return page.locator("#test-panel .stage", has_text="Folder").last.locator(".evidence").all_inner_texts()


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
def test_a_mailbox_goes_from_red_to_green_in_the_folder_that_was_picked(visit, dovecot, pki, script):
    page, name = visit(script=script), f"mailbox-{'js' if script else 'plain'}"
    fill(page, name, dovecot.imap)
    save(page)
    expect(page.get_by_text("is saved. Press Test")).to_be_visible()

    run_test(page, "Connection failed at Certificate trust")
    expect(page.locator("#test-panel .code").first).to_have_text("certificate_unknown_issuer")
    assert dovecot.login_attempts("alice") == 1  # of the fixture
    page.get_by_role("link", name="Review this chain").click()
    trust_the_intermediate(page, pki)
    page.goto(f"/connections/?q={name}")
    expect(page.locator("tbody .kind")).to_have_text("IMAP")
    page.locator("tbody th a").click()

    run_test_again(page, "Connection successful")
    assert folder_words(page) == ["INBOX: 1 message, 0 unread.", "No message to take: none is unread."]

    page.get_by_role("button", name="List folders").click()
    expect(page.locator("#test-panel .verdict h3")).to_have_text("Folders listed")
    listed = page.locator("#folder-list")
    expect(listed.locator("bdi", has_text="INBOX")).to_be_visible()
    if script:
        visit.check(page)
        expect(page.locator("#announce")).to_have_text("Folders listed.")
    listed.get_by_role("button", name=f"Use {FOLDER}").click()
    expect(page.locator("#id_folder")).to_have_value(FOLDER)
    expect(page.locator("#test-result .changed")).to_be_visible()
    expect(page.locator("#folder-list")).to_be_visible()
    save(page)
    expect(page.get_by_text(f"{name} is saved.")).to_be_visible()

    page.get_by_label("Show me the subject").check()
    run_test_again(page, "Connection successful")
    words = folder_words(page)
    assert words[0] == f"{FOLDER}: 3 messages, 2 unread."
    assert re.fullmatch(r"A poll would take UID 2 of 15 Nov 2023 22:13 UTC, \d+ bytes\.", words[1])
    assert [name for name, _ in stages(page)][-3:] == ["Authentication", "Folder", "Goodbye"]
    assert CANARY not in page.content()
    page.get_by_role("button", name="Show the subject once").click()
    expect(page.locator("#subject")).to_have_text(f"Subject: {CANARY}")
    page.goto(f"/connections/?q={name}")
    page.locator("tbody th a").click()
    expect(page.locator("#subject")).to_contain_text("no longer there")
    expect(page.get_by_role("button", name="Show the subject once")).to_have_count(0)


def test_pop3_proposes_its_port_and_what_it_cannot_have_is_mended_with_one_click_each(visit, dovecot):
    page = visit()
    page.goto("/connections/mailbox/new/")
    port = page.locator("#id_port")
    page.locator("input[name=connection_security][value=SSL_TLS]").check()
    expect(port).to_have_value("993")
    page.locator("#id_folder").fill("Orders")
    page.locator("input[name=store_type][value=POP3]").check()
    expect(port).to_have_value("995")
    expect(page.get_by_role("button", name="List folders")).to_be_hidden()
    for field in ("folder", "pull_disposition"):
        expect(page.locator(f"#id_{field}-notes .error")).to_have_attribute("data-code", "not_available")
    visit.check(page)
    page.get_by_role("button", name="Use folder INBOX").click()
    page.get_by_role("button", name="Use pull disposition: First (oldest) message").click()
    expect(page.locator(".error[data-code=not_available]")).to_have_count(0)
    expect(page.locator("#id_folder")).to_have_value("INBOX")
    expect(page.get_by_text("every poll takes the same message again")).to_be_visible()
    page.locator("input[name=disposition][value=DELETE]").check()
    expect(page.get_by_text("every poll takes the same message again")).to_be_hidden()
    port.fill("1995")
    page.locator("input[name=store_type][value=IMAP]").check()
    expect(port).to_have_value("1995")


def test_a_pop3_mailbox_is_counted(visit, dovecot, pki):
    page = visit()
    fill(page, "pop3-counted", dovecot.pop3, store_type="POP3")
    page.locator("input[name=pull_disposition][value=GET_FIRST_MESSAGE]").check()
    save(page)
    run_test(page, "Connection failed at Certificate trust")
    page.get_by_role("link", name="Review this chain").click()
    trust_the_intermediate(page, pki)
    page.get_by_role("button", name="Test again").first.click()
    expect(page.locator("#test-panel .verdict h3")).to_have_text("Connection successful")
    words = folder_words(page)
    assert re.fullmatch(r"1 message, \d+ bytes in all\.", words[0])
    assert re.fullmatch(r"A poll would take message 1 \(UID \w+\) of 3 Nov 2026 10:12 UTC, \d+ bytes\.", words[1])


def test_a_shorter_test_leaves_the_standing_result(visit, dovecot):
    page = visit()
    fill(page, "only-tls", dovecot.imap)
    save(page)
    page.get_by_label("How far").select_option("connect")
    run_test(page, "The server answers")
    expect(page.locator("#test-panel")).to_contain_text("what the list shows of this connection stays as it was")
    page.reload()
    expect(page.get_by_label("How far")).to_have_value("connect")
    page.goto("/connections/?q=only-tls")
    expect(page.locator("tbody tr")).to_contain_text("Never tested")
    page.goto("/connections/mailbox/new/")
    page.get_by_label("How far").select_option("full")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_form_of_a_mailbox_is_accessible(visit, theme):
    page = visit(theme=theme)
    page.goto("/connections/mailbox/new/")
    visit.check(page)
    page.locator("input[name=store_type][value=POP3]").check()
    page.locator("#id_folder").fill("x" * 1001)
    save(page)
    expect(page.locator(".error-summary")).to_be_focused()
    visit.check(page)


def test_a_list_that_is_cancelled_says_so(visit, silent_server):
    page = visit()
    fill(page, "silent-folders", silent_server)
    page.get_by_role("button", name="List folders").click()
    expect(page.locator(".stage.is-running .name")).to_have_text("Server greeting")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator("#test-panel .verdict h3")).to_have_text("Cancelled: no folders listed")


class Poster:
    """A browser that knows forms and links, and nothing else."""

    def __init__(self, url):
        self.url = url
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._open = urllib.request.build_opener(jar).open
        self.page = self.address = ""

    def get(self, path):
        self._take(self._open(urllib.parse.urljoin(self.url, path)))

    def post(self, path, fields):
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.page)[1]
        body = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token}, doseq=True).encode()
        address = urllib.parse.urljoin(self.url, path)
        request = urllib.request.Request(address, body, {"Referer": address})
        self._take(self._open(request))

    def wait(self):
        """Follow the page that reloads itself until the test is over."""
        until = time.monotonic() + 60
        while not (found := re.search(r'data-state="(\w+)"', self.page)) or found[1] not in {"finished", "failed"}:
            assert time.monotonic() < until, self.page
            again = re.search(r'http-equiv="refresh" content="\d+; url=([^"]+)"', self.page)
            time.sleep(0.2)  # as a browser waits for the page's refresh; the verdict is what it says, not when
            self.get(urllib.parse.urljoin(self.address, unescape(again[1])))

    @property
    def text(self):
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", self.page)))

    def _take(self, answer):
        self.page, self.address = answer.read().decode(), answer.geturl()


def test_the_story_by_plain_posts(console, dovecot, pki):
    you = Poster(console.url)
    you.get("/login/")
    you.post("/login/", {"username": "admin", "password": PASSWORD})
    form = {
        "name": "by-hand", "host": "localhost", "port": dovecot.imap, "store_type": "IMAP", "folder": "INBOX",
        "connection_security": "STARTTLS", "authentication_type": "BASIC", "username": "alice",
        "disposition": "KEEP", "pull_disposition": "GET_FIRST_UNREAD_MESSAGE",
    }  # fmt: skip
    you.get("/connections/mailbox/new/")
    you.post("/connections/mailbox/new/", {**form, "password": USERS["alice"]})
    address = urllib.parse.urlsplit(you.address).path

    you.post(f"{address}test/", form)
    you.wait()
    assert "Connection failed at Certificate trust" in you.text
    you.get("/setup/trust/import/")
    root = {"certificate": pki.root.pem.decode(), "as_": "anchor", "reason": "Handed over in person."}
    you.post("/setup/trust/import/", root)

    you.get(address)
    you.post(f"{address}folders/", form)
    you.wait()
    assert "Folders listed" in you.text
    job = re.search(r'name="_test" value="([^"]+)"', you.page)[1]
    proposed = re.findall(r'name="apply" value="([^"]+)"', you.page)
    wanted = urllib.parse.urlencode({"folder": FOLDER})
    assert wanted in map(unescape, proposed)

    you.post(address, {**form, "apply": wanted, "_test": job})
    assert f'name="folder" id="id_folder" value="{FOLDER}"' in you.page
    assert "Folders listed" in you.text
    version = re.search(r'name="version" value="(\d+)"', you.page)[1]
    you.post(address, {**form, "folder": FOLDER, "version": version})
    assert "by-hand is saved." in you.text
    you.post(f"{address}test/", {**form, "folder": FOLDER})
    you.wait()
    assert "Connection successful" in you.text
    assert f"{FOLDER} : 3 messages, 2 unread." in you.text
    assert "A poll would take UID 2 of 15 Nov 2023 22:13 UTC" in you.text
