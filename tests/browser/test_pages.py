"""Every page, in both themes: axe finds nothing, nothing scrolls sideways at 320 px, nothing leaves the origin."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import fill_smtp

PLAIN = {
    "/connections/smtp/new/": "New SMTP connection",
    "/connections/import/": "Import connections",
    "/credentials/": "Credentials",
    "/credentials/new/": "New credential",
    "/users/": "Users and roles",
    "/users/new/": "New user",
    "/setup/clusters/": "Clusters",
    "/setup/clusters/new/": "New cluster",
    "/setup/stengs/new/": "New STENG",
    "/setup/trust/": "Trust store",
    "/setup/trust/import/": None,
    "/password/": "Change password",
    "/nothing-here/": None,
}

themes = pytest.mark.parametrize("theme", ["light", "dark"])


@themes
@pytest.mark.parametrize("path", PLAIN)
def test_a_page_is_accessible(visit, theme, path):
    page = visit(theme=theme)
    page.goto(path)
    if PLAIN[path]:
        expect(page.get_by_role("heading", name=PLAIN[path], level=1)).to_be_visible()
    visit.check(page)


@themes
def test_the_log_in_is_accessible_and_says_what_went_wrong(visit, theme):
    page = visit(theme=theme, log_in=False)
    page.goto("/connections/")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    visit.check(page)
    page.get_by_label("Username").fill(f"nobody-{theme}")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".error-summary")).to_be_focused()
    visit.check(page)


@themes
def test_an_import_is_accessible_from_its_text_to_its_result(visit, theme):
    page = visit(theme=theme)
    page.goto("/connections/import/")
    sound = f"- {{kind: smtp, name: import-{theme}, host: h.example, port: 25, connection_security: NONE}}\n"
    page.get_by_label("Or its text").fill(f"connections:\n{sound}- {{kind: smtp, name: a b}}\n")
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_role("heading", name="What it would do")).to_be_visible()
    visit.check(page)
    page.get_by_role("button", name="Apply what is sound (1)").click()
    expect(page.get_by_role("link", name=f"import-{theme}")).to_be_visible()
    visit.check(page)


@themes
def test_a_form_with_errors_is_accessible(visit, theme):
    page = visit(theme=theme)
    page.goto("/connections/smtp/new/")
    page.locator("#id_host").fill("smtp://h:25")
    page.locator("input[name=cipher_suite_mode][value=SPECIFIC]").check()
    page.locator("input[value=POP_BEFORE_SMTP]").check()
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator(".error-summary")).to_be_visible()
    visit.check(page)


@themes
def test_a_test_is_accessible_from_its_start_to_its_end(visit, theme, server, pki):
    page = visit(theme=theme)
    fill_smtp(page, f"pages-{theme}", server.port)
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("is saved. Press Test")).to_be_visible()
    page.locator("#test-button").click()
    expect(page.locator("#test-panel .verdict h3")).to_have_text("Connection failed at Certificate trust")
    visit.check(page)
    page.get_by_role("link", name="Details and transcript").click()
    expect(page.get_by_role("heading", name="Transcript")).to_be_visible()
    visit.check(page)
    page.goto("/tests/")
    visit.check(page)
    page.goto(f"/connections/?q=pages-{theme}")
    expect(page.locator("tbody tr")).to_have_count(1)
    visit.check(page)
    page.goto("/setup/untrusted/")
    expect(page.locator(".chain").first).to_be_visible()
    visit.check(page)
    page.locator(".chain").first.get_by_role("link", name=re.compile("^Trust")).first.click()
    visit.check(page)
    page.goto("/setup/trust/import/")
    page.locator("textarea[name=certificate]").fill(pki.root.pem.decode())
    page.locator("[name=reason]").fill("Handed over in person.")
    page.locator("main form button[type=submit]").first.click()
    page.goto("/setup/trust/")
    visit.check(page)
    page.goto(f"/connections/?q=pages-{theme}")
    page.locator("tbody th a").click()
    page.locator("#test-button").click()
    expect(page.locator("#test-panel .verdict h3")).to_have_text("Connection successful")
    visit.check(page)


@themes
def test_a_running_test_is_accessible_and_can_be_cancelled(visit, theme, silent_server):
    page = visit(theme=theme)
    fill_smtp(page, f"silent-{theme}", silent_server)
    page.locator("#test-button").click()
    expect(page.locator(".stage.is-running .name")).to_have_text("Server greeting")
    expect(page.locator("#announce")).to_contain_text("Waiting for a STENG")
    visit.check(page)
    page.get_by_role("button", name="Cancel the test").click()
    expect(page.locator("#test-panel .verdict h3")).to_have_text("Test cancelled")
    visit.check(page)


@themes
def test_the_narrow_navigation_opens_and_closes(visit, theme):
    page = visit(theme=theme, width=320)
    page.goto("/connections/")
    expect(page.get_by_role("link", name="Clusters")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Clusters")).to_be_visible()
    visit.check(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Clusters")).to_be_hidden()
