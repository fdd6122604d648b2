"""TLS versions and cipher suites against `openssl s_server`: offered is what was chosen, and nothing else."""

import dataclasses
import ssl
from contextlib import ExitStack
from itertools import chain, combinations

import pytest

from steng import wire
from steng.offer import VERSIONS, abilities
from steng.probe import probe, securing
from steng.suites import SUITES
from steng.wire import Depth, TlsPolicy
from tests.lab.asking import PASSWORD, USER, anchored, ask, der_of, run, stage_of
from tests.lab.facts import Protocol, Security
from tests.lab.pki import KeyType
from tests.lab.pyserver import RecordingServer
from tests.lab.s_server import OpenSslServer

pytestmark = pytest.mark.openssl

SETS = [tuple(chosen) for chosen in chain.from_iterable(combinations(VERSIONS, size) for size in range(1, 5))]
OLDER = [name for name, since in abilities().suites.items() if since != "TLSv1_3"]
NEWER = [name for name, since in abilities().suites.items() if since == "TLSv1_3"]
KEYS = {"ECDSA": KeyType.EC_P256, "RSA": KeyType.RSA_2048, "DSS": KeyType.DSA_2048}
ONE = {
    "ECDSA": ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    "RSA": ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    "DSS": ("TLS_DHE_DSS_WITH_AES_128_GCM_SHA256", "TLS_DHE_DSS_WITH_AES_256_GCM_SHA384"),
}
"""For each kind of key the only suite of a narrow server, and another for the test of that very suite."""


@pytest.fixture(scope="module")
def leaves(pki):
    return {kind: pki.leaf(key_type=key_type) for kind, key_type in KEYS.items()}


@pytest.fixture(scope="module")
def servers(tmp_path_factory, leaves):
    """Return what starts servers, each once, and keeps them for the module."""
    running = {}
    with ExitStack() as stack:

        def get(name, kind="ECDSA", **options):
            if name not in running:
                server = OpenSslServer(tmp_path_factory.mktemp("s_server"), [leaves[kind]], **options)
                running[name] = stack.enter_context(server)
            return running[name]

        yield get


def shake(server, pki, **policy):
    """Return the stage tls of a test; the server goes before it greets."""
    asked = ask(
        server.port,
        "SSL_TLS",
        login=None,
        depth=Depth.TLS,
        tls=TlsPolicy(**policy),
        trust=anchored(der_of(pki.root)),
    )
    report = run(probe(asked))
    tls, trust = stage_of(report, "tls"), stage_of(report, "trust")
    # Keys of DSA are not trusted, whatever suite they are used with.
    worth = "failed" if "_DSS_" in str(tls.evidence.get("cipher_suite")) else "ok"
    assert (tls.outcome, trust.outcome) in {("ok", worth), ("failed", "skipped")}, (trust.code, trust.detail)
    return tls


def kind_of(suite):
    return next((kind for kind in ("ECDSA", "DSS") if f"_{kind}_" in suite), "RSA")


@pytest.mark.parametrize("spoken", VERSIONS)
@pytest.mark.parametrize("chosen", SETS, ids="+".join)
def test_a_server_of_one_version_is_spoken_to_exactly_where_that_one_is_chosen(chosen, spoken, servers, pki):
    server = servers(spoken, version=spoken)
    stage = shake(server, pki, protocols=chosen)
    told = (stage.code, (stage.evidence.get("version") or "").replace(".", "_"))
    assert told == (None, spoken) if spoken in chosen else told[0] == "protocol_not_accepted"


@pytest.mark.parametrize("chosen", SETS, ids="+".join)
def test_a_server_of_all_versions_takes_the_newest_that_is_chosen(chosen, servers, pki):
    stage = shake(servers("all versions"), pki, protocols=chosen)
    assert (stage.code, stage.evidence["version"].replace(".", "_")) == (None, chosen[-1])


def test_all_is_what_is_safe_and_the_report_names_it(servers, pki):
    stage = shake(servers("all versions"), pki)
    assert stage.evidence["offered"] == {"versions": ["TLSv1_2", "TLSv1_3"], "suites": None}


def test_all_does_not_fall_back_to_an_old_version(servers, pki):
    assert shake(servers("TLSv1_1", version="TLSv1_1"), pki).code == "protocol_not_accepted"


@pytest.mark.parametrize("chosen", [("SSLv3",), ("SSLv2Hello", "TLSv1_2"), ("TLSv1_3", "SSLv3")], ids="+".join)
def test_what_no_agent_speaks_is_refused_by_name_before_a_byte(chosen, servers, pki):
    stage = shake(servers("all versions"), pki, protocols=chosen)
    missing = [name for name in chosen if name.startswith("SSL")]
    kept = [name for name in chosen if name not in missing]
    assert (stage.code, stage.field, stage.evidence) == (
        "protocol_not_available",
        "ssl_protocols",
        {"not_available": missing, **({"suggestion": {"ssl_protocols": kept}} if kept else {})},
    )


def test_a_version_between_the_chosen_is_named_and_nothing_is_sent_over_it(servers, pki):
    server = servers("TLSv1_1", version="TLSv1_1")
    asked = ask(server.port, "SSL_TLS", tls=TlsPolicy(protocols=("TLSv1", "TLSv1_2")), trust=anchored(der_of(pki.root)))
    stage = stage_of(run(probe(asked)), "tls")
    assert (stage.code, stage.evidence["server_chose"]) == ("protocol_not_accepted", "TLSv1_1")
    assert "EHLO" not in server.daemon.log_text()


@pytest.mark.parametrize("suite", OLDER)
def test_a_suite_that_is_chosen_alone_is_used(suite, servers, pki):
    kind = kind_of(suite)
    stage = shake(servers(f"all of {kind}", kind, version="TLSv1_2"), pki, cipher_suites=(suite,))
    assert (stage.code, stage.evidence["cipher_suite"], stage.evidence["offered"]) == (
        None, suite, {"versions": ["TLSv1_2"], "suites": [suite]},
    )  # fmt: skip


@pytest.mark.parametrize("suite", OLDER)
def test_a_server_without_the_chosen_suite_is_refused(suite, servers, pki):
    kind = kind_of(suite)
    only = next(one for one in ONE[kind] if one != suite)
    server = servers(only, kind, ciphers=SUITES[only].openssl, version="TLSv1_2")
    assert shake(server, pki, cipher_suites=(suite,)).code == "cipher_not_accepted"


@pytest.mark.parametrize("suite", [name for name in SUITES if name not in abilities().suites and "SCSV" not in name])
def test_a_suite_that_cannot_be_offered_is_refused_by_name_before_a_byte(suite, servers, pki):
    stage = shake(servers("all versions"), pki, cipher_suites=("TLS_RSA_WITH_AES_128_GCM_SHA256", suite))
    assert (stage.code, stage.field, stage.evidence) == (
        "cipher_not_available",
        "cipher_suites",
        {"not_available": [suite], "suggestion": {"cipher_suites": ["TLS_RSA_WITH_AES_128_GCM_SHA256"]}},
    )


@pytest.mark.parametrize("order", [1, -1], ids=["as written", "the other way round"])
def test_the_order_of_the_suites_is_the_order_of_preference(order, servers, pki):
    chosen = ONE["ECDSA"][::order]
    stage = shake(servers("all of ECDSA", "ECDSA", version="TLSv1_2"), pki, cipher_suites=chosen)
    assert stage.evidence["cipher_suite"] == chosen[0]


def test_all_suites_of_tls13_are_offered_where_all_are_chosen(servers, pki):
    stage = shake(servers("TLSv1_3", version="TLSv1_3"), pki, cipher_suites=tuple(NEWER))
    assert (stage.code, stage.evidence["offered"]["versions"]) == (None, ["TLSv1_3"])


@pytest.mark.parametrize("suite", NEWER)
def test_a_part_of_tls13_is_refused_by_name_before_a_byte(suite, servers, pki, monkeypatch):
    # What Python 3.15 can do is no matter here.
    monkeypatch.setattr(securing, "abilities", lambda: dataclasses.replace(abilities(), one_by_one=False))
    older = "TLS_RSA_WITH_AES_128_GCM_SHA256"
    stage = shake(servers("all versions"), pki, cipher_suites=(suite, older))
    assert (stage.code, stage.evidence["not_available"]) == ("cipher_not_available", [suite])
    assert stage.evidence["suggestion"]["cipher_suites"] == [older, *NEWER]


def test_without_a_suite_of_tls13_that_version_is_not_offered(servers, pki):
    stage = shake(servers("all versions"), pki, cipher_suites=ONE["ECDSA"])
    assert (stage.evidence["version"], stage.evidence["offered"]["versions"]) == ("TLSv1.2", ["TLSv1_2"])


@pytest.mark.parametrize(
    ("protocols", "suites"),
    [(("TLSv1_3",), ONE["RSA"]), (("TLSv1_2",), NEWER), (("TLSv1", "TLSv1_1"), ONE["RSA"])],
    ids=["1.3 with suites of 1.2", "1.2 with suites of 1.3", "1.0 with suites of 1.2"],
)
def test_suites_that_belong_to_no_chosen_version_are_refused_before_a_byte(protocols, suites, servers, pki):
    stage = shake(servers("all versions"), pki, protocols=protocols, cipher_suites=tuple(suites))
    assert (stage.code, "belongs to" in stage.detail) == ("cipher_not_available", True)


def test_a_signal_among_the_suites_is_no_suite(servers, pki):
    suites = ("TLS_EMPTY_RENEGOTIATION_INFO_SCSV", ONE["ECDSA"][0])
    stage = shake(servers("all versions"), pki, cipher_suites=suites)
    assert (stage.code, stage.evidence["offered"]["suites"]) == (None, [ONE["ECDSA"][0]])


def test_what_an_old_version_loosens_lets_no_weak_certificate_pass(tmp_path, pki):
    weak = pki.leaf(key_type=KeyType.RSA_1024)
    with OpenSslServer(tmp_path, [weak], version="TLSv1") as server:
        asked = ask(server.port, "SSL_TLS", tls=TlsPolicy(protocols=("TLSv1",)), trust=anchored(der_of(pki.root)))
        report = run(probe(asked))
    assert (report.telling_stage.name, report.telling_stage.code) == ("trust", "certificate_weak")


# -- what the server would choose --------------------------------------------


def test_a_server_with_other_versions_says_which_it_would_choose(servers, pki):
    stage = shake(servers("TLSv1_1", version="TLSv1_1"), pki)
    assert (stage.code, stage.evidence["server_would_choose"]["version"]) == ("protocol_not_accepted", "TLSv1_1")
    assert stage.evidence["suggestion"] == {
        "ssl_protocol_mode": "SPECIFIC",
        "ssl_protocols": ["TLSv1_1", "TLSv1_2", "TLSv1_3"],
    }


def test_a_server_of_tls13_says_so_to_who_allows_older_versions_only(servers, pki):
    stage = shake(servers("TLSv1_3", version="TLSv1_3"), pki, protocols=("TLSv1_2",))
    assert (stage.code, stage.evidence["suggestion"]["ssl_protocols"]) == (
        "protocol_not_accepted", ["TLSv1_2", "TLSv1_3"],
    )  # fmt: skip


def test_a_server_with_other_suites_says_which_it_would_choose(servers, pki):
    only, other = ONE["RSA"]
    stage = shake(servers(only, "RSA", ciphers=SUITES[only].openssl, version="TLSv1_2"), pki, cipher_suites=(other,))
    assert (stage.code, stage.evidence["server_would_choose"]) == (
        "cipher_not_accepted", {"version": "TLSv1_2", "suite": only},
    )  # fmt: skip
    assert stage.evidence["suggestion"] == {"cipher_suite_mode": "SPECIFIC", "cipher_suites": [other, only]}


def test_a_suite_that_all_leaves_out_is_named(servers, pki):
    left_out = "TLS_RSA_WITH_AES_128_CBC_SHA"
    server = servers(left_out, "RSA", ciphers=SUITES[left_out].openssl, version="TLSv1_2")
    stage = shake(server, pki)
    assert (stage.code, stage.evidence["server_would_choose"]["suite"]) == ("cipher_not_accepted", left_out)
    assert "ALL leaves it out" in stage.detail


@pytest.mark.parametrize("protocol", Protocol)
@pytest.mark.parametrize("security", [Security.STARTTLS, Security.SSL_TLS])
def test_the_second_hello_ends_before_anything_is_said_over_it(protocol, security, pki):
    context = pki.leaf().server_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with RecordingServer(security, protocol=protocol, tls_context=context, users={USER: PASSWORD}) as server:
        asked = ask(
            server.port,
            security.value,
            protocol=wire.Protocol(protocol.value),
            tls=TlsPolicy(protocols=("TLSv1_3",)),
            trust=anchored(der_of(pki.root)),
        )
        stage = stage_of(run(probe(asked)), "tls")
        first, second = server.wait_closed(2)
    assert (stage.code, stage.evidence["server_would_choose"]["version"]) == ("protocol_not_accepted", "TLSv1_2")
    # Neither was signed in to; where there is talk before TLS, both heard the same.
    assert (first.logins, second.logins, first.received) == ([], [], second.received)
    assert second.tls_version is None
