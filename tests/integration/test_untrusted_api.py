"""The untrusted cache over REST: shapes, codes, filters."""

import uuid

import pytest

from tests.integration.untrusted import API_CACHE, API_STORE, cached, decision, issuer_of, met, pointers
from tests.lab.pki import Pki
from untrusted_cache.models import CachedCertificate, TrustEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pki():
    return Pki()


def test_an_entry_of_the_cache_has_the_documented_shape(pki, api):
    leaf = pki.leaf()
    key = uuid.uuid4()
    chain = met(leaf, steng="milano-02", requested_by="a.rossi", connection_id=key, connection_name="out")
    met(leaf, steng="milano-02", requested_by="a.rossi", connection_id=key, connection_name="out")
    certificate = cached(leaf)
    body = api.get(f"{API_CACHE}{certificate.id}/").json()
    assert body == {
        "id": str(certificate.id),
        "status": "untrusted",
        "role": "leaf",
        "code": "certificate_unknown_issuer",
        "fingerprint": leaf.fingerprint,
        "subject": "CN=localhost",
        "issuer": "CN=Lab Intermediate CA",
        "serial": f"{leaf.certificate.serial_number:x}",
        "names": ["localhost", "mail.lab.test", "127.0.0.1", "::1"],
        "not_before": leaf.certificate.not_valid_before_utc.isoformat().replace("+00:00", "Z"),
        "not_after": leaf.certificate.not_valid_after_utc.isoformat().replace("+00:00", "Z"),
        "key": "EC P-256",
        "signature": "SHA-256 with ECDSA",
        "is_ca": False,
        "self_signed": False,
        "pem": leaf.pem.decode(),
        "malformed": False,
        "rejected": None,
        "endpoints": [
            {
                "host": "mail.partner.example",
                "port": 587,
                "first_seen": "2026-11-20T12:00:00Z",
                "last_seen": "2026-11-20T12:00:00Z",
                "count": 2,
                "steng": "milano-02",
                "connection": {"id": str(key), "kind": "smtp", "name": "out"},
                "requested_by": "a.rossi",
                "chain_id": str(chain.id),
            }
        ],
        "chain": [str(certificate.id), str(issuer_of(pki).id)],
    }


def test_two_chains_of_one_endpoint_are_one_endpoint_of_their_issuer(pki, api):
    met(pki.leaf())
    met(pki.leaf())
    endpoints = api.get(f"{API_CACHE}{issuer_of(pki).id}/").json()["endpoints"]
    assert [(endpoint["host"], endpoint["count"]) for endpoint in endpoints] == [("mail.partner.example", 2)]


def test_the_cache_is_listed_in_pages(pki, api):
    met(pki.leaf())
    body = api.get(API_CACHE, {"limit": 1}).json()
    assert (body["count"], len(body["results"]), body["previous"], "offset=1" in body["next"]) == (2, 1, None, True)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"host": "MAIL.partner.example"}, 2),
        ({"host": "other.example"}, 0),
        ({"host": "a b"}, 0),
        ({"q": "LOCALHOST"}, 1),
        ({"q": "partner"}, 2),
        ({"status": "untrusted"}, 2),
        ({"status": "trusted"}, 0),
        ({"fingerprint": "00"}, 0),
    ],
)
def test_the_cache_is_filtered(pki, api, filters, expected):
    met(pki.leaf())
    assert api.get(API_CACHE, filters).json()["count"] == expected


def test_the_cache_is_filtered_by_a_fingerprint_in_any_dress(pki, api):
    leaf = pki.leaf()
    met(leaf)
    dressed = ":".join(leaf.fingerprint[place : place + 2] for place in range(0, 64, 2)).upper()
    assert [row["fingerprint"] for row in api.get(API_CACHE, {"fingerprint": dressed}).json()["results"]] == [
        leaf.fingerprint
    ]


def test_a_misspelt_filter_does_not_mean_everything(api):
    response = api.get(API_CACHE, {"stauts": "untrusted"})
    assert (response.status_code, pointers(response)) == (400, [("/stauts", "unknown_field")])


def test_a_status_that_does_not_exist_is_refused(api):
    assert pointers(api.get(API_CACHE, {"status": "Untrusted"})) == [("/status", "invalid_choice")]


def test_a_list_costs_the_same_number_of_queries_for_one_and_for_many(pki, api, django_assert_max_num_queries):
    for port in range(25, 35):
        met(pki.leaf(), port=port)
    with django_assert_max_num_queries(10):
        assert api.get(API_CACHE).json()["count"] == 11


def test_a_pin_is_created_and_its_address_is_told(pki, api):
    leaf = pki.leaf()
    met(leaf)
    certificate = cached(leaf)
    response = api.post(f"{API_CACHE}{certificate.id}/trust/", decision(certificate), format="json")
    body = response.json()
    assert (
        response.status_code,
        response["Location"],
        body["as"],
        body["endpoint"],
        body["scope"],
        body["trusted_by"],
    ) == (201, f"{API_STORE}{body['id']}/", "pin", "mail.partner.example:587", None, "admin")


def test_what_is_trusted_in_this_way_already_is_answered_with_200(pki, api):
    leaf = pki.leaf()
    met(leaf)
    certificate = cached(leaf)
    first = api.post(f"{API_CACHE}{certificate.id}/trust/", decision(certificate), format="json")
    second = api.post(f"{API_CACHE}{certificate.id}/trust/", decision(certificate), format="json")
    assert (second.status_code, second.json()["id"]) == (200, first.json()["id"])


def test_an_anchor_is_trusted_with_scope_and_end(pki, api):
    met(pki.leaf())
    certificate = issuer_of(pki)
    wish = decision(certificate, **{"as": "anchor", "scope": ["a.example"], "expires": "2099-01-01T00:00:00+01:00"})
    body = api.post(f"{API_CACHE}{certificate.id}/trust/", wish, format="json").json()
    assert (body["as"], body["endpoint"], body["scope"], body["expires"]) == (
        "anchor",
        None,
        ["a.example"],
        "2098-12-31T23:00:00Z",
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"fingerprint": "00" * 32}, [("/fingerprint", "fingerprint_mismatch")]),
        ({"fingerprint": None}, [("/fingerprint", "required")]),
        ({"fingerprint": 5}, [("/fingerprint", "invalid_type")]),
        ({"reason": ""}, [("/reason", "required")]),
        ({"reason": 5}, [("/reason", "invalid_type")]),
        ({"reason": "x\u202e"}, [("/reason", "forbidden_character")]),
        ({"as": "anchor"}, [("/as", "not_a_ca")]),
        ({"as": "PIN"}, [("/as", "invalid_choice")]),
        ({"as": None}, [("/as", "required")]),
        ({"endpoint": "mail.partner.example"}, [("/endpoint", "host_invalid")]),
        ({"endpoint": 587}, [("/endpoint", "invalid_type")]),
        ({"endpoint": "other.example:587"}, [("/endpoint", "not_available")]),
        ({"scope": "a.example"}, [("/scope", "invalid_type")]),
        ({"scope": ["a.example"]}, [("/scope", "not_available")]),
        ({"expires": "2020-01-01"}, [("/expires", "out_of_range")]),
        ({"expires": "0001-01-01T00:00:00+23:00"}, [("/expires", "out_of_range")]),
        ({"expires": True}, [("/expires", "invalid_type")]),
        ({"reasn": "x"}, [("/reasn", "unknown_field")]),
    ],
)
def test_a_decision_with_one_fault_is_answered_with_its_field_and_code(pki, api, change, expected):
    leaf = pki.leaf()
    met(leaf)
    certificate = cached(leaf)
    response = api.post(f"{API_CACHE}{certificate.id}/trust/", decision(certificate, **change), format="json")
    assert (response.status_code, pointers(response), TrustEntry.objects.count()) == (400, expected, 0)


def test_a_certificate_is_rejected_and_says_so(pki, api):
    leaf = pki.leaf()
    met(leaf)
    response = api.post(f"{API_CACHE}{cached(leaf).id}/reject/", {"reason": "Stolen key."}, format="json")
    body = response.json()
    assert (response.status_code, body["status"], body["rejected"]["by"], body["rejected"]["reason"]) == (
        200,
        "rejected",
        "admin",
        "Stolen key.",
    )


@pytest.mark.parametrize(("reason", "code"), [("", "required"), (None, "required"), (5, "invalid_type")])
def test_a_rejection_without_a_reason_is_refused(pki, api, reason, code):
    leaf = pki.leaf()
    met(leaf)
    response = api.post(f"{API_CACHE}{cached(leaf).id}/reject/", {"reason": reason}, format="json")
    assert pointers(response) == [("/reason", code)]


def test_a_rejection_is_withdrawn(pki, api):
    leaf = pki.leaf()
    met(leaf)
    api.post(f"{API_CACHE}{cached(leaf).id}/reject/", {"reason": "Stolen key."}, format="json")
    assert api.delete(f"{API_CACHE}{cached(leaf).id}/reject/").json()["status"] == "untrusted"


def test_a_certificate_is_forgotten(pki, api):
    leaf = pki.leaf()
    met(leaf)
    response = api.delete(f"{API_CACHE}{cached(leaf).id}/")
    assert (response.status_code, CachedCertificate.objects.count()) == (204, 0)


def test_forgetting_what_is_rejected_is_a_conflict(pki, api):
    leaf = pki.leaf()
    met(leaf)
    api.post(f"{API_CACHE}{cached(leaf).id}/reject/", {"reason": "Stolen key."}, format="json")
    response = api.delete(f"{API_CACHE}{cached(leaf).id}/")
    assert (response.status_code, response.json()["code"]) == (409, "conflict")
