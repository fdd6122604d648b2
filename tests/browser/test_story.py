"""The whole path in a browser: define, test, red at the trust, review, trust, test again, green."""

import hashlib
import re
import ssl

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import USERS, fill_smtp


def run_test(page, verdict):
    """Press TEST and wait for the verdict."""
    page.locator("#test-button").click()
    expect(page.locator("#test-panel .verdict h3")).to_have_text(verdict)


def stages(page):
    """Return the names of the stages with their outcome, as they are shown."""
    return [
        (row.locator(".name").inner_text(), row.get_attribute("class").removeprefix("stage is-"))
        for row in page.locator("#test-panel .stage").all()
    ]


def trust_the_intermediate(page, pki):
    """Trust the issuing CA on the page of the chain, its fingerprint repeated."""
    card = page.locator(f"#{page.url.partition('#')[2]}")
    node = card.locator(".chain > li", has=page.get_by_role("heading", name="Lab Intermediate CA"))
    node.get_by_role("link", name=re.compile("^Trust this CA")).click()
    page.locator("input[name=fingerprint]").fill(
        hashlib.sha256(ssl.PEM_cert_to_DER_cert(pki.intermediate.pem.decode())).hexdigest()
    )
    page.locator("[name=reason]").fill("Compared by telephone.")
    page.locator("main form").get_by_role("button", name=re.compile("^Trust")).click()


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
def test_a_connection_goes_from_red_to_green(visit, server, pki, script):
    page = visit(script=script)
    fill_smtp(page, f"story-{'js' if script else 'plain'}", server.port)
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("is saved. Press Test")).to_be_visible()

    run_test(page, "Connection failed at Certificate trust")
    expect(page.locator("#test-panel .code").first).to_have_text("certificate_unknown_issuer")
    assert ("Authentication", "skipped") in stages(page)
    assert server.login_attempts("alice") == 0

    page.get_by_role("link", name="Review this chain").click()
    trust_the_intermediate(page, pki)
    page.goto("/connections/?q=story-" + ("js" if script else "plain"))
    expect(page.locator("tbody .badge")).to_have_text("stale")
    page.locator("tbody th a").click()

    run_test(page, "Connection successful")
    assert stages(page) == [
        ("Resolve host", "ok"),
        ("TCP connect", "ok"),
        ("Server greeting", "ok"),
        ("EHLO", "ok"),
        ("STARTTLS", "ok"),
        ("TLS handshake", "ok"),
        ("Certificate trust", "ok"),
        ("Hostname match", "ok"),
        ("EHLO", "ok"),
        ("Authentication", "ok"),
        ("Goodbye", "ok"),
    ]
    assert server.logins("alice") == 1
    if script:
        expect(page.locator("#announce")).to_have_text("Connection successful.")
        expect(page.locator("#test-button")).to_have_text("Test again")


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
def test_the_page_of_the_chain_leads_back_to_a_test(visit, server, pki, script):
    page = visit(script=script)
    fill_smtp(page, f"round-trip-{'js' if script else 'plain'}", server.port)
    page.get_by_role("button", name="Save", exact=True).last.click()
    run_test(page, "Connection failed at Certificate trust")
    page.get_by_role("link", name="Review this chain").click()
    trust_the_intermediate(page, pki)
    page.get_by_role("button", name="Test again").first.click()
    expect(page.locator("#test-panel .verdict h3")).to_have_text("Connection successful")


def test_what_is_on_the_screen_is_tested_without_being_saved(visit, server):
    page = visit()
    fill_smtp(page, "never-saved", server.port)
    run_test(page, "Connection failed at Certificate trust")
    page.locator("#id_helo_name").fill("client.example")
    expect(page.locator("#test-result .changed")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/connections/?q=never-saved")
    expect(page.get_by_role("heading", name="No connection matches")).to_be_visible()


def test_without_a_script_the_form_comes_back_filled_with_what_was_tested(visit, server):
    page = visit(script=False)
    fill_smtp(page, "kept-on-screen", server.port)
    run_test(page, "Connection failed at Certificate trust")
    assert page.locator("#id_name").input_value() == "kept-on-screen"
    assert page.locator("#id_port").input_value() == str(server.port)
    assert page.locator("#id_password").input_value() == ""
    assert USERS["alice"] not in page.content()


def test_a_secret_is_never_shown_again(visit, server):
    page = visit()
    fill_smtp(page, "write-only", server.port)
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator("#id_password-set")).to_contain_text("Set, changed")
    assert page.locator("#id_password").input_value() == ""
    assert USERS["alice"] not in page.content()


def test_a_changed_host_asks_for_the_password_again(visit, server):
    page = visit()
    fill_smtp(page, "moves-house", server.port)
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator("#id_password-set")).to_be_visible()
    page.locator("#id_host").fill("127.0.0.1")
    page.locator("#id_host").blur()
    expect(page.locator("#id_password-notes .error")).to_have_attribute("data-code", "secret_must_be_retyped")
    page.locator("#test-button").click()
    expect(page.locator("#test-result")).to_contain_text("The test did not start")
    assert server.sessions == []


def test_a_suggestion_is_applied_with_one_click(visit):
    page = visit()
    page.goto("/connections/smtp/new/")
    page.locator("#id_host").fill("smtps://mail.partner.example:465")
    page.locator("#id_host").blur()
    page.get_by_role("button", name="Use host mail.partner.example").click()
    assert page.locator("#id_host").input_value() == "mail.partner.example"
    assert page.locator("#id_port").input_value() == "465"
    assert page.locator("input[name=connection_security][value=SSL_TLS]").is_checked()
    expect(page.locator("#id_host-notes .error")).to_have_count(0)
