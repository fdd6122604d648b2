"""The pages of the untrusted cache, as a browser without a script sees them."""

import datetime as dt
import re
import uuid

import pytest
from django.utils import timezone

from tests.integration.untrusted import CACHE, cached, ders, error_codes, imported, issuer_of, met, words
from tests.lab.pki import Authority, Pki
from untrusted_cache import services
from untrusted_cache.models import CachedCertificate, TrustEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pki():
    return Pki()


@pytest.fixture
def leaf(pki):
    return pki.leaf()


def test_an_empty_cache_says_what_it_is_for(admin_client):
    assert "Nothing waits for a decision" in words(admin_client.get(CACHE))


def test_a_chain_is_drawn_with_its_missing_issuer(admin_client, leaf):
    met(leaf)
    titles = re.findall(r"<h3><bdi>(.*?)</bdi></h3>", admin_client.get(CACHE).content.decode())
    assert titles == ["CN=Lab Root CA", "Lab Intermediate CA", "localhost"]


def test_a_chain_that_is_sent_whole_misses_nothing(admin_client, pki, leaf):
    services.remember(
        chain=ders(*leaf.chain, pki.root.certificate),
        code="certificate_unknown_issuer",
        host="a.example",
        port=25,
        now=timezone.now(),
    )
    assert "is-missing" not in admin_client.get(CACHE).content.decode()


def test_a_chain_in_the_wrong_order_misses_only_what_was_not_sent(admin_client, pki, leaf):
    services.remember(
        chain=ders(leaf.certificate, pki.root.certificate, pki.intermediate.certificate),
        code="certificate_unknown_issuer",
        host="a.example",
        port=25,
        now=timezone.now(),
    )
    assert "is-missing" not in admin_client.get(CACHE).content.decode()


def test_the_page_says_who_met_the_chain_where_and_how_often(admin_client, leaf):
    key = uuid.uuid4()
    for user in ("a.rossi", "b.bianchi"):
        met(leaf, requested_by=user, steng="milano-02", connection_id=key, connection_name="partner-out")
    response = admin_client.get(CACHE)
    sentence = re.search(r"First seen .*? · seen \d+ times?", words(response)).group()
    assert (
        re.sub(r"\d+ \w+ ago|just now|yesterday", "…", sentence),
        f'href="/connections/smtp/{key}/"' in response.content.decode(),
    ) == (
        "First seen … by a.rossi , last seen … by b.bianchi from milano-02 , testing partner-out · seen 2 times",
        True,
    )


def test_the_page_says_that_trusting_may_not_be_enough(admin_client, leaf):
    met(leaf)
    assert "Trusting may not be enough" in words(admin_client.get(CACHE))


@pytest.mark.parametrize(
    ("days", "expected"), [(-1, "expired"), (10.5, "expires in 10 days"), (1.5, "expires in 1 day")]
)
def test_validity_that_ends_is_said_in_words(admin_client, pki, days, expected):
    now = timezone.now()
    met(pki.leaf(not_before=now - dt.timedelta(days=20), not_after=now + dt.timedelta(days=days)))
    page = admin_client.get(CACHE).content.decode()
    said = re.findall(r'<strong class="state is-(?:failed|warning)">(.*?)</strong>', page)
    assert said[-1] == expected  # the leaf stands last


def test_a_certificate_that_cannot_be_read_shows_its_fingerprint_alone(admin_client):
    services.remember(chain=(b"junk",), code="certificate_malformed", host="a.example", port=25, now=timezone.now())
    text = words(admin_client.get(CACHE))
    assert ("only its fingerprint is known" in text, "Trust exactly" in text) == (True, False)


def test_what_a_certificate_calls_itself_is_text_and_not_markup(admin_client):
    root = Authority.root("<script>alert(1)</script>\u202eevil\x1b")
    services.remember(
        chain=ders(root.certificate), code="certificate_self_signed", host="a.example", port=25, now=timezone.now()
    )
    page = admin_client.get(CACHE).content.decode()
    assert (
        "<script>alert" in page,
        "\u202e" in page,
        "\x1b" in page,
        "&lt;script&gt;alert(1)&lt;/script&gt;\\u202eevil\\x1b" in page,
    ) == (
        False,
        False,
        False,
        True,
    )


def test_the_chain_that_a_link_names_stands_first_whatever_became_of_it(admin_client, pki, leaf):
    chain = met(leaf)
    met(pki.leaf(), host="other.example")
    imported(pki)
    page = admin_client.get(chain.get_absolute_url()).content.decode()
    assert re.findall(r'id="chain-([0-9a-f-]+)"', page)[0] == str(chain.id)


def test_a_link_to_a_chain_that_was_dropped_says_so(admin_client):
    assert "no longer in the cache" in words(admin_client.get(f"{CACHE}?chain={uuid.uuid4()}"))


def test_the_tabs_count(admin_client, pki, leaf):
    met(leaf)
    met(pki.unknown(), host="other.example")
    imported(pki)
    services.reject(cached(ders(pki.unknown_intermediate.certificate)[0]), reason="x", user="a", now=timezone.now())
    tabs = re.search(r'<nav class="tabs".*?</nav>', admin_client.get(CACHE).content.decode(), re.DOTALL).group()
    assert re.sub(r"<[^>]*>", " ", tabs).split() == ["Untrusted", "Trusted", "now", "1", "Rejected", "1"]


def test_the_rejected_tab_says_who_and_why(admin_client, leaf):
    met(leaf)
    services.reject(cached(leaf), reason="Key was stolen.", user="a.rossi", now=timezone.now())
    text = words(admin_client.get(CACHE, {"status": "rejected"}))
    assert ("Key was stolen." in text, "by a.rossi" in text) == (True, True)


def test_the_cache_is_searched(admin_client, pki, leaf):
    met(leaf)
    met(pki.leaf("needle.example"), host="other.example")
    page = admin_client.get(CACHE, {"q": "needle"}).content.decode()
    assert re.findall(r'<bdi class="mono">(.*?)</bdi></h2>', page) == ["other.example:587"]


@pytest.mark.parametrize(
    ("change", "state"),
    [(str.upper, "ok"), (lambda text: text[::-1], "failed"), (lambda text: text[:-1], "failed")],
    ids=["same", "other", "short"],
)
def test_a_pasted_fingerprint_is_compared_without_a_script(admin_client, leaf, change, state):
    chain = met(leaf)
    page = admin_client.get(CACHE, {"chain": chain.id, "fingerprint": change(leaf.fingerprint)}).content.decode()
    assert re.search(r'<output [^>]*class="is-(\w+)"', page).group(1) == state


def trust_url(certificate, chain, kind):
    return f"{CACHE}{certificate.id}/trust/?as={kind}&chain={chain.id}"


def test_the_confirmation_of_a_pin_says_what_it_means(admin_client, leaf):
    chain = met(leaf)
    text = words(admin_client.get(trust_url(cached(leaf), chain, "pin")))
    assert "Exactly this certificate is accepted, from mail.partner.example:587 and from nowhere else" in text


def test_the_confirmation_of_an_anchor_says_what_it_means(admin_client, pki, leaf):
    chain = met(leaf)
    text = words(admin_client.get(trust_url(issuer_of(pki), chain, "anchor")))
    assert "Every certificate that this CA signs, itself or through others, is accepted from any host" in text


def test_a_pin_is_confirmed_and_the_test_can_be_repeated(admin_client, leaf):
    key = uuid.uuid4()
    chain = met(leaf, connection_id=key, connection_name="partner-out")
    form = {
        "fingerprint": leaf.fingerprint,
        "reason": "By telephone.",
        "endpoint": "mail.partner.example:587",
        "expires": "",
    }
    response = admin_client.post(trust_url(cached(leaf), chain, "pin"), form, follow=True)
    page = response.content.decode()
    assert (
        TrustEntry.objects.get().endpoint,
        response.redirect_chain,
        f'action="/connections/smtp/{key}/test/"' in page,
        "localhost is trusted as pin, from the next test on." in words(response),
    ) == ("mail.partner.example:587", [(chain.get_absolute_url(), 302)], True, True)


def test_an_anchor_is_confirmed_with_scope_and_end(admin_client, pki, leaf):
    chain = met(leaf)
    form = {
        "fingerprint": issuer_of(pki).fingerprint,
        "reason": "By letter.",
        "scope": "mail.partner.example, b.example",
        "expires": "2099-03-31",
    }
    admin_client.post(trust_url(issuer_of(pki), chain, "anchor"), form)
    entry = TrustEntry.objects.get()
    assert (entry.kind, entry.scope, entry.expires.isoformat(), entry.trusted_by) == (
        "anchor",
        ["mail.partner.example", "b.example"],
        "2099-03-31T23:59:59+00:00",
        "admin",
    )


def test_a_wrong_fingerprint_comes_back_with_what_was_typed(admin_client, leaf):
    chain = met(leaf)
    form = {"fingerprint": "AB" * 32, "reason": "By <b>telephone</b>.", "endpoint": "mail.partner.example:587"}
    response = admin_client.post(trust_url(cached(leaf), chain, "pin"), form)
    page = response.content.decode()
    assert (
        response.status_code,
        error_codes(response),
        "AB" * 32 in page,
        "By &lt;b&gt;telephone&lt;/b&gt;." in page,
    ) == (
        422,
        ["fingerprint_mismatch"],
        True,
        True,
    )


def test_everything_that_is_missing_is_said_at_its_field(admin_client, leaf):
    met(leaf)
    chain = met(leaf, port=25)
    response = admin_client.post(trust_url(cached(leaf), chain, "pin"), {})
    assert (response.status_code, error_codes(response)) == (422, ["required", "required", "required"])


def test_an_end_that_is_no_date_stays_as_it_was_typed(admin_client, leaf):
    chain = met(leaf)
    response = admin_client.post(trust_url(cached(leaf), chain, "pin"), {"expires": "next week"})
    assert '<input type="text" name="expires" id="id_expires" value="next week"' in response.content.decode()


def test_trusting_what_was_rejected_meanwhile_is_a_conflict(admin_client, leaf):
    chain = met(leaf)
    services.reject(cached(leaf), reason="x", user="a", now=timezone.now())
    form = {"fingerprint": leaf.fingerprint, "reason": "x", "endpoint": "mail.partner.example:587"}
    response = admin_client.post(trust_url(cached(leaf), chain, "pin"), form)
    assert (response.status_code, "withdraw the rejection first" in words(response)) == (409, True)


def test_a_certificate_is_rejected_on_its_page(admin_client, leaf):
    met(leaf)
    admin_client.post(f"{CACHE}{cached(leaf).id}/reject/", {"reason": "Key was stolen."})
    assert cached(leaf).rejected_reason == "Key was stolen."


def test_a_rejection_without_a_reason_comes_back(admin_client, leaf):
    met(leaf)
    response = admin_client.post(f"{CACHE}{cached(leaf).id}/reject/", {"reason": " "})
    assert (response.status_code, error_codes(response)) == (422, ["required"])


def test_a_rejection_says_which_trust_it_removes(admin_client, pki):
    met(pki.leaf())
    services.import_certificates(pki.intermediate.pem, as_="anchor", reason="x", user="a", now=timezone.now())
    assert "The rejection removes: Lab-Intermediate-CA-" in words(
        admin_client.get(f"{CACHE}{issuer_of(pki).id}/reject/")
    )


def test_a_rejection_is_withdrawn_on_its_page(admin_client, leaf):
    met(leaf)
    services.reject(cached(leaf), reason="x", user="a", now=timezone.now())
    admin_client.post(f"{CACHE}{cached(leaf).id}/unreject/")
    assert cached(leaf).rejected_at is None


def test_a_certificate_is_forgotten_on_its_page(admin_client, leaf):
    met(leaf)
    admin_client.post(f"{CACHE}{cached(leaf).id}/forget/")
    assert CachedCertificate.objects.count() == 0
