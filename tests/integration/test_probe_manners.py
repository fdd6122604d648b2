"""The manners of a probe: it never raises, leaves nothing behind, keeps its deadline, and tells as it goes."""

import asyncio
import gc
import os
import ssl

import pytest

from steng.offer import ALL, Offer
from steng.probe import probe, tls
from steng.probe import run as running
from steng.wire import ProbeReport, Protocol, from_json, to_json
from tests.lab.asking import PASSWORD, USER, anchored, ask, der_of, find, outcomes, run
from tests.lab.facts import Security
from tests.lab.hostile import HostileServer
from tests.lab.pyserver import RecordingSmtpServer


async def polite(peer):
    await peer.say("220 mail.test")
    await peer.ehlo("AUTH PLAIN")
    await peer.hear()
    await peer.say("235 ok")
    await peer.hang()


HELD = {
    "at the greeting": (),
    "at the capabilities": ("220 mail.test",),
    "at the login": ("220 mail.test", "250 AUTH PLAIN"),
}


@pytest.mark.parametrize("said", HELD.values(), ids=HELD)
def test_a_cancelled_probe_closes_its_connection_at_once(said):
    async def go():
        arrived = asyncio.Event()

        async def script(peer):
            for place, line in enumerate(said):
                if place:
                    await peer.hear()
                await peer.say("250-mail.test", line) if place else await peer.say(line)
            if said:
                await peer.hear()
            arrived.set()
            await peer.hang()

        async with HostileServer(script) as server:
            task = asyncio.create_task(probe(ask(server.port, mechanism="PLAIN")))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            # The server's script ends only when the connection does.
            await server.gone()

    run(go())


def test_a_probe_that_is_cancelled_in_its_handshake_closes_its_connection(pki):
    async def go():
        arrived = asyncio.Event()

        async def script(peer):
            await peer.client_hello()
            arrived.set()
            await peer.hang()

        async with HostileServer(script) as server:
            task = asyncio.create_task(probe(ask(server.port, "SSL_TLS")))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.gone()

    run(go())


def test_a_probe_that_is_cancelled_at_once_leaves_nothing():
    async def go():
        task = asyncio.create_task(probe(ask(9)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(go())


def test_many_probes_leave_no_descriptor_behind(pki):
    async def go():
        async def script(peer):
            await peer.say("220 mail.test")
            await peer.close()

        async with HostileServer(script) as server:
            for _ in range(3):
                await asyncio.gather(*(probe(ask(server.port, security)) for security in ("NONE", "SSL_TLS") * 10))
                await server.gone()
                gc.collect()
                counts.append(len(os.listdir("/proc/self/fd")))

    counts = []
    run(go())
    assert counts[2] == counts[0]


def test_a_bug_is_reported_with_its_stage_and_without_its_words(monkeypatch):
    def broken(*_):
        raise ZeroDivisionError(f"secret {PASSWORD}")

    monkeypatch.setattr(running.Smtp, "capabilities", broken)
    finding = find(polite)
    assert finding.told == ("capabilities", "bug_in_probe")
    assert finding.stage.evidence["error"] == "ZeroDivisionError"
    assert PASSWORD not in str(to_json(finding.report))


def test_a_bug_in_the_guard_of_the_handshake_refuses_the_server(monkeypatch, pki):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(tls, "voucher_of", broken)
    with RecordingSmtpServer(Security.SSL_TLS, certificate=pki.leaf(), users={USER: PASSWORD}) as server:
        report = run(probe(ask(server.port, "SSL_TLS", trust=anchored(der_of(pki.root)))))
        (session,) = server.wait_closed()
    assert (report.telling_stage.name, report.telling_stage.code) == ("tls", "bug_in_probe")
    assert session.received == b""


def test_a_bug_between_two_stages_is_reported_at_the_next(monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(running, "SESSIONS", {Protocol.SMTP: broken})
    finding = find(polite)
    assert finding.told == ("greeting", "bug_in_probe")


def test_the_stages_are_told_as_they_end():
    told = []

    async def go():
        async with HostileServer(polite) as server:
            report = await probe(ask(server.port, mechanism="PLAIN"), on_stage=told.append)
            await server.gone()
            return report

    report = run(go())
    assert tuple(told) == report.stages


def test_a_listener_that_breaks_does_not_break_the_probe(caplog):
    def broken(stage):
        raise RuntimeError(stage.name)

    async def go():
        async with HostileServer(polite) as server:
            report = await probe(ask(server.port, mechanism="PLAIN"), on_stage=broken)
            await server.gone()
            return report

    assert run(go()).telling_stage.code == "clear_text_login"
    assert "the listener of a probe failed at stage resolve" in caplog.text


def test_the_deadline_is_for_the_whole_conversation():
    async def slow(peer):
        for line in ("220 mail.test", "250 mail.test"):
            await asyncio.sleep(0.12)
            await peer.say(line)
            await peer.hear()
        await peer.hang()

    finding = find(slow, timeout_ms=200)
    assert finding.told == ("capabilities", "timeout")
    assert outcomes(finding.report)[-2:] == ["auth:skipped", "quit:skipped"]


def test_a_report_travels_as_json():
    report = find(polite, mechanism="PLAIN").report
    assert from_json(ProbeReport, to_json(report)) == report


async def aloud(peer):
    await peer.handshake_aloud()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_client_certificate_is_told_at_the_handshake(version, pki):
    context = pki.leaf().server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=der_of(pki.root))
    context.minimum_version = context.maximum_version = version
    finding = find(aloud, security="SSL_TLS", tls=context, trust=anchored(der_of(pki.root)))
    assert finding.told == ("tls", "client_certificate_required")
    assert outcomes(finding.report)[3:6] == ["trust:skipped", "hostname:skipped", "greeting:skipped"]


def test_a_server_with_old_protocols_only_is_told(pki):
    context = pki.leaf().server_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert find(aloud, security="SSL_TLS", tls=context).told == ("tls", "protocol_not_accepted")


def test_a_server_with_other_suites_only_is_told(pki):
    context = pki.leaf().server_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ADH-AES128-SHA:@SECLEVEL=0")
    assert find(aloud, security="SSL_TLS", tls=context).told == ("tls", "cipher_not_accepted")


def test_contexts_are_shared_by_what_they_trust_and_offer(pki):
    kept = tls.Contexts(entries=3)
    one, two = anchored(der_of(pki.root)), anchored(der_of(pki.intermediate))
    first = kept.get(one, ALL, match_hostname=True)
    assert kept.get(anchored(der_of(pki.root)), ALL, match_hostname=True) is first
    others = [
        kept.get(one, ALL, match_hostname=False),
        kept.get(two, ALL, match_hostname=True),
        kept.get(one, Offer(("TLSv1_2",)), match_hostname=True),
    ]
    assert (first in others, len(kept)) == (False, 3)


def test_quit_is_not_waited_for():
    async def script(peer):
        await peer.say("220 mail.test")
        await peer.ehlo()
        await peer.hear()
        await asyncio.get_running_loop().create_future()

    async def go():
        async with HostileServer(script) as server:
            return await probe(ask(server.port, login=None, timeout_ms=5_000))

    assert run(go()).verdict == "success"
