"""Users and roles in a browser: made, given a role, and led by it."""

import pytest
from playwright.sync_api import expect

themes = pytest.mark.parametrize("theme", ["light", "dark"])


@themes
def test_a_user_is_made_given_a_role_and_deactivated(visit, theme):
    page, name = visit(theme=theme), f"operator-{theme}"
    page.goto("/users/")
    page.get_by_role("link", name="New user").click()
    page.get_by_label("User name").fill("a b")
    page.get_by_role("button", name="Create the user").click()
    expect(page.locator(".error-summary")).to_be_focused()
    visit.check(page)
    page.get_by_label("User name").fill(name)
    page.get_by_role("button", name="Create the user").click()
    expect(page.get_by_text("It is shown only now.")).to_be_visible()
    visit.check(page)
    page.get_by_role("link", name="To this user").click()
    page.get_by_role("checkbox", name="Operator").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text(f"{name} is saved")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Operator")).to_be_checked()
    visit.check(page)
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_role("button", name="Activate")).to_be_visible()


@themes
def test_who_has_no_role_is_told_what_to_do(visit, theme):
    page, name = visit(theme=theme), f"nobody-{theme}"
    page.goto("/users/new/")
    page.get_by_label("User name").fill(name)
    page.get_by_role("button", name="Create the user").click()
    password = page.locator(".code").inner_text()
    other = visit(theme=theme, log_in=False)
    other.goto("/login/")
    other.get_by_label("Username").fill(name)
    other.get_by_label("Password").fill(password)
    other.get_by_role("button", name="Log in").click()
    other.locator("#id_old_password").fill(password)
    other.locator("#id_new_password1").fill("correct-horse-battery")
    other.locator("#id_new_password2").fill("correct-horse-battery")
    other.get_by_role("button", name="Change password").click()
    expect(other.get_by_role("heading", name="You have no role yet")).to_be_visible()
    visit.check(other)
