"""Reaching a server: names, addresses, where connections may not go, and how deep a test is asked to go."""

import asyncio
import errno
import socket
import threading

import pytest

from steng.probe import connect as connecting
from steng.probe import probe
from steng.probe import resolve as resolving
from steng.probe.resolve import SystemResolver
from steng.wire import Authentication, Depth, Egress
from tests.lab.asking import anchored, ask, der_of, find, outcomes, run, stage_of
from tests.lab.hostile import HostileServer
from tests.lab.ports import Ports


def look(request, resolver=None):
    return run(probe(request, resolver=resolver))


def answering(*addresses, error=None):
    async def resolver(host):
        if error is not None:
            raise error
        return addresses

    return resolver


@pytest.fixture
def closed_port():
    ports = Ports()
    yield ports.reserve()
    ports.release()


async def polite(peer):
    await peer.say("220 mail.test")
    await peer.ehlo()
    await peer.hang()


# -- names -------------------------------------------------------------------

RESOLVER_ERRORS = {
    "a name that does not exist": (socket.gaierror(socket.EAI_NONAME, "no such name"), "name_not_found"),
    "a name without an address": (socket.gaierror(socket.EAI_NODATA, "no data"), "no_address"),
    "a name server that cannot answer": (socket.gaierror(socket.EAI_AGAIN, "try again"), "resolver_failed"),
    "a name server that is broken": (socket.gaierror(socket.EAI_FAIL, "failed"), "resolver_failed"),
    "a name too long for a name": (UnicodeError("label too long"), "name_not_found"),
}


@pytest.mark.parametrize(("error", "code"), RESOLVER_ERRORS.values(), ids=RESOLVER_ERRORS)
def test_what_the_name_server_says_is_told(error, code):
    report = look(ask(25, host="mail.test"), answering(error=error))
    assert (report.telling_stage.name, report.telling_stage.code) == ("resolve", code)
    assert outcomes(report)[1:] == [
        f"{name}:skipped" for name in ("connect", "greeting", "capabilities", "auth", "quit")
    ]


def test_no_answer_at_all_is_no_address():
    assert look(ask(25, host="mail.test"), answering()).telling_stage.code == "no_address"


def test_a_name_server_that_is_silent_is_a_timeout():
    async def silent(host):
        await asyncio.get_running_loop().create_future()

    report = look(ask(25, host="mail.test", timeout_ms=100), silent)
    assert (report.telling_stage.name, report.telling_stage.code) == ("resolve", "timeout")


@pytest.mark.parametrize("host", [f"{'ü' * 64}.test", "", ".", "a..b", "[]"])
def test_what_can_be_no_name_is_not_looked_up(host):
    report = look(ask(25, host=host), answering(error=AssertionError("was asked")))
    assert (report.telling_stage.name, report.telling_stage.code) == ("resolve", "name_not_found")


def test_a_nul_in_a_name_is_a_name_that_does_not_exist():
    assert look(ask(25, host="a\0b")).telling_stage.code == "name_not_found"


def test_a_zone_does_not_disguise_an_address():
    for host in ("fd00:ec2::254%eth0", "fe80::1%lo", "[::1%lo]"):
        assert look(ask(25, host=host, egress=Egress())).telling_stage.code == "address_refused"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "::1"])
def test_an_address_is_not_looked_up(host, closed_port):
    report = look(ask(closed_port, host=host), answering(error=AssertionError("was asked")))
    assert (report.telling_stage.name, report.telling_stage.code) == ("connect", "refused")


def test_a_name_is_asked_for_as_a_labels_in_small_letters(closed_port):
    asked = []

    async def resolver(host):
        asked.append(host)
        return ["127.0.0.1"]

    look(ask(closed_port, host="MÜNCHEN.test."), resolver)
    assert asked == ["xn--mnchen-3ya.test"]


def test_the_system_is_asked_in_a_thread_that_may_hang_for_ever(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(resolving, "_look_up", lambda host: release.wait(30) and [])
    report = look(ask(25, host="mail.test", timeout_ms=100), SystemResolver(threads=1))
    assert (report.telling_stage.name, report.telling_stage.code) == ("resolve", "timeout")
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "steng-resolve")
    release.set()


def test_the_system_knows_localhost(closed_port):
    report = look(ask(closed_port, host="localhost"))
    assert "127.0.0.1" in stage_of(report, "resolve").evidence["addresses"]


# -- where nobody may go -----------------------------------------------------

FORBIDDEN = [
    *("169.254.169.254", "169.254.1.1", "fe80::1", "fd00:ec2::254", "100.100.100.200", "224.0.0.1", "ff02::1"),
    *("0.0.0.0", "::", "255.255.255.255", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"),
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_forbidden_address_is_refused_by_name_and_by_number(address):
    for host in ("mail.test", address):
        report = look(ask(25, host=host), answering(address))
        assert (report.telling_stage.name, report.telling_stage.code) == ("resolve", "address_refused")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
def test_loopback_is_refused_where_it_is_not_allowed(address):
    report = look(ask(25, host="mail.test", egress=Egress()), answering(address))
    assert report.telling_stage.code == "address_refused"


def test_only_the_allowed_addresses_of_a_name_are_used():
    async def go():
        async with HostileServer(polite) as server:
            request = ask(server.port, host="mail.test", login=None)
            report = await probe(request, resolver=answering("169.254.169.254", "127.0.0.1"))
            await server.gone()
            return report

    report = run(go())
    assert report.verdict == "success"
    evidence = stage_of(report, "resolve").evidence
    assert evidence["addresses"] == ["127.0.0.1"]
    assert evidence["refused"] == [["169.254.169.254", "link-local"]]


# -- addresses ---------------------------------------------------------------


def test_a_later_address_that_answers_is_a_warning():
    async def go():
        async with HostileServer(polite) as server:
            request = ask(server.port, host="mail.test", login=None)
            report = await probe(request, resolver=answering("127.0.0.2", "127.0.0.2", "127.0.0.1"))
            await server.gone()
            return report

    report = run(go())
    assert (report.telling_stage.name, report.telling_stage.code) == ("connect", "address_failed")
    tried = stage_of(report, "connect").evidence["addresses"]
    assert [(each["address"], each["result"]) for each in tried] == [
        ("127.0.0.2", "refused"),
        ("127.0.0.1", "connected"),
    ]
    assert (report.peer_address, report.source_address) == ("127.0.0.1", "127.0.0.1")


def test_at_most_sixteen_addresses_are_tried(closed_port):
    report = look(ask(closed_port, host="mail.test"), answering(*(f"127.0.1.{number}" for number in range(1, 100))))
    assert len(report.telling_stage.evidence["addresses"]) == 16


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ((errno.EHOSTUNREACH, errno.ECONNREFUSED), "refused"),
        ((errno.EHOSTUNREACH, errno.ETIMEDOUT), "timeout"),
        ((errno.ECONNRESET, errno.EHOSTUNREACH), "reset"),
        ((errno.EHOSTUNREACH, errno.ENETUNREACH), "unreachable"),
    ],
    ids=["refused is further than no route", "so is silence", "so is a reset", "no route at all"],
)
def test_of_several_failures_the_one_that_came_furthest_is_told(errors, code, monkeypatch):
    failing(monkeypatch, dict(zip(("127.0.0.1", "127.0.0.2"), errors, strict=True)))
    report = look(ask(25, host="mail.test"), answering("127.0.0.1", "127.0.0.2"))
    assert (report.telling_stage.name, report.telling_stage.code) == ("connect", code)


def test_addresses_of_a_family_that_is_missing_here_are_told(monkeypatch):
    failing(monkeypatch, {"2001:db8::25": errno.ENETUNREACH})
    monkeypatch.setattr(connecting, "source_towards", lambda address, port: None)
    report = look(ask(25, host="mail.test"), answering("2001:db8::25"))
    assert (report.telling_stage.name, report.telling_stage.code) == ("connect", "address_family_unreachable")


def test_a_silent_address_leaves_time_for_the_next():
    async def go():
        # A queue of one that is full drops what comes after, as a firewall does.
        with socket.socket() as full, socket.socket() as filler:
            full.bind(("127.0.0.2", 0))
            full.listen(0)
            filler.connect(full.getsockname())
            fillers = [socket.socket() for _ in range(4)]
            for each in fillers:
                each.setblocking(False)
                each.connect_ex(full.getsockname())
            try:
                request = ask(full.getsockname()[1], host="mail.test", timeout_ms=600)
                return await probe(request, resolver=answering("127.0.0.2", "127.0.0.3"))
            finally:
                for each in fillers:
                    each.close()

    report = run(go())
    tried = report.telling_stage.evidence["addresses"]
    assert [(each["address"], each["result"]) for each in tried] == [("127.0.0.2", "timeout"), ("127.0.0.3", "refused")]


def failing(monkeypatch, errors):
    """Let connections to these addresses fail with these numbers."""

    async def dial(address, port, seconds):
        return OSError(errors[str(address)], "made up")

    monkeypatch.setattr(connecting, "_dial", dial)


# -- depth -------------------------------------------------------------------

CLEAR = ["resolve", "connect", "greeting", "capabilities"]
SECURED = ["tls", "trust", "hostname"]
DEPTHS = {
    ("NONE", "connect"): [*CLEAR, "quit"],
    ("NONE", "tls"): [*CLEAR, "quit"],
    ("NONE", "login"): [*CLEAR, "auth", "quit"],
    ("NONE", "full"): [*CLEAR, "auth", "sender", "quit"],
    ("STARTTLS", "connect"): [*CLEAR, "quit"],
    ("STARTTLS", "tls"): [*CLEAR, "starttls", *SECURED, "capabilities", "quit"],
    ("SSL_TLS", "connect"): ["resolve", "connect"],
    ("SSL_TLS", "tls"): ["resolve", "connect", *SECURED, "greeting", "capabilities", "quit"],
    ("SSL_TLS", "login"): ["resolve", "connect", *SECURED, "greeting", "capabilities", "auth", "quit"],
}


@pytest.mark.parametrize(("security", "depth"), DEPTHS, ids=[f"{security} {depth}" for security, depth in DEPTHS])
def test_a_test_goes_as_deep_as_it_is_asked_to(security, depth, pki):
    async def script(peer):
        if security == "SSL_TLS":
            await peer.start_tls()
        await peer.say("220 mail.test")
        await peer.ehlo("STARTTLS", "AUTH PLAIN")
        line = await peer.hear()
        if line == "STARTTLS":
            await peer.say("220 go ahead")
            await peer.start_tls()
            await peer.ehlo("AUTH PLAIN")
            line = await peer.hear()
        while line != "QUIT":
            await peer.say("235 ok" if line.startswith("AUTH") else "250 ok")
            line = await peer.hear()

    finding = find(
        script,
        security=security,
        depth=Depth(depth),
        mechanism="PLAIN",
        sender_address="a@lab.test",
        tls=pki.leaf().server_context(),
        trust=anchored(der_of(pki.root)),
    )
    assert [stage.name.value for stage in finding.report.stages] == DEPTHS[security, depth]
    assert finding.report.verdict != "failure"


def test_pop_before_smtp_sends_nothing_at_all():
    finding = find(polite, authentication=Authentication.POP_BEFORE_SMTP, login=None)
    assert finding.told == ("resolve", "not_supported_by_this_steng")
    assert finding.stage.field == "authentication_type"
    assert finding.server.peers == []


def test_without_a_login_there_is_no_such_stage():
    finding = find(polite, login=None)
    assert outcomes(finding.report) == [*CLEAR, "quit"]
