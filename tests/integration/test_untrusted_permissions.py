"""Who may open and use the pages of trust."""

import pytest

from tests.integration.untrusted import CACHE, DECIDE, STORE, imported, issuer_of, met
from tests.lab.pki import Pki
from untrusted_cache.models import CachedCertificate, Chain, TrustEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pki():
    return Pki()


def pages(pki):
    certificate, entry = issuer_of(pki), TrustEntry.objects.get()
    return {
        "cache": CACHE,
        "store": STORE,
        "entry": f"{STORE}{entry.id}/",
        "trust": f"{CACHE}{certificate.id}/trust/?as=anchor",
        "reject": f"{CACHE}{certificate.id}/reject/",
        "unreject": f"{CACHE}{certificate.id}/unreject/",
        "forget": f"{CACHE}{certificate.id}/forget/",
        "import": f"{STORE}import/",
        "remove": f"{STORE}{entry.id}/remove/",
    }


READS = ("cache", "store", "entry")
ACTS = ("trust", "reject", "unreject", "forget", "import", "remove")


@pytest.fixture
def prepared(pki):
    met(pki.leaf())
    imported(pki)
    return pages(pki)


@pytest.mark.parametrize("name", [*READS, *ACTS])
def test_a_stranger_is_sent_to_the_log_in_page(prepared, client, name):
    response = client.get(prepared[name])
    assert (response.status_code, response["Location"].partition("?")[0]) == (302, "/login/")


@pytest.mark.parametrize("name", READS)
def test_a_viewer_reads_pages(prepared, viewer_client, name):
    assert viewer_client.get(prepared[name]).status_code == 200


@pytest.mark.parametrize("name", ACTS)
def test_a_viewer_opens_no_page_of_a_decision(prepared, viewer_client, name):
    assert viewer_client.get(prepared[name]).status_code == 403


@pytest.mark.parametrize("name", ["entry", *ACTS])
def test_a_viewer_posts_no_decision(prepared, viewer_client, name):
    before = list(TrustEntry.objects.values()), list(CachedCertificate.objects.values())
    response = viewer_client.post(prepared[name], {"reason": "x", "name": "other"})
    after = list(TrustEntry.objects.values()), list(CachedCertificate.objects.values())
    assert (response.status_code, after) == (403, before)


@pytest.mark.parametrize("name", [*READS, *ACTS])
def test_who_holds_the_permission_opens_every_page(prepared, client, make_user, name):
    client.force_login(make_user("decider", DECIDE))
    assert client.get(prepared[name]).status_code == 200


@pytest.mark.parametrize("name", READS)
def test_a_viewer_sees_no_way_to_a_decision(prepared, viewer_client, name):
    page = viewer_client.get(prepared[name]).content.decode()
    ways = [prepared[act].partition("?")[0] for act in ACTS]
    assert [way for way in ways if f'href="{way}' in page] == []


@pytest.mark.parametrize("model", ["cachedcertificate", "chain", "trustentry", "trustchange"])
def test_the_admin_shows_and_changes_nothing(prepared, admin_client, model):
    statuses = [admin_client.get(f"/admin/untrusted_cache/{model}/{page}").status_code for page in ("", "add/")]
    assert statuses == [200, 403]


def test_the_admin_shows_a_chain_with_its_certificates(prepared, admin_client):
    response = admin_client.get(f"/admin/untrusted_cache/chain/{Chain.objects.get().pk}/change/")
    assert (response.status_code, b'name="_save"' in response.content) == (200, False)
