"""The list of connections: what is there on the first day, search, filters and order, with and without a script."""

import re

import pytest
from playwright.sync_api import expect

scripts = pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])


def add(page, name, host, security="STARTTLS", status="ENABLED"):
    """Save a connection."""
    page.goto("/connections/smtp/new/")
    page.locator("#id_name").fill(name)
    page.locator("#id_host").fill(host)
    page.locator(f"input[name=connection_security][value={security}]").check()
    page.locator("#id_port").fill("587")
    page.locator(f"input[name=status][value={status}]").check()
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text(f"{name} is saved.")).to_be_visible()


def names(page):
    """Return the names in the list, in its order."""
    return [row.inner_text() for row in page.locator("tbody th").all()]


def test_on_the_first_day_every_list_says_what_belongs_there(visit_fresh):
    page = visit_fresh()
    for path, heading in (
        ("/connections/", "No connections yet"),
        ("/tests/", "No test yet"),
        ("/setup/untrusted/", "Nothing waits for a decision"),
    ):
        page.goto(path)
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        visit_fresh.check(page)
    page.goto("/connections/")
    page.locator(".empty").get_by_role("link", name="New SMTP connection").click()
    expect(page.get_by_role("heading", name="New SMTP connection", level=1)).to_be_visible()


@scripts
def test_filters_narrow_the_list_and_stay_in_the_address(visit, script):
    page = visit(script=script)
    tag = "fjs" if script else "fplain"
    add(page, f"{tag}-alpha", "alpha.example")
    add(page, f"{tag}-beta", "beta.example", security="NONE", status="DISABLED")
    page.goto("/connections/")
    page.get_by_label("Search").fill(tag)
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("Security").select_option("NONE")
    if not script:
        page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert names(page) == [f"{tag}-beta"]
    expect(page).to_have_url(re.compile(f"q={tag}.*security=NONE"))
    page.get_by_label("Status").select_option("ENABLED")
    if not script:
        page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("heading", name="No connection matches")).to_be_visible()
    page.locator(".chips").get_by_role("link", name="Security").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert names(page) == [f"{tag}-alpha"]


def test_a_head_of_the_table_sorts_and_sorts_back(visit):
    page = visit()
    add(page, "sort-a", "b.example")
    add(page, "sort-b", "a.example")
    page.goto("/connections/?q=sort-")
    page.get_by_role("link", name="Host").click()
    expect(page.get_by_role("columnheader", name="Host")).to_have_attribute("aria-sort", "ascending")
    assert names(page) == ["sort-b", "sort-a"]
    page.get_by_role("link", name="Host").click()
    expect(page.get_by_role("columnheader", name="Host")).to_have_attribute("aria-sort", "descending")
    assert names(page) == ["sort-a", "sort-b"]


def test_a_slash_goes_to_the_search_but_not_while_typing(visit):
    page = visit()
    add(page, "slash", "slash.example")
    page.goto("/connections/")
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    assert page.get_by_label("Search").input_value() == ""
    page.keyboard.press("/")
    assert page.get_by_label("Search").input_value() == "/"


def test_a_filter_that_does_not_exist_is_left_out_and_said(visit):
    page = visit()
    add(page, "odd-address", "odd.example")
    page.goto("/connections/?q=odd-&security=SSLv9&ordering=colour")
    expect(page.get_by_text("Not a filter of this list: ordering, security.")).to_be_visible()
    assert names(page) == ["odd-address"]


@scripts
def test_a_connection_is_deleted_after_a_question(visit, script):
    page = visit(script=script)
    name = "goes-js" if script else "goes-plain"
    add(page, name, "goes.example")
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("heading", name=f"Delete {name}?")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text(f"{name} is deleted.")).to_be_visible()
