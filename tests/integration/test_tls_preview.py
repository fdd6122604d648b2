"""What the form says before a test of what it would offer, by what each STENG says that it can."""

import pytest
from django.utils import timezone

from cluster import services as clusters
from cluster.engines.local import capabilities
from cluster.models import Cluster, Steng
from connections.tls_preview import previews
from tests.definitions import GOOD
from tests.jobs import local_steng

pytestmark = pytest.mark.django_db
GCM = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
PSK = "TLS_PSK_WITH_AES_128_CBC_SHA"


@pytest.fixture(autouse=True)
def stengs():
    """Keep a local STENG and one of another cluster that cannot do much."""
    now = timezone.now()
    local = local_steng(now)
    clusters.start_life(local, incarnation="1", version="1", capabilities=capabilities(), now=now)
    east = clusters.save_cluster(Cluster(), {"name": "east"}, now)
    old = clusters.save_steng(Steng(), {"name": "east-1", "cluster": east}, now)
    told = {"openssl": "OpenSSL 1.1.1", "tls": ["TLSv1", "TLSv1_1", "TLSv1_2"], "suites": {GCM: "TLSv1_2", "X": "?"}}
    clusters.start_life(old, incarnation="2", version="1", capabilities=told, now=now)
    clusters.save_steng(Steng(), {"name": "never-seen", "cluster": east}, now)


def texts(**values):
    return {preview.steng: preview.text for preview in previews({"connection_security": "STARTTLS", **values})}


def test_each_steng_says_what_it_would_offer():
    assert texts(ssl_protocol_mode="ALL", cipher_suite_mode="SPECIFIC", cipher_suites=[GCM]) == {
        "east-1": "east-1 cannot speak TLSv1_3, and nothing else is offered in its place. "
        "A test from it ends before the handshake.",
        "local": f"local would offer TLSv1_2 with {GCM}.",
    }


def test_where_nothing_is_restricted_the_safe_versions_are_named():
    assert texts(cluster="local") == {
        "local": "local would offer TLSv1_2 and TLSv1_3 with every suite that its OpenSSL holds safe."
    }


def test_several_suites_are_offered_all_of_them():
    other = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    found = texts(cluster="local", cipher_suite_mode="SPECIFIC", cipher_suites=[other, GCM])
    assert found == {"local": f"local would offer TLSv1_2 with {other} and {GCM}."}


def test_what_a_steng_cannot_offer_is_named():
    found = texts(steng="east-1", ssl_protocol_mode="SPECIFIC", ssl_protocols=["TLSv1_2"],
                  cipher_suite_mode="SPECIFIC", cipher_suites=[PSK, GCM])  # fmt: skip
    assert found == {
        "east-1": f"east-1 cannot offer {PSK}, and nothing else is offered in its place. "
        "A test from it ends before the handshake."
    }


@pytest.mark.parametrize(
    "values",
    [{"connection_security": "NONE"}, {"ssl_protocol_mode": "SPECIFIC"}, {"cipher_suite_mode": "SPECIFIC"},
     {"steng": "never-seen"}, {"cluster": "nowhere"}],
    ids=["no TLS", "no version yet", "no suite yet", "a STENG that never told", "a cluster that is none"],
)  # fmt: skip
def test_there_is_nothing_to_say_about(values):
    assert texts(**values) == {}


def test_the_form_shows_it_and_a_changed_field_renews_it(admin_client):
    page = admin_client.get("/connections/smtp/new/").content.decode()
    posted = {**GOOD, "cluster": "local", "ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["SSLv3"], "_shown": ""}
    answer = admin_client.post("/connections/smtp/check/", posted).content.decode()
    assert ("local would offer TLSv1_2 and TLSv1_3" in page, "local cannot speak SSLv3" in answer) == (True, True)
    assert 'id="tls-preview"' in page
    assert 'id="tls-preview" class="field is-wide" hx-swap-oob="true"' in answer


def test_the_page_of_clusters_says_what_a_steng_has(admin_client):
    assert "OpenSSL 1.1.1, TLSv1, TLSv1_1, TLSv1_2" in admin_client.get("/setup/clusters/").content.decode()
