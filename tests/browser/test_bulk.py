"""Bulk acts in a browser: choosing rows with and without a script, the question, the progress, the end."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_list import add

scripts = pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
themes = pytest.mark.parametrize("theme", ["light", "dark"])


def add_some(page, tag, count=3, **more):
    for number in range(count):
        add(page, f"{tag}-{number}", f"{tag}{number}.example", **more)
    page.goto(f"/connections/?q={tag}-")


def box(page, name):
    return page.get_by_label(f"Select {name}", exact=True)


def test_buttons_wait_until_something_is_chosen_and_count_it(visit):
    page = visit()
    add_some(page, "bcount")
    button = page.get_by_role("button", name="Disable")
    expect(button).to_be_disabled()
    box(page, "bcount-0").check()
    expect(page.locator("[data-bulk-count]")).to_have_text("1 selected")
    expect(button).to_be_enabled()
    whole = page.get_by_label("Select all on this page")
    assert whole.evaluate("box => box.indeterminate")
    whole.check()
    expect(page.locator("[data-bulk-count]")).to_have_text("3 selected")
    whole.uncheck()
    expect(page.locator("[data-bulk-count]")).to_have_text("Select connections to act on them")
    page.get_by_label("All 3 that match").check()
    expect(box(page, "bcount-2")).to_be_checked()
    box(page, "bcount-2").uncheck()
    expect(page.get_by_label("All 3 that match")).not_to_be_checked()
    expect(page.locator("[data-bulk-count]")).to_have_text("2 selected")


def test_without_a_script_nothing_chosen_is_said(visit):
    page = visit(script=False)
    add_some(page, "bnone", 1)
    expect(page.get_by_label("Select all on this page")).to_be_hidden()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("No connection was chosen.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?q=bnone-$"))


@scripts
def test_chosen_connections_are_disabled_and_each_result_is_shown(visit, script):
    page = visit(script=script)
    tag = "bdis" if script else "bdisplain"
    add_some(page, tag)
    for number in range(2):
        box(page, f"{tag}-{number}").check()
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("heading", name="Disable 2 connections", level=1)).to_be_visible()
    expect(page.locator("#batch")).to_have_attribute("data-state", "finished")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody tr").first.locator("td").first).to_have_text("Disabled")
    page.goto(f"/connections/?q={tag}-&status=DISABLED")
    expect(page.locator("tbody tr")).to_have_count(2)


@scripts
def test_deleting_all_that_match_asks_first(visit, script):
    page = visit(script=script)
    tag = "bdel" if script else "bdelplain"
    add_some(page, tag, 2)
    page.get_by_label("All 2 that match").check()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Delete 2 connections?")).to_be_visible()
    expect(page.locator(".names")).to_contain_text(f"{tag}-1")
    page.get_by_role("link", name="Keep them").click()
    expect(page).to_have_url(re.compile(rf"\?q={tag}-$"))
    page.get_by_label("All 2 that match").check()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete 2").click()
    expect(page.locator("#batch")).to_have_attribute("data-state", "finished")
    page.goto(f"/connections/?q={tag}-")
    expect(page.get_by_role("heading", name="No connection matches")).to_be_visible()


def test_the_keyboard_is_enough(visit):
    page = visit()
    add_some(page, "bkeys", 1)
    box(page, "bkeys-0").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Disable").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#batch")).to_have_attribute("data-state", "finished")


@themes
def test_the_pages_of_a_bulk_run_are_accessible_from_start_to_end(visit, theme, silent_server):
    page = visit(theme=theme)
    tag = f"brun{theme}"
    page.goto("/connections/smtp/new/")
    page.locator("#id_name").fill(f"{tag}-silent")
    page.locator("#id_host").fill("localhost")
    page.locator("input[name=connection_security][value=STARTTLS]").check()
    page.locator("#id_port").fill(str(silent_server))
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("is saved.")).to_be_visible()
    add(page, f"{tag}-gone", "nowhere.invalid")
    page.goto(f"/connections/?q={tag}-")
    page.get_by_label("All 2 that match").check()
    visit.check(page)
    page.get_by_role("button", name="Delete").click()
    visit.check(page)
    page.get_by_role("link", name="Keep them").click()
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("#batch")).to_contain_text("1 of 2 finished")
    visit.check(page)
    expect(page.locator("#announce")).to_have_text("")
    page.get_by_role("button", name="Cancel the rest").click()
    expect(page.locator("#batch")).to_have_attribute("data-state", "cancelled")
    expect(page.locator("tbody tr").first).to_contain_text(f"{tag}-gone")
    expect(page.get_by_role("button", name="Cancel the rest")).to_have_count(0)
    visit.check(page)
    page.goto("/bulk/")
    expect(page.get_by_role("heading", name="Bulk runs", level=1)).to_be_visible()
    visit.check(page)


def test_the_end_is_announced_once_and_the_focus_stays(visit, silent_server):
    page = visit()
    page.goto("/connections/smtp/new/")
    page.locator("#id_name").fill("bsay-silent")
    page.locator("#id_host").fill("localhost")
    page.locator("input[name=connection_security][value=STARTTLS]").check()
    page.locator("#id_port").fill(str(silent_server))
    page.locator("#id_timeout_ms").fill("4000")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("is saved.")).to_be_visible()
    add(page, "bsay-gone", "nowhere.invalid")
    page.goto("/connections/?q=bsay-")
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("#batch")).to_contain_text("1 of 2 finished")
    page.locator("#batch-all").focus()
    expect(page.locator("#announce")).to_have_text("Finished: Test 2 connections, 2 failed.")
    expect(page.locator("#batch-all")).to_be_focused()
    expect(page.get_by_role("button", name="Cancel the rest")).to_have_count(0)
    page.get_by_role("link", name="Stages of bsay-gone").click()
    expect(page.get_by_role("link", name="a bulk run")).to_be_visible()
