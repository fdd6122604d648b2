"""What is remembered of the chains that servers present, and within which bounds."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from core.errors import Refused
from steng.x509 import fingerprint_of
from tests.integration.untrusted import LATER, NOW, cached, ders, met
from tests.lab.pki import Authority, Pki
from untrusted_cache import selectors, services
from untrusted_cache.models import CachedCertificate, Chain
from untrusted_cache.services import memory

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pki():
    return Pki()


def test_a_chain_is_remembered_with_its_leaf_first(pki):
    chain = met(pki.leaf())
    assert [(link.position, link.role.value) for link in chain.links.all()] == [(0, "leaf"), (1, "intermediate")]


def test_a_root_that_the_server_sends_is_called_a_root(pki):
    leaf = pki.leaf()
    chain = services.remember(
        chain=ders(*leaf.chain, pki.root.certificate), code="certificate_unknown_issuer", host="a", port=25, now=NOW
    )
    assert [link.role.value for link in chain.links.all()] == ["leaf", "intermediate", "root"]


def test_the_same_chain_at_the_same_endpoint_is_counted(pki):
    leaf = pki.leaf()
    met(leaf, requested_by="first")
    chain = met(
        leaf, now=LATER, requested_by="second", steng="milano-02", connection_id=uuid.UUID(int=7), connection_name="out"
    )
    chain.refresh_from_db()
    assert (
        chain.count,
        chain.first_seen,
        chain.last_seen,
        chain.first_by,
        chain.last_by,
        chain.steng,
        chain.connection_id,
        chain.connection_kind,
        chain.connection_name,
    ) == (2, NOW, LATER, "first", "second", "milano-02", uuid.UUID(int=7), "smtp", "out")


def test_the_same_chain_at_two_endpoints_is_two_presentations_of_the_same_certificates(pki):
    leaf = pki.leaf()
    met(leaf, port=25)
    met(leaf, port=587)
    assert (Chain.objects.count(), CachedCertificate.objects.count()) == (2, 2)


def test_the_host_of_an_endpoint_is_stored_in_its_canonical_form(pki):
    chain = met(pki.leaf(), host="MAIL.Bücher.Example.")
    assert chain.host == "mail.xn--bcher-kva.example"


def test_a_chain_that_another_process_stored_meanwhile_is_counted(pki, monkeypatch):
    leaf = pki.leaf()
    met(leaf)
    count = memory._count
    answers = iter([None])
    monkeypatch.setattr(memory, "_count", lambda *args: next(answers, None) if first(args) else count(*args))
    asked = []

    def first(args):
        asked.append(args)
        return len(asked) == 1

    assert met(leaf, now=LATER).count == 2


def test_an_empty_chain_is_the_callers_mistake():
    with pytest.raises(ValueError, match="at least its leaf"):
        services.remember(chain=(), code="x", host="a", port=25, now=NOW)


def test_a_certificate_that_cannot_be_read_is_remembered_by_its_fingerprint_alone():
    services.remember(chain=(b"no certificate",), code="certificate_malformed", host="a", port=25, now=NOW)
    certificate = cached(b"no certificate")
    assert (certificate.malformed, bytes(certificate.der), certificate.subject) == (True, b"", "")


def test_a_certificate_beyond_its_limit_is_remembered_by_its_fingerprint_alone(pki, monkeypatch):
    leaf = pki.leaf()
    monkeypatch.setattr(memory, "MAX_DER", len(leaf.der) - 1)
    met(leaf)
    assert bytes(cached(leaf).der) == b""


def test_what_exceeds_the_bytes_of_a_chain_is_remembered_by_its_fingerprint_alone(pki, monkeypatch):
    leaf = pki.leaf()
    monkeypatch.setattr(memory, "MAX_CHAIN_BYTES", len(leaf.der))
    met(leaf)
    kept = [bool(link.certificate.der) for link in Chain.objects.get().links.all()]
    assert kept == [True, False]


def test_at_most_a_hundred_certificates_of_a_chain_are_remembered():
    chain = services.remember(
        chain=[b"%d" % number for number in range(150)], code="chain_too_long", host="a", port=25, now=NOW
    )
    assert chain.links.count() == 100


def test_an_endpoint_with_ever_new_chains_pushes_out_its_own_oldest_only():
    other = services.remember(chain=(b"other",), code="x", host="other", port=25, now=NOW)
    for number in range(25):
        now = NOW + dt.timedelta(seconds=number)
        services.remember(chain=(b"%d" % number,), code="x", host="hostile", port=25, now=now)
    assert (
        Chain.objects.filter(host="hostile").count(),
        Chain.objects.filter(pk=other.pk).exists(),
        CachedCertificate.objects.filter(fingerprint=fingerprint_of(b"4")).exists(),
        CachedCertificate.objects.filter(fingerprint=fingerprint_of(b"5")).exists(),
    ) == (20, True, False, True)


def test_beyond_the_cap_of_all_chains_the_oldest_go(monkeypatch):
    monkeypatch.setattr(memory, "MAX_CHAINS", 3)
    for number in range(5):
        services.remember(
            chain=(b"%d" % number,), code="x", host=f"h{number}", port=25, now=NOW + dt.timedelta(seconds=number)
        )
    assert sorted(Chain.objects.values_list("host", flat=True)) == ["h2", "h3", "h4"]


def test_beyond_the_cap_of_all_bytes_the_oldest_go_and_the_newest_stays(pki, monkeypatch):
    monkeypatch.setattr(memory, "MAX_BYTES", 10)
    met(pki.leaf(), host="old")
    met(pki.leaf(), host="new", now=LATER)
    assert list(Chain.objects.values_list("host", flat=True)) == ["new"]


def test_a_rejected_certificate_survives_the_loss_of_its_chains(monkeypatch):
    monkeypatch.setattr(memory, "MAX_CHAINS", 1)
    services.remember(chain=(b"bad",), code="x", host="a", port=25, now=NOW)
    services.reject(cached(b"bad"), reason="Stolen key.", user="a.rossi", now=NOW)
    services.remember(chain=(b"next",), code="x", host="b", port=25, now=LATER)
    assert (Chain.objects.count(), cached(b"bad").rejected_by) == (1, "a.rossi")


def test_forgetting_a_certificate_forgets_its_chains_and_what_stood_in_them_alone(pki):
    first, second = pki.leaf(), pki.leaf()
    met(first)
    met(second)
    services.forget(cached(first))
    assert (Chain.objects.count(), CachedCertificate.objects.count()) == (1, 2)


def test_a_rejected_certificate_is_not_forgotten_by_the_way(pki):
    leaf = pki.leaf()
    met(leaf)
    services.reject(cached(leaf), reason="Stolen key.", user="a.rossi", now=NOW)
    with pytest.raises(Refused) as caught:
        services.forget(cached(leaf))
    assert caught.value.code == "conflict"


def test_a_certificate_with_thousands_of_names_keeps_a_hundred_and_their_number():
    leaf = Authority.root().issue(*(f"h{number}.example" for number in range(3000)))
    met(leaf)
    certificate = cached(leaf)
    assert (len(certificate.names), certificate.more_names) == (100, 2900)


def test_the_certificates_of_a_chain_are_told_to_its_job(pki):
    leaf = pki.leaf()
    chain = met(leaf)
    told = selectors.members_of_chains([chain.id, uuid.UUID(int=1)])
    assert {key: [(member["role"], member["subject"]) for member in members] for key, members in told.items()} == {
        chain.id: [("leaf", "CN=localhost"), ("intermediate", "CN=Lab Intermediate CA")]
    }


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_meet_the_same_chain_at_once_count_it_twice(pki):
    leaf = pki.leaf()

    def meet(_):
        try:
            return met(leaf).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        keys = set(pool.map(meet, range(8)))
    assert (len(keys), Chain.objects.get().count) == (1, 8)
