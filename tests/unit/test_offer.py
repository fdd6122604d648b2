"""What can be offered: by the most able agent there could be, and by one that chooses TLS 1.3 suites one by one."""

import pytest

from steng.offer import Abilities, NotAvailableError, Offer, abilities, code_points, offer_of, widest
from steng.suites import SUITES
from steng.wire import TlsPolicy

SINGLY = widest()


def test_this_openssl_agrees_about_the_first_version_of_every_suite():
    ours = abilities().suites
    assert {name: widest().suites[name] for name in ours} == dict(ours)


def test_who_can_choose_singly_offers_one_suite_of_tls13_and_keeps_the_order():
    chosen = ("TLS_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256")
    assert offer_of(TlsPolicy(cipher_suites=chosen), SINGLY) == Offer(("TLSv1_2", "TLSv1_3"), chosen)


def test_a_suite_named_twice_is_offered_once():
    suite = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert offer_of(TlsPolicy(cipher_suites=(suite, suite)), SINGLY).suites == (suite,)


def test_versions_that_no_suite_belongs_to_are_not_offered():
    policy = TlsPolicy(protocols=("TLSv1", "TLSv1_2"), cipher_suites=("TLS_RSA_WITH_AES_128_GCM_SHA256",))
    assert offer_of(policy, SINGLY).versions == ("TLSv1_2",)


def test_a_signal_alone_is_nothing_to_offer():
    with pytest.raises(NotAvailableError) as caught:
        offer_of(TlsPolicy(cipher_suites=("TLS_EMPTY_RENEGOTIATION_INFO_SCSV",)), SINGLY)
    assert (caught.value.code, caught.value.names) == ("cipher_not_available", ())


def test_many_names_are_counted_in_the_sentence_and_all_in_the_evidence():
    gone = tuple(name for name, suite in SUITES.items() if "_PSK_" in name and suite.protects)
    with pytest.raises(NotAvailableError) as caught:
        offer_of(TlsPolicy(cipher_suites=gone), SINGLY)
    assert (caught.value.names, f"or {len(gone) - 5} more" in caught.value.detail) == (gone, True)


def test_every_suite_that_can_be_offered_is_known_by_its_number():
    assert set(code_points().values()) == set(abilities().suites)


def test_what_an_agent_tells_of_itself_is_heard_without_what_nobody_knows():
    told = {**abilities().told(), "suites": {**abilities().told()["suites"], "X": "TLSv1", "TLS_PSK_WITH_NULL_SHA": []}}
    heard = Abilities.heard("east", told)
    assert (heard.versions, dict(heard.suites)) == (abilities().versions, dict(abilities().suites))


@pytest.mark.parametrize(
    "told", [{}, {"tls": "TLSv1_2", "suites": ["x"], "tls13_one_by_one": 1}], ids=["nothing", "junk"]
)
def test_an_agent_that_tells_nothing_can_offer_nothing(told):
    assert Abilities.heard("east", told) == Abilities("east", (), {}, one_by_one=False)
