"""A refused password in a browser: the next test is stopped, says why, and leads to the lift and back."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import fill_smtp
from tests.lab.facts import Security
from tests.lab.pyserver import RecordingSmtpServer


@pytest.fixture
def server():
    serving = RecordingSmtpServer(Security.NONE)
    with ThreadPoolExecutor(1) as aside:  # its loop cannot start where Playwright's is running
        aside.submit(serving.start).result()
    yield serving
    serving.stop()


def draft(page, server, user, code):
    """Test values that are not saved, with a wrong password, and wait for the code."""
    fill_smtp(page, f"draft-{user}", server.port, security="NONE", username=user, password="wrong")
    page.locator("#test-button").click()
    expect(page.locator("#test-panel .code").first).to_have_text(code)


@pytest.mark.parametrize(("theme", "script"), [("light", True), ("dark", True), ("light", False)])
def test_a_refused_password_is_tried_again_only_after_a_lift(visit, server, theme, script):
    page, user = visit(theme=theme, script=script), f"suspended-{theme}-{script}"
    draft(page, server, user, "credentials_refused")
    draft(page, server, user, "auth_suspended")
    assert server.login_attempts(user) == 1
    if script:
        visit.check(page)

    page.get_by_role("link", name="Look at the suspended sign-in, or lift it").click()
    expect(page.get_by_role("heading", name=f"{user} at localhost", level=1)).to_be_visible()
    page.get_by_role("button", name="Lift the suspension").click()
    expect(page.locator(".error-summary")).to_contain_text("Say why it may be tried again.")
    if script:
        visit.check(page)
    page.goto("/suspended-logins/")
    expect(page.get_by_role("row", name=user)).to_contain_text("Credentials refused")
    if script:
        visit.check(page)
    page.get_by_role("link", name=f"Lift {user} at localhost").click()
    page.get_by_label("Reason").fill("The account was unlocked.")
    page.get_by_role("button", name="Lift the suspension").click()
    expect(page.get_by_text("may be tried once more")).to_be_visible()

    draft(page, server, user, "credentials_refused")
    assert server.login_attempts(user) == 2
    page.goto("/suspended-logins/?lifted=1")
    expect(page.get_by_role("row", name=user)).to_contain_text("The account was unlocked.")
    if script:
        visit.check(page)
