"""A server that goes away at each stage, in each manner and under each security: the stage and how it went are told."""

import pytest

from tests.lab.asking import anchored, der_of, find

STAGES = {
    "NONE": ("greeting", "capabilities", "auth", "sender"),
    "STARTTLS": ("greeting", "capabilities", "starttls", "tls", "capabilities again", "auth", "sender"),
    "SSL_TLS": ("tls", "greeting", "capabilities", "auth", "sender"),
}
CASES = [(security, stage) for security, stages in STAGES.items() for stage in stages]


@pytest.fixture(scope="module")
def leaf(pki):
    return pki.leaf()


def vanishing(security, stage, manner):
    """Return a script that behaves until it is asked for `stage`."""

    async def gone(peer, name):
        if name != stage:
            return
        # What the probe sent is read first: unread bytes would turn an orderly end into a reset.
        if name == "tls":
            await peer.client_hello()
        elif name != "greeting":
            await peer.hear()
        await (peer.reset() if manner == "reset" else peer.close())
        raise EOFError

    async def script(peer):
        if security == "SSL_TLS":
            await gone(peer, "tls")
            await peer.start_tls()
        await gone(peer, "greeting")
        await peer.say("220 mail.test")
        await gone(peer, "capabilities")
        await peer.ehlo("STARTTLS", "AUTH PLAIN CRAM-MD5")
        if security == "STARTTLS":
            await gone(peer, "starttls")
            await peer.hear()
            await peer.say("220 go ahead")
            await gone(peer, "tls")
            await peer.start_tls()
            await gone(peer, "capabilities again")
            await peer.ehlo("AUTH PLAIN")
        await gone(peer, "auth")
        await peer.hear()
        if security == "NONE":
            await peer.say("334 PDFAbWFpbD4=")
            await peer.hear()
        await peer.say("235 ok")
        await gone(peer, "sender")
        await peer.hang()

    return script


@pytest.mark.parametrize("manner", ["closed", "reset"])
@pytest.mark.parametrize(("security", "stage"), CASES, ids=[f"{security} {stage}" for security, stage in CASES])
def test_a_server_that_goes_away_is_told_with_its_stage(security, stage, manner, leaf, pki):
    finding = find(
        vanishing(security, stage, manner),
        security=security,
        tls=leaf.server_context(),
        trust=anchored(der_of(pki.root)),
        sender_address="user@lab.test",
        timeout_ms=5_000,
    )
    assert finding.told == (stage.removesuffix(" again"), manner)
    assert finding.stage.evidence["source_address"] == "127.0.0.1"
