"""The support pages in a browser: under the strict policy, in light and dark, and without a script."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import USERS

themes = pytest.mark.parametrize("theme", ["light", "dark"])


def add(page, name, port):
    page.goto("/admin/connections/smtpconnection/add/")
    page.locator("#id_name").fill(name)
    page.locator("#id_host").fill("localhost")
    page.locator("#id_port").fill(str(port))
    page.locator("#id_connection_security").select_option("STARTTLS")
    page.locator("#id_username").fill("alice")
    page.locator("#id_password").fill(USERS["alice"])
    page.locator("input[name=_continue]").first.click()


@themes
def test_support_defines_a_connection_and_sees_the_stages_of_its_test(visit, theme, server):
    page = visit(theme=theme)
    page.emulate_media(color_scheme=theme)
    name = f"support-{theme}"
    add(page, f"{name} x", server.port)
    expect(page.locator(".errornote").first).to_be_visible()
    expect(page.locator(".field-name .errorlist")).to_contain_text("not allowed here")
    add(page, name, server.port)
    expect(page.locator(".messagelist .success")).to_contain_text("was added successfully")
    page.get_by_role("button", name="Run a test").click()
    expect(page.locator(".outcome h2")).to_have_text("Connection failed at Certificate trust")
    expect(page.locator(".stages tr.is-failed th")).to_have_text("Certificate trust")
    page.goto(f"/admin/connections/connection/?q={name}")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.goto("/admin/cluster/job/")
    expect(page.locator("#result_list tbody tr").first).to_contain_text(name)
    page.goto("/admin/")


def test_a_test_is_run_and_followed_without_a_script(visit, silent_server, server):
    page = visit(script=False)
    add(page, "support-silent", silent_server)
    page.get_by_role("button", name="Run a test").click()
    expect(page.locator(".outcome h2")).to_have_text(re.compile("Testing from|Waiting for a STENG"))
    expect(page.locator(".stages tr.is-running th")).to_have_text("Server greeting")
    add(page, "support-answers", server.port)
    page.goto("/admin/connections/connection/?q=support-answers")
    page.get_by_role("link", name="support-answers").click()
    page.get_by_role("link", name="Test elsewhere, or only so far").click()
    page.get_by_label("Depth").select_option("connect")
    page.get_by_role("button", name="Run the test").click()
    expect(page.locator(".outcome h2")).to_have_text("The server answers")
