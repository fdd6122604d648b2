"""Imports into the trust store, and what becomes of its entries."""

import datetime as dt

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from core.errors import Refused
from tests.integration.untrusted import LATER, NOW, codes, ders, imported, met, status_of
from tests.lab.pki import Authority, Pki
from untrusted_cache import selectors, services
from untrusted_cache.models import TrustEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pki():
    return Pki()


@pytest.mark.parametrize(
    "pack",
    [
        lambda a: a.pem,
        lambda a: ders(a.certificate)[0],
        lambda a: pkcs7.serialize_certificates([a.certificate], serialization.Encoding.DER),
        lambda a: pkcs7.serialize_certificates([a.certificate], serialization.Encoding.PEM),
    ],
    ids=["pem", "der", "pkcs7-der", "pkcs7-pem"],
)
def test_an_authority_is_imported_from_every_format(pki, pack):
    (outcome,) = services.import_certificates(pack(pki.root), as_="anchor", reason="CA.", user="a.rossi", now=NOW)
    assert (outcome.created, bytes(outcome.entry.der)) == (True, ders(pki.root.certificate)[0])


def test_an_imported_root_settles_the_chains_below_it(pki):
    met(pki.leaf())
    # The root signed the intermediate that the server sends, not the leaf.
    services.import_certificates(pki.root.pem, as_="anchor", reason="CA.", user="a.rossi", now=NOW)
    assert (selectors.untrusted_count(NOW), selectors.status_counts(NOW)["trusted"]) == (0, 1)


def test_a_chain_below_an_imported_root_is_settled_when_it_is_met(pki):
    services.import_certificates(pki.root.pem, as_="anchor", reason="CA.", user="a.rossi", now=NOW)
    chain = met(pki.leaf())
    assert status_of(chain) == "trusted"


def test_a_root_of_the_same_name_with_another_key_vouches_for_nothing(pki):
    chain = met(pki.leaf())
    namesake = Authority.root("Lab Root CA")
    services.import_certificates(namesake.pem, as_="anchor", reason="CA.", user="a.rossi", now=NOW)
    assert status_of(chain) == "untrusted"


def test_what_is_known_already_is_answered_as_known(pki):
    services.import_certificates(pki.root.pem, as_="anchor", reason="CA.", user="a.rossi", now=NOW)
    again = services.import_certificates(
        pki.root.pem + pki.unknown_root.pem, as_="anchor", reason="CA.", user="a.rossi", now=NOW
    )
    assert [outcome.created for outcome in again] == [False, True]


def test_one_unfit_certificate_lets_nothing_in(pki):
    with pytest.raises(ValidationError) as caught:
        services.import_certificates(pki.root.pem + pki.leaf().pem, as_="anchor", reason="CA.", user="a.rossi", now=NOW)
    assert (codes(caught), TrustEntry.objects.count()) == ({"certificate": ["not_a_ca"]}, 0)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"hello", "certificate_unreadable"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate_unreadable"),
        (b" ", "required"),
        (b"x" * (1024 * 1024 + 1), "too_long"),
    ],
)
def test_what_holds_no_certificate_is_refused(data, code):
    with pytest.raises(ValidationError) as caught:
        services.import_certificates(data, as_="anchor", reason="CA.", user="a.rossi", now=NOW)
    assert codes(caught) == {"certificate": [code]}


def test_a_pin_imported_ahead_of_time_names_its_endpoint(pki):
    with pytest.raises(ValidationError) as caught:
        services.import_certificates(pki.leaf().pem, as_="pin", reason="CA.", user="a.rossi", now=NOW)
    assert codes(caught) == {"endpoint": ["required"]}


def test_a_pin_imported_ahead_of_time_is_in_force_for_its_endpoint(pki):
    leaf = pki.leaf()
    services.import_certificates(
        leaf.pem, as_="pin", endpoint="[2001:DB8::1]:25", reason="Renewal.", user="a.rossi", now=NOW
    )
    assert [pin.der for pin in selectors.trust_set_for("2001:db8:0::1", 25, NOW).pins] == [leaf.der]


def test_a_pin_is_one_certificate(pki):
    with pytest.raises(ValidationError) as caught:
        services.import_certificates(
            pki.leaf().chain_pem, as_="pin", endpoint="a.example:25", reason="x", user="a.rossi", now=NOW
        )
    assert codes(caught) == {"certificate": ["not_available"]}


def test_an_entry_is_edited(pki):
    entry = services.edit(
        imported(pki),
        {"name": "partner-root", "scope": ["mail.partner.example"], "expires": "2027-03-31", "reason": "By mail."},
        now=LATER,
    )
    entry.refresh_from_db()
    assert (entry.name, entry.scope, entry.expires, entry.reason, entry.updated) == (
        "partner-root",
        ["mail.partner.example"],
        dt.datetime(2027, 3, 31, 23, 59, 59, tzinfo=dt.UTC),
        "By mail.",
        LATER,
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"name": "a b"}, {"name": ["forbidden_character"]}),
        ({"name": ""}, {"name": ["required"]}),
        ({"name": 5}, {"name": ["invalid_type"]}),
        ({"name": "x" * 129}, {"name": ["too_long"]}),
        ({"reason": ""}, {"reason": ["required"]}),
        ({"reason": "x" * 2049}, {"reason": ["too_long"]}),
        ({"scope": "a.example"}, {"scope": ["invalid_type"]}),
        ({"scope": ["a b"]}, {"scope": ["forbidden_character", "host_invalid"]}),
        ({"expires": 5}, {"expires": ["invalid_type"]}),
        ({"expires": "2026-13-01"}, {"expires": ["invalid_type"]}),
        ({"expires": "2026-12-31T10:00:00"}, {"expires": ["invalid_type"]}),
        ({"not_before": "2027-01-01", "expires": "2026-12-31"}, {"expires": ["out_of_range"]}),
        ({"fingerprint": "x"}, {"fingerprint": ["unknown_field"]}),
    ],
)
def test_bad_values_of_an_entry_are_refused(pki, values, expected):
    with pytest.raises(ValidationError) as caught:
        services.edit(imported(pki), values, now=LATER)
    assert codes(caught) == expected


def test_two_entries_cannot_share_a_name_in_whatever_case(pki):
    entry = imported(pki)
    services.edit(entry, {"name": "Straße"}, now=LATER)
    (other,) = services.import_certificates(pki.unknown_root.pem, as_="anchor", reason="x", user="a.rossi", now=NOW)
    with pytest.raises(ValidationError) as caught:
        services.edit(other.entry, {"name": "STRASSE"}, now=LATER)
    assert (codes(caught), caught.value.error_dict["name"][0].params) == (
        {"name": ["not_unique"]},
        {"id": str(entry.id)},
    )


def test_removed_trust_is_out_of_force(pki):
    chain = met(pki.leaf())
    entry = imported(pki)
    services.remove(entry, now=LATER)
    assert (selectors.trust_set_for("a.example", 25, LATER).anchors, status_of(chain)) == ((), "untrusted")


def test_an_entry_removed_meanwhile_cannot_be_edited(pki):
    entry = imported(pki)
    services.remove(entry, now=LATER)
    with pytest.raises(Refused) as caught:
        services.edit(entry, {"reason": "x"}, now=LATER)
    assert caught.value.code == "not_found"


def test_the_database_itself_refuses_an_anchor_that_is_no_authority(pki):
    entry = imported(pki)
    entry.is_ca = False
    with pytest.raises(IntegrityError), transaction.atomic():
        entry.save()
