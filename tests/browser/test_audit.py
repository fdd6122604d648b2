"""The audit log in a browser: accessible, readable at 320 px, and usable without a script."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD
from tests.browser.test_list import add


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_audit_log_is_accessible_and_shows_what_changed(visit, theme):
    page = visit(theme=theme)
    add(page, f"audited-{theme}", "mail.example")
    page.locator(".nav-item", has_text="Audit log").click()
    expect(page.get_by_role("heading", name="Audit log", level=1)).to_be_visible()
    event = page.locator(".event", has_text=f"audited-{theme}").first
    expect(event).to_contain_text("A connection was created.")
    expect(event).to_contain_text("admin")
    event.locator("summary").click()
    expect(event.get_by_role("cell", name=f"audited-{theme}", exact=True)).to_be_visible()
    visit.check(page)
    event.get_by_role("link", name="History").click()
    expect(page.locator(".event")).to_have_count(1)
    expect(page.get_by_role("link", name="Only the history of one thing")).to_be_visible()
    visit.check(page)
    page.get_by_label("By").fill("nobody")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("heading", name="No event matches")).to_be_visible()
    visit.check(page)


def test_without_a_script_the_log_is_filtered_and_its_details_open(visit):
    page = visit(script=False)
    page.goto("/audit/")
    page.get_by_label("Act").select_option("session.logged_in")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".event").first).to_contain_text("Somebody logged in.")
    page.goto("/audit/?act=user.created")
    page.locator(".event summary").first.click()
    expect(page.locator(".event details").first).to_contain_text("Username")
    assert PASSWORD not in page.content()
