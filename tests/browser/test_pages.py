"""Every page, in both themes: axe finds nothing, nothing scrolls sideways at 320 px, nothing leaves the origin."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import fill_smtp

PLAIN = {
    "/connections/smtp/new/": "New SMTP connection",
    "/connections/mailbox/new/": "New POP3/IMAP connection",
    "/connections/import/": "Import connections",
    "/tests/": "Test history",
    "/bulk/": "Bulk runs",
    "/suspended-logins/": "Suspended sign-ins",
    "/suspended-logins/?lifted=1": "Suspended sign-ins",
    "/audit/": "Audit log",
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
def test_the_longest_names_break_nothing(visit, theme):
    page = visit(theme=theme)
    name = f"💌-{theme}-" + "n" * (126 - len(theme) - 1)
    host = ".".join(letter * 62 for letter in "abc") + "." + "d" * 56 + ".test"
    fill_smtp(page, name, 587, host=host, username="u" * 320)
    page.locator("#id_partner").fill("p" * 128)
    page.locator("#id_tags").fill(", ".join("t" * 40 + str(number) for number in range(9)))
    page.locator("#id_description").fill("d" * 2048)
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("is saved. Press Test")).to_be_visible()
    page.locator("#test-button").click()
    expect(page.locator("#test-panel .verdict h3")).to_have_text("Connection failed at Resolve host")
    visit.check(page)
    address = page.url
    page.get_by_role("link", name="Details and transcript").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    visit.check(page)
    for path in (f"/connections/?name={name}", "/tests/"):
        page.goto(path)
        expect(page.locator("tbody tr").first).to_contain_text(name)
        visit.check(page)
    page.goto(f"{address.partition('?')[0]}delete/")
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    visit.check(page)


@themes
def test_a_bulk_run_is_accessible_from_the_choice_to_its_results(visit, theme):
    page = visit(theme=theme)
    for number in range(2):
        fill_smtp(page, f"bulk-{theme}-{number}", 1)
        page.get_by_role("button", name="Save", exact=True).last.click()
        expect(page.get_by_text("is saved. Press Test")).to_be_visible()
    page.goto(f"/connections/?q=bulk-{theme}")
    acts = page.locator(".bulk-bar button")
    assert [act.is_disabled() for act in acts.all()] == [True] * 4
    page.get_by_label("Select all on this page").check()
    expect(page.locator(".bulk-bar output")).to_have_text("2 selected")
    visit.check(page)
    page.locator(".bulk-bar").get_by_role("button", name="Test").click()
    expect(page.locator("#batch .progress-line")).to_contain_text("2 of 2 finished")
    visit.check(page)
    page.goto("/bulk/")
    expect(page.locator("tbody tr").first).to_be_visible()
    visit.check(page)
    page.goto(f"/connections/?q=bulk-{theme}")
    page.get_by_label("Select all on this page").check()
    page.locator(".bulk-bar").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Delete 2 connections?")).to_be_visible()
    visit.check(page)
    page.get_by_role("button", name="Delete 2").click()
    expect(page.locator("#batch .progress-line")).to_contain_text("2 of 2 finished")


@themes
def test_an_import_is_accessible_with_its_plan(visit, theme):
    page = visit(theme=theme)
    page.goto("/connections/import/")
    page.locator("textarea[name=text]").fill(
        f"connections:\n- kind: smtp\n  name: import-{theme}\n  host: relay.example\n  port: 587\n"
        "  connection_security: STARTTLS\n- kind: mailbox\n  name: no host\n"
    )
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_role("heading", name="What it would do")).to_be_visible()
    expect(page.locator("tr[data-action=refused]")).to_have_count(1)
    visit.check(page)


def test_the_navigation_is_in_its_order(visit):
    page = visit()
    page.goto("/connections/")
    groups = [group.inner_text() for group in page.locator("#sidebar h2").all()]
    entries = [
        entry.inner_text()
        for entry in page.locator("#sidebar > div:not(.sidebar-foot) .nav-item > span:first-of-type").all()
    ]
    assert groups == ["Operate", "Setup", "Govern", "Automate"]
    assert entries == [
        *("Connections", "Test history", "Bulk runs", "Suspended sign-ins"),
        *("Credentials", "Trust store", "Untrusted cache", "Clusters"),
        *("Audit log", "Users and roles", "Support pages"),
        "API",
    ]


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
