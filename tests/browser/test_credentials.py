"""Credentials in a real browser: with a script and without, in both themes."""

import pytest
from playwright.sync_api import expect

OAUTH2 = "OAUTH2_CLIENT_CREDENTIAL"


def fill_basic(page, name):
    page.goto("/credentials/new/")
    page.locator("#id_name").fill(name)
    page.locator("#id_username").fill("orders@example.org")
    page.locator("#id_password").fill("correct horse")


def save(page):
    page.get_by_role("button", name="Save", exact=True).last.click()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_kind_decides_which_fields_show(visit, script):
    page = visit(script=script)
    page.goto("/credentials/new/")
    expect(page.locator("#id_username")).to_be_visible()
    expect(page.locator("#id_client_id")).to_be_hidden()
    page.locator(f"input[name=kind][value={OAUTH2}]").check()
    expect(page.locator("#id_username")).to_be_hidden()
    expect(page.locator("#id_client_id")).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_credential_is_made_changed_found_and_deleted(visit, script):
    page = visit(script=script)
    name = f"story-{'with' if script else 'without'}-script"
    fill_basic(page, name)
    save(page)
    expect(page.get_by_text(f"{name} is saved.")).to_be_visible()
    page.locator("#id_username").fill("somebody")
    save(page)
    expect(page.locator(".error-summary")).to_contain_text("Type the secret again")
    page.locator("#id_password").fill("new one")
    save(page)
    expect(page.get_by_text(f"{name} is saved.")).to_be_visible()
    page.goto(f"/credentials/?q={name}")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody th a").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text(f"{name} is deleted.")).to_be_visible()


def test_a_changed_field_is_judged_at_once(visit):
    page = visit()
    page.goto("/credentials/new/")
    page.locator("#id_destinations").fill("mail.example.org")
    page.locator("#id_name").focus()
    expect(page.locator("#id_destinations-notes .error")).to_contain_text("Write it as host:port")
    expect(page.locator("#id_destinations")).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_are_accessible(visit, theme):
    page = visit(theme=theme)
    fill_basic(page, f"a11y-{theme}")
    page.locator(f"input[name=kind][value={OAUTH2}]").check()
    page.locator("#id_token_endpoint").fill("http://login.example.org/token")
    page.locator("#id_secret_expires").fill("soon")
    save(page)
    expect(page.locator(".error-summary")).to_be_focused()
    visit.check(page)
    page.locator("#id_token_endpoint").fill("https://login.example.org/token")
    page.locator("#id_secret_expires").fill("2020-01-31")
    page.locator("#id_client_id").fill("client")
    page.locator("#id_client_secret").fill("battery staple")
    save(page)
    expect(page.get_by_text(f"a11y-{theme} is saved.")).to_be_visible()
    visit.check(page)
    page.goto(f"/credentials/?q=a11y-{theme}")
    expect(page.locator("tbody tr")).to_have_count(1)
    visit.check(page)
    page.locator("tbody th a").click()
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("button", name="Delete")).to_be_visible()
    visit.check(page)
