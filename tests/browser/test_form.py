"""The form of a connection: conditions, errors, advice, the port that follows, the cipher suites."""

import pytest
from playwright.sync_api import expect

from steng.suites import SUITES
from tests.lab.s_server import OpenSslServer

NEW = "/connections/smtp/new/"


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
def test_fields_appear_with_their_condition(visit, script):
    page = visit(script=script)
    page.goto(NEW)
    expect(page.locator("#id_password")).to_be_visible()
    expect(page.locator("#id_pop_host")).to_be_hidden()
    page.locator("input[value=POP_BEFORE_SMTP]").check()
    expect(page.locator("#id_pop_host")).to_be_visible()
    expect(page.locator("#id_password")).to_be_hidden()
    expect(page.locator("#id_username")).to_be_hidden()
    page.locator("input[value=OAUTH2_CLIENT_CREDENTIAL]").check()
    expect(page.locator("#id_username")).to_be_visible()
    expect(page.locator("#id_oauth2_mechanism")).to_be_visible()
    expect(page.locator("#id_pop_host")).to_be_hidden()
    expect(page.locator("#id_ssl_protocols")).to_be_hidden()
    page.locator("input[name=ssl_protocol_mode][value=SPECIFIC]").check()
    expect(page.locator("#id_ssl_protocols")).to_be_visible()
    expect(page.locator("#id_retry_interval")).to_be_hidden()
    page.locator("#id_max_retries").fill("3")
    expect(page.locator("#id_retry_interval")).to_be_visible()


def test_an_interval_hides_again_at_zero_retries(visit):
    page = visit()
    page.goto(NEW)
    page.locator("#id_max_retries").fill("1")
    expect(page.locator("#id_retry_interval")).to_be_visible()
    page.locator("#id_max_retries").fill("0")
    expect(page.locator("#id_retry_interval")).to_be_hidden()


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
def test_what_is_wrong_is_summed_up_and_what_was_typed_stays(visit, script):
    page = visit(script=script)
    page.goto(NEW)
    page.locator("#id_name").fill("a b" + "c" * 130)
    page.locator("#id_port").fill("abc")
    page.locator("#id_password").fill("never-echoed")
    page.get_by_role("button", name="Save", exact=True).last.click()
    summary = page.locator(".error-summary")
    expect(summary).to_be_visible()
    links = [link.inner_text() for link in summary.get_by_role("link").all()]
    assert links == ["Name", "Host", "Port", "Connection security", page.locator("label[for=id_username]").inner_text()]
    if script:
        expect(summary).to_be_focused()
        expect(page.locator("#announce")).to_have_count(1)
    assert page.locator("#id_name").input_value() == "a b" + "c" * 130
    assert page.locator("#id_port").input_value() == "abc"
    assert page.locator("#id_port").get_attribute("aria-invalid") == "true"
    assert page.locator("#id_password").input_value() == ""
    assert "never-echoed" not in page.content()
    summary.get_by_role("link", name="Port").click()
    expect(page.locator("#id_port")).to_be_focused()


def test_a_field_is_judged_when_it_is_left_and_the_others_are_not(visit):
    page = visit()
    page.goto(NEW)
    page.locator("#id_port").fill("65536")
    page.locator("#id_port").blur()
    expect(page.locator("#id_port-notes .error")).to_have_attribute("data-code", "out_of_range")
    expect(page.locator("#id_port")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#id_name-notes .error")).to_have_count(0)
    page.locator("#id_port").fill("587")
    page.locator("#id_port").blur()
    expect(page.locator("#id_port-notes .error")).to_have_count(0)
    assert page.locator("#id_port").get_attribute("aria-invalid") is None


def test_the_port_follows_the_security_until_somebody_types_one(visit):
    page = visit()
    page.goto(NEW)
    port = page.locator("#id_port")
    security = page.locator("input[name=connection_security]")
    security.and_(page.locator("[value=STARTTLS]")).check()
    assert port.input_value() == "587"
    security.and_(page.locator("[value=SSL_TLS]")).check()
    assert port.input_value() == "465"
    port.fill("2465")
    security.and_(page.locator("[value=NONE]")).check()
    assert port.input_value() == "2465"


def test_advice_stands_beside_its_field_and_blocks_nothing(visit):
    page = visit()
    page.goto(NEW)
    page.locator("#id_name").fill("in-clear")
    page.locator("#id_host").fill("relay.example")
    page.locator("#id_username").fill("alice")
    page.locator("#id_password").fill("secret")
    page.locator("input[name=connection_security][value=NONE]").check()
    advice = page.locator("#id_connection_security-notes .advice")
    expect(advice).to_have_attribute("data-code", "clear_text_login")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("in-clear is saved.")).to_be_visible()
    expect(advice).to_have_attribute("data-code", "clear_text_login")


def test_cipher_suites_are_searched_chosen_and_ordered(visit):
    page = visit()
    page.goto(NEW)
    page.locator("#id_name").fill("picky")
    page.locator("#id_host").fill("relay.example")
    page.locator("input[name=connection_security][value=STARTTLS]").check()
    page.locator("input[name=cipher_suite_mode][value=SPECIFIC]").check()
    page.get_by_label("Search cipher suites").fill("tls_aes gcm")
    expect(page.get_by_label("TLS_CHACHA20_POLY1305_SHA256")).to_be_hidden()
    page.get_by_label("TLS_AES_128_GCM_SHA256", exact=True).check()
    page.get_by_label("TLS_AES_256_GCM_SHA384", exact=True).check()
    page.get_by_role("button", name="Move up TLS_AES_256_GCM_SHA384").click()
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("picky is saved.")).to_be_visible()
    chosen = [box.get_attribute("value") for box in page.locator("[data-picker-chosen] input").all()]
    assert chosen == ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"]


def test_without_a_script_cipher_suites_are_chosen_and_ordered_too(visit):
    page = visit(script=False)
    page.goto(NEW)
    page.locator("#id_name").fill("picky-plain")
    page.locator("#id_host").fill("relay.example")
    page.locator("#id_port").fill("587")
    page.locator("input[name=connection_security][value=STARTTLS]").check()
    page.locator("input[name=cipher_suite_mode][value=SPECIFIC]").check()
    page.get_by_label("TLS_AES_256_GCM_SHA384", exact=True).check()
    page.get_by_label("TLS_AES_128_GCM_SHA256", exact=True).check()
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("picky-plain is saved.")).to_be_visible()
    before = [box.get_attribute("value") for box in page.locator("[data-picker-chosen] input").all()]
    page.get_by_role("button", name=f"Move up {before[1]}").click()
    after = [box.get_attribute("value") for box in page.locator("[data-picker-chosen] input").all()]
    assert after == before[::-1]


def test_leaving_with_unsaved_edits_asks_first(visit):
    page = visit()
    page.goto(NEW)
    asked = []

    def stay(dialog):
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.locator("#id_name").fill("half-done")
    page.get_by_role("link", name="Test history").click()
    page.wait_for_timeout(0)
    expect(page.locator("#id_name")).to_have_value("half-done")
    assert asked == ["beforeunload"]
    page.remove_listener("dialog", stay)
    page.on("dialog", lambda dialog: dialog.accept())


def test_the_theme_changes_without_losing_what_was_typed(visit):
    page = visit()
    page.goto(NEW)
    page.locator("#id_name").fill("half-done")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.locator("#id_name").input_value() == "half-done"
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_change_made_meanwhile_is_told_and_nothing_is_lost(visit):
    page = visit()
    page.goto(NEW)
    page.locator("#id_name").fill("contended")
    page.locator("#id_host").fill("relay.example")
    page.locator("input[name=connection_security][value=STARTTLS]").check()
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("contended is saved.")).to_be_visible()
    other = page.context.new_page()
    other.goto(page.url)
    other.locator("#id_description").fill("theirs")
    other.get_by_role("button", name="Save", exact=True).last.click()
    expect(other.get_by_text("contended is saved.")).to_be_visible()
    page.locator("#id_partner").fill("mine")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator(".error-summary")).to_contain_text("changed meanwhile: description")
    assert page.locator("#id_partner").input_value() == "mine"


@pytest.mark.openssl
@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
def test_a_suite_that_the_server_would_choose_is_added_behind_the_chosen_ones(visit, pki, tmp_path, script):
    mine, its = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    page = visit(script=script)
    with OpenSslServer(tmp_path, [pki.leaf()], ciphers=SUITES[its].openssl, version="TLSv1_2") as server:
        page.goto(NEW)
        page.locator("#id_host").fill("localhost")
        page.locator("input[name=connection_security][value=SSL_TLS]").check()
        page.locator("#id_port").fill(str(server.port))
        page.locator("input[name=cipher_suite_mode][value=SPECIFIC]").check()
        page.locator(f"input[name=cipher_suites][value={mine}]").check()
        page.locator("#test-button").click()
        expect(page.locator("#test-panel .verdict h3")).to_have_text("Connection failed at TLS handshake")
        page.locator("button[name=apply]").click()
        expect(page.locator(f"input[name=cipher_suites][value={its}]")).to_be_checked()
        chosen = page.locator("input[name=cipher_suites]:checked")
        assert [box.get_attribute("value") for box in chosen.all()] == [mine, its]
        page.locator("#test-button").click()
        expect(page.locator("#test-panel .verdict h3")).to_have_text("Connection failed at Certificate trust")
