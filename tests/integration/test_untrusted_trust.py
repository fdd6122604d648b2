"""Trust in what was met: as pin, as anchor, with fingerprint and reason."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from core.errors import Refused
from steng.x509 import fingerprint_of
from tests.integration.untrusted import (
    LATER,
    NOW,
    cached,
    certificate_status,
    codes,
    decide,
    ders,
    issuer_of,
    met,
    status_of,
)
from tests.lab.pki import Authority, Pki
from untrusted_cache import selectors, services

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pki():
    return Pki()


def test_a_pin_is_for_the_endpoint_that_presented_the_leaf(pki):
    leaf = pki.leaf()
    chain = met(leaf)
    entry = decide(cached(leaf), "pin").entry
    assert (entry.kind, entry.endpoint, status_of(chain)) == ("pin", "mail.partner.example:587", "trusted")


def test_a_pin_vouches_for_its_endpoint_and_for_no_other(pki):
    leaf = pki.leaf()
    met(leaf)
    met(leaf, port=465)
    decide(cached(leaf), "pin", endpoint="mail.partner.example:587")
    pinned = selectors.trust_set_for("mail.partner.example", 587, NOW)
    other_port = selectors.trust_set_for("mail.partner.example", 465, NOW)
    assert ([pin.der for pin in pinned.pins], other_port.pins, other_port.anchors) == ([leaf.der], (), ())


def test_a_certificate_pinned_at_one_of_two_endpoints_still_waits_for_a_decision(pki):
    leaf = pki.leaf()
    met(leaf)
    met(leaf, port=465)
    decide(cached(leaf), "pin", endpoint="mail.partner.example:587")
    assert certificate_status(cached(leaf)) == "untrusted"


def test_a_pin_says_which_endpoint_when_two_presented_the_leaf(pki):
    leaf = pki.leaf()
    met(leaf)
    met(leaf, port=465)
    with pytest.raises(ValidationError) as caught:
        decide(cached(leaf), "pin")
    assert codes(caught) == {"endpoint": ["required"]}


def test_a_pin_for_an_endpoint_that_never_presented_the_certificate_is_not_available(pki):
    leaf = pki.leaf()
    met(leaf)
    with pytest.raises(ValidationError) as caught:
        decide(cached(leaf), "pin", endpoint="other.example:587")
    assert codes(caught) == {"endpoint": ["not_available"]}


def test_an_intermediate_cannot_be_pinned(pki):
    met(pki.leaf())
    with pytest.raises(ValidationError) as caught:
        decide(issuer_of(pki), "pin")
    assert codes(caught) == {"endpoint": ["not_available"]}


def test_a_pin_has_no_scope(pki):
    leaf = pki.leaf()
    met(leaf)
    with pytest.raises(ValidationError) as caught:
        decide(cached(leaf), "pin", scope=["mail.partner.example"])
    assert codes(caught) == {"scope": ["not_available"]}


def test_a_self_signed_authority_presented_as_leaf_is_no_anchor():
    root = Authority.root("mail.partner.example")
    services.remember(
        chain=ders(root.certificate), code="certificate_self_signed", host="mail.partner.example", port=25, now=NOW
    )
    with pytest.raises(ValidationError) as caught:
        decide(cached(ders(root.certificate)[0]), "anchor")
    assert codes(caught) == {"as": ["not_available"]}


def test_a_self_signed_leaf_that_was_met_above_another_leaf_too_is_no_anchor(pki):
    root = ders(Authority.root("mail.partner.example").certificate)
    for host, chain in (("mail.partner.example", root), ("other.example", (pki.leaf().der, *root))):
        services.remember(chain=chain, code="certificate_self_signed", host=host, port=25, now=NOW)
    with pytest.raises(ValidationError) as caught:
        decide(cached(root[0]), "anchor")
    assert codes(caught) == {"as": ["not_available"]}


def test_a_self_signed_authority_presented_as_leaf_is_trusted_as_pin():
    root = Authority.root("mail.partner.example")
    services.remember(
        chain=ders(root.certificate), code="certificate_self_signed", host="mail.partner.example", port=25, now=NOW
    )
    decide(cached(ders(root.certificate)[0]), "pin")
    found = selectors.trust_set_for("mail.partner.example", 25, NOW)
    assert (len(found.pins), found.anchors) == (1, ())


def test_an_anchor_vouches_for_every_endpoint(pki):
    leaf = pki.leaf()
    met(leaf)
    other = met(pki.leaf(), host="other.example")
    decide(issuer_of(pki), "anchor")
    assert (len(selectors.trust_set_for("third.example", 25, NOW).anchors), status_of(other)) == (1, "trusted")


def test_an_anchor_with_a_scope_vouches_for_its_hosts_only(pki):
    inside = met(pki.leaf())
    outside = met(pki.leaf(), host="partner.example")
    decide(issuer_of(pki), "anchor", scope=["MAIL.partner.example"])
    assert (
        len(selectors.trust_set_for("mail.partner.example", 25, NOW).anchors),
        len(selectors.trust_set_for("partner.example", 25, NOW).anchors),
        status_of(inside),
        status_of(outside),
    ) == (1, 0, "trusted", "untrusted")


def test_a_leaf_is_no_anchor(pki):
    leaf = pki.leaf()
    met(leaf)
    with pytest.raises(ValidationError) as caught:
        decide(cached(leaf), "anchor")
    assert codes(caught) == {"as": ["not_a_ca"]}


def test_an_anchor_has_no_endpoint(pki):
    met(pki.leaf())
    with pytest.raises(ValidationError) as caught:
        decide(issuer_of(pki), "anchor", endpoint="mail.partner.example:587")
    assert codes(caught) == {"endpoint": ["not_available"]}


def test_a_scope_holds_hosts_only(pki):
    met(pki.leaf())
    with pytest.raises(ValidationError) as caught:
        decide(issuer_of(pki), "anchor", scope=["mail.partner.example:25"])
    assert codes(caught) == {"scope": ["host_invalid"]}


def test_trust_ends_with_its_expiry(pki):
    chain = met(pki.leaf())
    decide(issuer_of(pki), "anchor", expires="2026-12-31")
    last_moment = dt.datetime(2026, 12, 31, 23, 59, 58, tzinfo=dt.UTC)
    after = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    assert (
        len(selectors.trust_set_for("a.example", 25, last_moment).anchors),
        len(selectors.trust_set_for("a.example", 25, after).anchors),
        status_of(chain, last_moment),
        status_of(chain, after),
    ) == (1, 0, "trusted", "untrusted")


def test_trust_that_has_ended_already_is_refused(pki):
    met(pki.leaf())
    with pytest.raises(ValidationError) as caught:
        decide(issuer_of(pki), "anchor", expires="2026-11-19")
    assert codes(caught) == {"expires": ["out_of_range"]}


@pytest.mark.parametrize(
    "dress",
    [str.upper, lambda text: ":".join(text[i : i + 2] for i in range(0, 64, 2)), "sha256 Fingerprint={}".format],
    ids=["upper", "colons", "openssl"],
)
def test_the_fingerprint_may_be_repeated_in_any_dress(pki, dress):
    leaf = pki.leaf()
    met(leaf)
    assert decide(cached(leaf), "pin", fingerprint=dress(cached(leaf).fingerprint)).created is True


def test_another_fingerprint_is_a_mismatch(pki):
    leaf = pki.leaf()
    met(leaf)
    with pytest.raises(ValidationError) as caught:
        decide(cached(leaf), "pin", fingerprint=fingerprint_of(b"other"))
    assert codes(caught) == {"fingerprint": ["fingerprint_mismatch"]}


def test_everything_missing_is_said_at_once(pki):
    leaf = pki.leaf()
    met(leaf)
    with pytest.raises(ValidationError) as caught:
        services.trust(cached(leaf), as_="", fingerprint="", reason=" ", user="a.rossi", now=NOW)
    assert codes(caught) == {"as": ["required"], "fingerprint": ["required"], "reason": ["required"]}


def test_a_certificate_that_cannot_be_read_is_not_trusted():
    services.remember(chain=(b"junk",), code="certificate_malformed", host="a", port=25, now=NOW)
    with pytest.raises(ValidationError) as caught:
        decide(cached(b"junk"), "pin")
    assert codes(caught) == {"certificate": ["certificate_unreadable"]}


def test_trusting_again_in_the_same_way_changes_nothing(pki):
    leaf = pki.leaf()
    met(leaf)
    entry = decide(cached(leaf), "pin").entry
    version = selectors.trust_version()
    again = decide(cached(leaf), "pin", reason="Another reason.", now=LATER)
    assert (again.created, again.entry, selectors.trust_version()) == (False, entry, version)


def test_trusting_again_with_another_scope_is_a_conflict_that_names_the_entry(pki):
    met(pki.leaf())
    issuer = issuer_of(pki)
    entry = decide(issuer, "anchor").entry
    with pytest.raises(Refused) as caught:
        decide(issuer, "anchor", scope=["mail.partner.example"])
    assert (caught.value.code, caught.value.extra["entry"]["id"]) == ("conflict", str(entry.id))


def test_trusting_again_what_has_expired_is_a_conflict(pki):
    met(pki.leaf())
    issuer = issuer_of(pki)
    decide(issuer, "anchor", expires=LATER)
    with pytest.raises(Refused) as caught:
        decide(issuer, "anchor", now=LATER + dt.timedelta(days=1))
    assert caught.value.code == "conflict"


def test_the_name_of_an_entry_comes_from_the_certificate_and_obeys_the_rules_of_names():
    root = Authority.root('Evil "CA" | with \u202ereversed\u202c text\u3164')
    (outcome,) = services.import_certificates(root.pem, as_="anchor", reason="Test of names.", user="a.rossi", now=NOW)
    assert outcome.entry.name == f"Evil--CA----with-\\u202ereversed\\u202c-text--{outcome.entry.fingerprint[:8]}"


def test_two_pins_of_one_certificate_have_two_names(pki):
    leaf = pki.leaf()
    met(leaf, port=25)
    met(leaf, port=587)
    first = decide(cached(leaf), "pin", endpoint="mail.partner.example:25").entry
    second = decide(cached(leaf), "pin", endpoint="mail.partner.example:587").entry
    assert second.name == f"{first.name}-2"


def test_what_an_anchor_signed_is_trusted_with_it(pki):
    leaf = pki.leaf()
    met(leaf)
    decide(issuer_of(pki), "anchor")
    assert (certificate_status(cached(leaf)), certificate_status(issuer_of(pki))) == ("trusted", "trusted")


def test_a_pin_of_the_leaf_trusts_none_of_its_issuers(pki):
    leaf = pki.leaf()
    met(leaf)
    decide(cached(leaf), "pin")
    assert (certificate_status(cached(leaf)), certificate_status(issuer_of(pki))) == ("trusted", "untrusted")


def test_an_entry_that_starts_tomorrow_vouches_for_nothing_today(pki):
    met(pki.leaf())
    entry = decide(issuer_of(pki), "anchor").entry
    services.edit(entry, {"not_before": NOW + dt.timedelta(days=1)}, now=NOW)
    assert selectors.trust_set_for("a.example", 25, NOW).anchors == ()
