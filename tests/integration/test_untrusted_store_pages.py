"""The pages of the trust store, as a browser without a script sees them."""

import datetime as dt
import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.integration.untrusted import STORE, ders, error_codes, imported, met, words
from tests.lab.pki import Pki
from untrusted_cache import services
from untrusted_cache.models import TrustEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pki():
    return Pki()


def test_an_empty_store_says_what_it_is_for(admin_client):
    assert "Nothing is trusted yet" in words(admin_client.get(STORE))


def test_the_store_lists_what_is_trusted(admin_client, pki):
    entry = imported(pki)
    assert re.findall(
        r'<th scope="row"><a href="(.*?)"><bdi>(.*?)</bdi>', admin_client.get(STORE).content.decode()
    ) == [(entry.get_absolute_url(), entry.name)]


def test_a_search_without_result_can_be_cleared(admin_client, pki):
    imported(pki)
    assert "No entry matches" in words(admin_client.get(STORE, {"q": "nothing"}))


def test_a_file_is_imported_on_the_page(admin_client, pki):
    form = {"file": SimpleUploadedFile("root.der", ders(pki.root.certificate)[0]), "as_": "anchor", "reason": "CA."}
    response = admin_client.post(f"{STORE}import/", form)
    assert response["Location"] == TrustEntry.objects.get().get_absolute_url()


def test_an_import_that_a_chain_asked_for_leads_back_to_the_chain_and_its_test(admin_client, pki):
    chain = met(pki.leaf(), steng="local", requested_by="a.rossi", connection_id=uuid.uuid4(), connection_name="orders")
    form = {"certificate": pki.root.pem.decode(), "as_": "anchor", "reason": "CA."}
    response = admin_client.post(f"{STORE}import/?chain={chain.pk}", form)
    assert response["Location"] == chain.get_absolute_url()
    assert "Test again" in admin_client.get(response["Location"]).content.decode()


def test_pasted_text_is_imported_on_the_page(admin_client, pki):
    text = (pki.root.pem + pki.intermediate.pem).decode()
    response = admin_client.post(f"{STORE}import/", {"certificate": text, "as_": "anchor", "reason": "CA."})
    assert (response["Location"], TrustEntry.objects.count()) == (STORE, 2)


def test_an_import_that_is_refused_keeps_what_was_typed(admin_client):
    response = admin_client.post(f"{STORE}import/", {"certificate": "hello", "as_": "anchor", "reason": "From A."})
    page = response.content.decode()
    assert (response.status_code, error_codes(response), "From A." in page, ">\nhello</textarea>" in page) == (
        422,
        ["certificate_unreadable"],
        True,
        True,
    )


def test_a_kind_that_is_missing_is_said_at_its_field(admin_client, pki):
    response = admin_client.post(f"{STORE}import/", {"certificate": pki.root.pem.decode(), "reason": "x"})
    assert error_codes(response) == ["required"]


def test_an_entry_is_changed_on_its_page(admin_client, pki):
    entry = imported(pki)
    form = {
        "name": "partner-root",
        "scope": "a.example",
        "not_before": "",
        "expires": "2099-03-31",
        "reason": "By mail.",
    }
    admin_client.post(entry.get_absolute_url(), form)
    entry.refresh_from_db()
    assert (entry.name, entry.scope, entry.reason) == ("partner-root", ["a.example"], "By mail.")


def test_saving_an_entry_unchanged_changes_nothing(admin_client, pki):
    moment = dt.datetime(2099, 1, 1, 10, 30, 15, tzinfo=dt.UTC)
    entry = services.edit(imported(pki), {"scope": ["a.example"], "expires": moment}, now=timezone.now())
    page = admin_client.get(entry.get_absolute_url()).content.decode()
    form = dict(re.findall(r'<input type="\w+" name="(\w+)" id="id_\w+" value="(.*?)"', page)) | {
        "reason": entry.reason
    }
    admin_client.post(entry.get_absolute_url(), form)
    entry.refresh_from_db()
    assert (entry.scope, entry.expires, entry.starts) == (["a.example"], moment, None)


def test_a_bad_name_comes_back_at_its_field(admin_client, pki):
    entry = imported(pki)
    response = admin_client.post(entry.get_absolute_url(), {"name": "a b", "reason": "x"})
    assert (response.status_code, error_codes(response)) == (422, ["forbidden_character"])


def test_an_entry_is_removed_on_its_page(admin_client, pki):
    entry = imported(pki)
    admin_client.post(f"{entry.get_absolute_url()}remove/")
    assert TrustEntry.objects.count() == 0
