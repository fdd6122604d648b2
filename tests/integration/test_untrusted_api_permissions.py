"""Who may decide over REST."""

import pytest
from rest_framework.test import APIClient

from tests.integration.untrusted import API_CACHE, API_STORE, DECIDE, decision, imported, issuer_of, met
from tests.lab.pki import Pki
from untrusted_cache.models import TrustEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pki():
    return Pki()


def calls(pki):
    certificate = issuer_of(pki)
    entry = TrustEntry.objects.get()
    return {
        "trust": ("post", f"{API_CACHE}{certificate.id}/trust/", decision(certificate, **{"as": "anchor"})),
        "reject": ("post", f"{API_CACHE}{certificate.id}/reject/", {"reason": "x"}),
        "unreject": ("delete", f"{API_CACHE}{certificate.id}/reject/", None),
        "forget": ("delete", f"{API_CACHE}{certificate.id}/", None),
        "import": ("post", API_STORE, {"certificate": pki.root.pem.decode(), "as": "anchor", "reason": "x"}),
        "edit": ("patch", f"{API_STORE}{entry.id}/", {"name": "other"}),
        "remove": ("delete", f"{API_STORE}{entry.id}/", None),
    }


READS = (API_CACHE, API_STORE)
ACTS = ("trust", "reject", "unreject", "forget", "import", "edit", "remove")


@pytest.fixture
def prepared(pki):
    met(pki.leaf())
    imported(pki)
    return calls(pki)


@pytest.mark.parametrize("act", ACTS)
def test_a_stranger_decides_nothing_over_rest(prepared, act):
    method, url, body = prepared[act]
    response = getattr(APIClient(), method)(url, body, format="json")
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("act", ACTS)
def test_a_viewer_decides_nothing_over_rest(prepared, make_user, api_as, act):
    method, url, body = prepared[act]
    response = getattr(api_as(make_user("viewer")), method)(url, body, format="json")
    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")


@pytest.mark.parametrize("act", ACTS)
def test_a_token_for_tests_decides_nothing(prepared, make_user, api_as, act):
    method, url, body = prepared[act]
    response = getattr(api_as(make_user("decider", DECIDE), "test"), method)(url, body, format="json")
    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")


@pytest.mark.parametrize(
    ("act", "status"),
    [
        ("trust", 201),
        ("reject", 200),
        ("unreject", 200),
        ("forget", 204),
        ("import", 200),
        ("edit", 200),
        ("remove", 204),
    ],
)
def test_who_holds_the_permission_decides_over_rest(prepared, make_user, api_as, act, status):
    method, url, body = prepared[act]
    response = getattr(api_as(make_user("decider", DECIDE)), method)(url, body, format="json")
    assert response.status_code == status


@pytest.mark.parametrize("url", READS)
def test_a_stranger_reads_nothing_over_rest(db, url):
    assert APIClient().get(url).status_code == 401


@pytest.mark.parametrize("url", READS)
def test_a_viewer_reads_over_rest(make_user, api_as, url):
    assert api_as(make_user("viewer"), "read").get(url).status_code == 200
