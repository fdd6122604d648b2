"""The trust store over REST: shapes, codes, filters."""

import base64
import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.integration.untrusted import API_STORE, ders, imported, pointers
from tests.lab.pki import Pki
from untrusted_cache import services
from untrusted_cache.models import TrustEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pki():
    return Pki()


def test_an_authority_is_imported_and_shown_in_the_documented_shape(pki, api):
    before = timezone.now()
    response = api.post(
        API_STORE,
        {"certificate": pki.root.pem.decode(), "as": "anchor", "reason": "From the CA's site."},
        format="json",
    )
    body = response.json()
    trusted_at = dt.datetime.fromisoformat(body.pop("trusted_at"))
    entry = TrustEntry.objects.get()
    assert (response.status_code, before - dt.timedelta(milliseconds=1) <= trusted_at) == (201, True)
    assert body == {
        "id": str(entry.id),
        "name": f"Lab-Root-CA-{entry.fingerprint[:8]}",
        "as": "anchor",
        "endpoint": None,
        "scope": None,
        "not_before": None,
        "expires": None,
        "reason": "From the CA's site.",
        "fingerprint": entry.fingerprint,
        "subject": "CN=Lab Root CA",
        "issuer": "CN=Lab Root CA",
        "serial": f"{pki.root.certificate.serial_number:x}",
        "names": [],
        "key": "EC P-256",
        "signature": "SHA-256 with ECDSA",
        "is_ca": True,
        "self_signed": True,
        "pem": pki.root.pem.decode(),
        "validity": {
            "not_before": pki.root.certificate.not_valid_before_utc.isoformat().replace("+00:00", "Z"),
            "not_after": pki.root.certificate.not_valid_after_utc.isoformat().replace("+00:00", "Z"),
        },
        "trusted_by": "admin",
        "used_by": [],
    }


def test_base64_of_der_is_imported(pki, api):
    text = base64.b64encode(ders(pki.root.certificate)[0]).decode()
    response = api.post(API_STORE, {"certificate": text, "as": "anchor", "reason": "CA."}, format="json")
    assert response.status_code == 201


def test_an_uploaded_file_is_imported(pki, api):
    upload = SimpleUploadedFile("root.der", ders(pki.root.certificate)[0])
    form = {"file": upload, "as": "anchor", "reason": "CA.", "scope": "a.example, b.example"}
    response = api.post(API_STORE, form, format="multipart")
    assert (response.status_code, response.json()["scope"]) == (201, ["a.example", "b.example"])


def test_a_form_without_its_file_is_refused(api):
    response = api.post(API_STORE, {"as": "anchor", "reason": "CA."}, format="multipart")
    assert pointers(response) == [("/certificate", "required")]


def test_several_certificates_are_answered_as_a_list(pki, api):
    text = (pki.root.pem + pki.intermediate.pem).decode()
    response = api.post(API_STORE, {"certificate": text, "as": "anchor", "reason": "CA."}, format="json")
    assert (response.status_code, [entry["subject"] for entry in response.json()["entries"]]) == (
        201,
        ["CN=Lab Root CA", "CN=Lab Intermediate CA"],
    )


def test_an_import_of_what_is_known_is_answered_with_200(pki, api):
    entry = imported(pki)
    response = api.post(
        API_STORE, {"certificate": pki.root.pem.decode(), "as": "anchor", "reason": "Again."}, format="json"
    )
    assert (response.status_code, response.json()["id"], response.json()["reason"]) == (200, str(entry.id), "CA.")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"certificate": "hello"}, [("/certificate", "certificate_unreadable")]),
        ({"certificate": "ü"}, [("/certificate", "certificate_unreadable")]),
        ({"certificate": None}, [("/certificate", "required")]),
        ({"certificate": 5}, [("/certificate", "invalid_type")]),
        ({"certificate": "A" * 1_100_000}, [("/certificate", "too_long")]),
        ({"as": "pin"}, [("/endpoint", "required")]),
        ({"as": "pin", "endpoint": "a.example:0"}, [("/endpoint", "host_invalid")]),
        ({"endpoint": "a.example:25"}, [("/endpoint", "not_available")]),
        ({"reason": None}, [("/reason", "required")]),
        ({"file": "x"}, [("/file", "unknown_field")]),
    ],
)
def test_an_import_with_one_fault_is_answered_with_its_field_and_code(pki, api, change, expected):
    body = {"certificate": pki.root.pem.decode(), "as": "anchor", "reason": "CA."} | change
    response = api.post(API_STORE, body, format="json")
    assert (response.status_code, pointers(response), TrustEntry.objects.count()) == (400, expected, 0)


def test_a_leaf_is_not_imported_as_anchor(pki, api):
    body = {"certificate": pki.leaf().pem.decode(), "as": "anchor", "reason": "CA."}
    assert pointers(api.post(API_STORE, body, format="json")) == [("/certificate", "not_a_ca")]


def test_an_entry_is_patched(pki, api):
    entry = imported(pki)
    response = api.patch(f"{API_STORE}{entry.id}/", {"name": "root", "scope": ["a.example"]}, format="json")
    assert (response.status_code, response.json()["name"], response.json()["scope"]) == (200, "root", ["a.example"])


def test_what_was_read_can_be_written_back(pki, api):
    entry = imported(pki)
    response = api.patch(f"{API_STORE}{entry.id}/", api.get(f"{API_STORE}{entry.id}/").json(), format="json")
    assert response.status_code == 200


def test_what_cannot_change_is_refused_and_not_ignored(pki, api):
    entry = imported(pki)
    response = api.patch(f"{API_STORE}{entry.id}/", {"as": "pin"}, format="json")
    assert (response.status_code, pointers(response)) == (400, [("/as", "unknown_field")])


def test_the_scope_is_cleared_with_null(pki, api):
    entry = imported(pki)
    services.edit(entry, {"scope": ["a.example"]}, now=timezone.now())
    assert api.patch(f"{API_STORE}{entry.id}/", {"scope": None}, format="json").json()["scope"] is None


def test_an_entry_is_removed(pki, api):
    entry = imported(pki)
    response = api.delete(f"{API_STORE}{entry.id}/")
    assert (response.status_code, TrustEntry.objects.count()) == (204, 0)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, 1),
        ({"as": "anchor"}, 1),
        ({"as": "pin"}, 0),
        ({"q": "LAB root"}, 1),
        ({"q": "nothing"}, 0),
        ({"host": "any.example"}, 1),
        ({"fingerprint": "00"}, 0),
    ],
)
def test_the_store_is_filtered(pki, api, filters, expected):
    imported(pki)
    assert api.get(API_STORE, filters).json()["count"] == expected


def test_a_host_finds_only_the_anchors_whose_scope_covers_it(pki, api):
    services.edit(imported(pki), {"scope": ["a.example"]}, now=timezone.now())
    counts = [api.get(API_STORE, {"host": host}).json()["count"] for host in ("a.example", "b.example", "aa.example")]
    assert counts == [1, 0, 0]
