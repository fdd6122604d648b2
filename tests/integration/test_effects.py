"""What each field of every connection does, proven by what a server received; docs/fields.md names these tests."""

import socket
import ssl

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from cluster import dispatch
from cluster.models import Cluster, Steng
from cluster.services import save_cluster, save_steng
from connections.choices import BasicMechanism
from connections.selectors import connection_list
from connections.testing import Target, request_test
from steng.suites import SUITES
from steng.wire import Authentication
from tests.fields.trying import PASSWORD, USER, attempt, change, kind_of, save, server_for, trust
from tests.jobs import local_steng
from tests.lab.facts import Protocol, Security
from tests.lab.ports import HOST
from tests.lab.recording import Login

pytestmark = pytest.mark.django_db
SECURED = ("STARTTLS", "SSL_TLS")
UPGRADE = {Protocol.SMTP: b"STARTTLS", Protocol.IMAP: b"STARTTLS", Protocol.POP3: b"STLS"}


@pytest.fixture
def steng(db):
    return local_steng(timezone.now())


@pytest.fixture(params=Protocol, ids=lambda protocol: protocol.value)
def protocol(request):
    return request.param


@pytest.fixture
def server(protocol):
    """Return a server in clear text of each protocol."""
    with server_for(protocol) as serving:
        yield serving


@pytest.fixture
def smtp():
    with server_for(Protocol.SMTP) as serving:
        yield serving


# -- where the server is -----------------------------------------------------


def test_the_host_that_is_named_is_the_one_that_is_asked(steng, server):
    row = save(server, host=HOST)
    attempt(row, steng)
    assert len(server.wait_closed()) == 1
    there = attempt(change(row, host="127.0.0.2", password=PASSWORD), steng)
    assert (there.told, there.request.host, len(server.sessions)) == (("connect", "refused"), "127.0.0.2", 1)


def test_the_port_that_is_named_is_the_one_that_is_asked(steng, server, protocol):
    with server_for(protocol) as other:
        attempt(save(server, port=other.port), steng)
        assert (len(server.sessions), len(other.wait_closed())) == (0, 1)


@pytest.mark.parametrize("security", Security, ids=lambda security: security.value)
def test_the_conversation_is_protected_as_chosen(steng, protocol, security, pki):
    trust(pki)
    with server_for(protocol, security.value, pki) as server:
        tried = attempt(save(server), steng)
        (session,) = server.wait_closed()
    assert tried.job.verdict == "success"
    assert [login.accepted for login in session.logins] == [True]
    in_clear = session.clear.split()
    assert (session.tls_started, in_clear[-1:] == [UPGRADE[protocol]], bool(in_clear)) == {
        Security.STARTTLS: (True, True, True),
        Security.SSL_TLS: (True, False, False),
        Security.NONE: (False, False, True),
    }[security]


def test_a_silent_server_is_waited_for_as_long_as_the_timeout_says(steng):
    with socket.create_server((HOST, 0)) as silent, server_for(Protocol.SMTP) as server:
        row = save(server, port=silent.getsockname()[1], timeout_ms=1_000)
        tried = attempt(row, steng)
    assert (tried.told, tried.request.timeout_ms, tried.job.timeout_ms) == (("greeting", "timeout"), 1_000, 1_000)


# -- who signs in ------------------------------------------------------------


def test_the_user_name_is_the_one_that_signs_in(steng, protocol):
    with server_for(protocol, users={USER: PASSWORD, "invoices": PASSWORD}) as server:
        attempt(save(server, username="invoices"), steng)
        (session,) = server.wait_closed()
    assert [(login.username, login.accepted) for login in session.logins] == [("invoices", True)]


@pytest.mark.parametrize(("password", "accepted"), [(PASSWORD, True), ("another", False)])
def test_the_password_is_the_one_that_signs_in(steng, server, password, accepted):
    tried = attempt(save(server, password=password), steng)
    assert tried.told == ((None, None) if accepted else ("auth", "credentials_refused"))
    (session,) = server.wait_closed()
    assert [login.accepted for login in session.logins] == [accepted]


@pytest.mark.parametrize(("authentication", "logins"), [("BASIC", 1), ("NONE", 0)])
def test_a_sign_in_is_made_where_the_definition_says_so(steng, smtp, authentication, logins):
    tried = attempt(save(smtp, authentication_type=authentication), steng)
    (session,) = smtp.wait_closed()
    assert (tried.request.authentication, len(session.logins)) == (Authentication(authentication), logins)
    assert sum(line.startswith(b"AUTH") for line in session.commands) == logins


USED = {"AUTO": "PLAIN", "PLAIN": "PLAIN", "LOGIN": "LOGIN", "CRAM_MD5": "CRAM-MD5"}


@pytest.mark.parametrize("security", SECURED)
@pytest.mark.parametrize("mechanism", BasicMechanism.values)
def test_the_mechanism_is_the_one_that_is_chosen(steng, mechanism, security, pki):
    trust(pki)
    with server_for(Protocol.SMTP, security, pki) as server:
        attempt(save(server, basic_mechanism=mechanism), steng)
        (session,) = server.wait_closed()
    assert session.logins == [Login(USED[mechanism], USER, accepted=True)]


# -- TLS ---------------------------------------------------------------------


@pytest.mark.parametrize("security", SECURED)
@pytest.mark.parametrize(
    ("match", "told"),
    [(True, ("hostname", "hostname_mismatch")), (False, ("hostname", "hostname_mismatch_ignored"))],
    ids=["on", "off"],
)
def test_a_certificate_for_another_host_stops_the_test_where_hosts_are_matched(
    steng, protocol, match, told, security, pki
):
    trust(pki)
    with server_for(protocol, security, certificate=pki.wrong_host()) as server:
        tried = attempt(save(server, match_server_hostname=match), steng)
        (session,) = server.wait_closed()
    assert (tried.told, len(session.logins)) == (told, 0 if match else 1)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name)
def test_all_protocols_means_every_version_that_is_safe(steng, protocol, version, pki):
    trust(pki)
    context = pki.leaf().server_context()
    context.minimum_version = context.maximum_version = version
    with server_for(protocol, "SSL_TLS", tls_context=context) as server:
        tried = attempt(save(server, ssl_protocol_mode="ALL"), steng)
        (session,) = server.wait_closed()
    assert (tried.told, session.tls_version) == ((None, None), version.name.replace("_", "."))


@pytest.mark.parametrize(
    "suite", ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"]
)
def test_all_suites_means_that_the_server_may_choose(steng, protocol, suite, pki):
    trust(pki)
    context = pki.leaf().server_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITES[suite].openssl)
    with server_for(protocol, "SSL_TLS", tls_context=context) as server:
        tried = attempt(save(server, cipher_suite_mode="ALL"), steng)
    assert (tried.told, tried.stage("tls").evidence["cipher_suite"]) == ((None, None), suite)


@pytest.mark.parametrize("chosen", [["TLSv1_2"], ["TLSv1_3"], ["TLSv1_3", "TLSv1_2"]], ids="+".join)
def test_the_selected_versions_are_asked_of_the_steng(steng, protocol, chosen, pki):
    trust(pki)
    with server_for(protocol, "SSL_TLS", pki) as server:
        tried = attempt(save(server, ssl_protocol_mode="SPECIFIC", ssl_protocols=chosen), steng)
        (session,) = server.wait_closed()
    assert (tried.told, tried.request.tls.protocols) == ((None, None), tuple(chosen))
    assert session.tls_version == max(chosen).replace("_", ".")


def test_the_selected_suites_are_asked_of_the_steng_in_their_order(steng, protocol, pki):
    trust(pki)
    chosen = ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]
    with server_for(protocol, "SSL_TLS", pki) as server:
        tried = attempt(save(server, cipher_suite_mode="SPECIFIC", cipher_suites=chosen), steng)
    assert (tried.told, tried.request.tls.cipher_suites) == ((None, None), tuple(chosen))
    assert tried.stage("tls").evidence["offered"] == {"versions": ["TLSv1_2"], "suites": chosen}


def test_a_suite_that_protects_nothing_cannot_be_stored(smtp):
    for suite in [name for name, suite in SUITES.items() if not suite.protects]:
        with pytest.raises(ValidationError) as caught:
            save(smtp, cipher_suite_mode="SPECIFIC", cipher_suites=[suite])
        assert [error.code for error in caught.value.error_dict["cipher_suites"]] == ["not_acceptable"]


# -- what an operator sees and decides ---------------------------------------


@pytest.mark.parametrize(("status", "said"), [("ENABLED", []), ("DISABLED", ["connection_disabled"])])
def test_the_report_says_whether_the_connection_is_disabled(steng, server, status, said):
    tried = attempt(save(server, status=status), steng)
    assert [item["code"] for item in tried.job.advisories if item["pointer"] == "/status"] == said
    assert tried.job.verdict == "success"


def test_the_description_is_shown_wherever_the_connection_is(server, protocol, api):
    row = save(server, description="Orders\nto the warehouse")
    (listed,) = api.get("/api/v1/connections/").json()["results"]
    whole = api.get(f"/api/v1/connections/{kind_of(protocol)}/{row.pk}/").json()
    assert listed["description"] == whole["description"] == "Orders\nto the warehouse"


@pytest.mark.parametrize("filters", [{"tag": "finance"}, {"partner": "ACME"}], ids=lambda filters: next(iter(filters)))
def test_a_list_is_narrowed_by_tag_and_by_partner(server, filters):
    save(server, tags=["eu", "finance"], partner="acme")
    save(server, name="another", tags=["eu"], partner="globex")
    assert [row.name for row in connection_list(filters)] == ["orders"]
    assert connection_list({"tag": "eu"}).count() == 2


def test_a_test_runs_once_whatever_retries_are_allowed(steng, server):
    tried = attempt(save(server, password="wrong", max_retries=3, retry_interval=1), steng)
    assert (tried.job.state, tried.job.verdict, len(server.wait_closed())) == ("finished", "failure", 1)


@pytest.mark.parametrize(("interval", "said"), [(None, ["no_retry_interval"]), (0, ["no_retry_interval"]), (30, [])])
def test_retries_without_an_interval_are_spoken_of(server, interval, said):
    row = save(server, max_retries=3, retry_interval=interval)
    assert [item.code for item in row.advisories() if item.field == "retry_interval"] == said


# -- overrides ---------------------------------------------------------------


def test_a_dynamic_connection_takes_overrides(steng, smtp):
    row = save(smtp, dynamic=True, helo_name="saved.example")
    attempt(row, steng, overrides={"helo_name": "job.example"})
    assert smtp.wait_closed()[0].commands[0] == b"EHLO job.example"


def test_a_dynamic_mailbox_takes_overrides(steng):
    with server_for(Protocol.IMAP) as server:
        attempt(save(server, dynamic=True), steng, overrides={"folder": "Archive"})
        (session,) = server.wait_closed()
    assert [line.split()[-1] for line in session.commands if b"EXAMINE" in line] == [b'"Archive"']


def test_a_connection_that_is_not_dynamic_takes_none(server):
    with pytest.raises(ValidationError) as caught:
        request_test(save(server, dynamic=False), Target(), user=None, overrides={"timeout_ms": 5_000})
    assert {name: [error.code for error in found] for name, found in caught.value.error_dict.items()} == {
        "timeout_ms": ["not_dynamic"]
    }


# -- where it runs -----------------------------------------------------------


@pytest.fixture
def elsewhere(steng):
    """Return a second cluster with two STENGs, so that somebody has to say where a test runs."""
    now = timezone.now()
    cluster = save_cluster(Cluster(), {"name": "dmz"}, now)
    first, second = (save_steng(Steng(), {"name": name, "cluster": cluster}, now) for name in ("dmz-1", "dmz-2"))
    Steng.objects.filter(cluster=cluster).update(state="online", last_seen=now)
    return cluster, first, second


def claimed(row, *stengs):
    """Ask for a test, and return which of these STENGs gets it when they claim it one after the other."""
    job, now = request_test(row, Target(), user=None), timezone.now()
    assert dispatch.accept(job.pk, now)
    return [dispatch.claim(job.pk, each, now) is not None for each in stengs]


def test_a_test_runs_on_the_cluster_of_the_connection(steng, server, elsewhere):
    _, first, _ = elsewhere
    assert claimed(save(server, cluster="dmz"), steng, first) == [False, True]


def test_a_test_runs_on_the_steng_of_the_connection(server, elsewhere):
    _, first, second = elsewhere
    assert claimed(save(server, cluster="dmz", steng="dmz-2"), first, second) == [False, True]


def test_who_asks_for_another_place_gets_it(steng, server, elsewhere):
    row = save(server, cluster="dmz", steng="dmz-2")
    assert attempt(row, steng, Target(steng=steng.name)).job.steng_name == steng.name


# -- SMTP alone --------------------------------------------------------------


@pytest.mark.parametrize(("name", "said"), [("mft.example", "mft.example"), ("", f"[{HOST}]")])
def test_the_helo_name_is_what_ehlo_says(steng, smtp, name, said):
    attempt(save(smtp, helo_name=name), steng)
    assert smtp.wait_closed()[0].commands[0].decode() == f"EHLO {said}"


@pytest.mark.parametrize(("address", "said"), [("orders@example.org", [b"MAIL FROM:<orders@example.org>"]), ("", [])])
def test_the_sender_address_is_what_mail_from_says(steng, smtp, address, said):
    attempt(save(smtp, sender_address=address), steng)
    assert [line for line in smtp.wait_closed()[0].commands if line.startswith(b"MAIL")] == said
