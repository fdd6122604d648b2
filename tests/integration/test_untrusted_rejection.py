"""Rejections, and the version that every change of trust raises."""

import pytest
from django.core.exceptions import ValidationError

from core.errors import Refused
from tests.integration.untrusted import LATER, NOW, cached, codes, decide, imported, issuer_of, met, status_of
from tests.lab.pki import Pki
from untrusted_cache import selectors, services
from untrusted_cache.models import TrustChange, TrustEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pki():
    return Pki()


def test_a_rejected_certificate_is_told_to_every_steng(pki):
    leaf = pki.leaf()
    chain = met(leaf)
    services.reject(cached(leaf), reason="Stolen key.", user="a.rossi", now=NOW)
    told = selectors.trust_set_for("anything.example", 25, NOW).rejected
    assert (told, status_of(chain)) == ((leaf.fingerprint,), "rejected")


def test_a_rejection_removes_the_trust_in_the_certificate(pki):
    leaf = pki.leaf()
    met(leaf)
    decide(cached(leaf), "pin")
    services.reject(cached(leaf), reason="Stolen key.", user="a.rossi", now=NOW)
    assert TrustEntry.objects.count() == 0


def test_a_rejection_needs_a_reason(pki):
    leaf = pki.leaf()
    met(leaf)
    with pytest.raises(ValidationError) as caught:
        services.reject(cached(leaf), reason=" ", user="a.rossi", now=NOW)
    assert codes(caught) == {"reason": ["required"]}


def test_a_rejected_certificate_cannot_be_trusted(pki):
    leaf = pki.leaf()
    met(leaf)
    services.reject(cached(leaf), reason="Stolen key.", user="a.rossi", now=NOW)
    with pytest.raises(Refused) as caught:
        decide(cached(leaf), "pin")
    assert caught.value.code == "conflict"


def test_a_rejected_authority_cannot_be_imported(pki):
    met(pki.leaf())
    services.reject(issuer_of(pki), reason="Stolen.", user="a.rossi", now=NOW)
    with pytest.raises(Refused) as caught:
        services.import_certificates(pki.intermediate.pem, as_="anchor", reason="CA.", user="a.rossi", now=NOW)
    assert caught.value.code == "conflict"


def test_a_withdrawn_rejection_leaves_the_certificate_untrusted(pki):
    leaf = pki.leaf()
    chain = met(leaf)
    services.reject(cached(leaf), reason="Stolen key.", user="a.rossi", now=NOW)
    services.unreject(cached(leaf), now=LATER)
    assert (selectors.trust_set_for("a.example", 25, NOW).rejected, status_of(chain)) == ((), "untrusted")


def changes():
    return list(TrustChange.objects.values_list("host", "port"))


def test_remembering_is_no_change_of_trust(pki):
    met(pki.leaf())
    assert selectors.trust_version() == 0


def test_a_pin_changes_the_trust_of_its_endpoint(pki):
    leaf = pki.leaf()
    met(leaf)
    services.remove(decide(cached(leaf), "pin").entry, now=LATER)
    assert changes() == [("mail.partner.example", 587)] * 2


def test_an_anchor_and_a_rejection_change_the_trust_of_everything(pki):
    leaf = pki.leaf()
    met(leaf)
    imported(pki)
    services.reject(cached(leaf), reason="x", user="a.rossi", now=NOW)
    services.unreject(cached(leaf), now=NOW)
    assert changes() == [(None, None)] * 3


def test_a_scope_that_changes_concerns_the_hosts_it_had_and_has(pki):
    entry = services.edit(imported(pki), {"scope": ["a.example"]}, now=LATER)
    TrustChange.objects.all().delete()
    services.edit(entry, {"scope": ["b.example"]}, now=LATER)
    assert changes() == [("a.example", None), ("b.example", None)]


def test_a_new_name_is_no_change_of_trust(pki):
    entry = imported(pki)
    version = selectors.trust_version()
    services.edit(entry, {"name": "other", "reason": "Clearer."}, now=LATER)
    assert selectors.trust_version() == version


def test_the_trust_set_carries_the_version_and_costs_three_queries(pki, django_assert_num_queries):
    imported(pki)
    with django_assert_num_queries(3):
        found = selectors.trust_set_for("a.example", 25, NOW)
    assert found.version == selectors.trust_version()
