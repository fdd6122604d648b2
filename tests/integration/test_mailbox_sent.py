"""What a mailbox server is sent by a test: nothing that changes a mailbox, and no credential before trust."""

import pytest

from steng.wire import Disposition, Mailbox, Pull
from tests.lab.asking import find, stage_of
from tests.mailbox_talk import CAPABLE, IMAP, POP3, tag_of, talk


async def agreeable_imap(peer):
    """Agree to everything; there is one message."""
    await talk(peer, IMAP)
    while line := await peer.hear():
        tag, *words = line.split()
        if words[0] == "AUTHENTICATE":
            await peer.say(f"{tag} OK [CAPABILITY {CAPABLE}] in")
        elif "EXAMINE" in words or "SELECT" in words:
            await peer.say("* 1 EXISTS", f"{tag} OK")
        elif "FETCH" in words:
            await peer.say("* 1 FETCH (UID 1 RFC822.SIZE 5)", f"{tag} OK")
        elif "SEARCH" in words:
            await peer.say(f'* ESEARCH (TAG "{tag}") UID COUNT 1 MIN 1 MAX 1', "* SEARCH 1", f"{tag} OK")
        else:
            await peer.say(f"{tag} OK")


async def agreeable_pop3(peer):
    await talk(peer, POP3)
    while line := await peer.hear():
        await (peer.say("+OK", "Date: x", ".") if line.startswith("TOP") else peer.say("+OK 1 5"))


def sent(script, protocol, **mailbox):
    finding = find(script, protocol=protocol, mechanism="PLAIN", mailbox=Mailbox(**mailbox))
    assert stage_of(finding.report, "folder").outcome == "ok"
    assert finding.report.stages[-1].outcome == "ok"
    return [line.decode().upper().split() for line in finding.server.peers[0].lines]


@pytest.mark.parametrize("disposition", Disposition)
@pytest.mark.parametrize("pull", Pull)
def test_imap_is_sent_nothing_that_changes_a_mailbox(pull, disposition):
    lines = sent(agreeable_imap, IMAP, pull=pull, disposition=disposition, show_subject=True)
    verbs = [words[2] if words[1] == "UID" else words[1] for words in lines]
    assert verbs == ["AUTHENTICATE", "MYRIGHTS", "EXAMINE", "SEARCH", "SEARCH", "FETCH", "LOGOUT"]
    (fetch,) = [" ".join(words) for words in lines if "FETCH" in words]
    assert "BODY[" not in fetch
    assert "BODY.PEEK[HEADER.FIELDS (SUBJECT)]" in fetch


@pytest.mark.parametrize("disposition", [Disposition.KEEP, Disposition.DELETE])
@pytest.mark.parametrize("pull", [Pull.GET_FIRST_MESSAGE, Pull.GET_LAST_MESSAGE])
def test_pop3_is_sent_nothing_that_changes_a_mailbox(pull, disposition):
    lines = sent(agreeable_pop3, POP3, pull=pull, disposition=disposition, show_subject=True)
    assert [words[0] for words in lines] == ["CAPA", "AUTH", "STAT", "LIST", "UIDL", "TOP", "QUIT"]
    assert ["TOP", "1", "0"] in lines


@pytest.mark.parametrize("protocol", [IMAP, POP3])
@pytest.mark.parametrize("security", ["STARTTLS", "SSL_TLS"])
def test_who_is_not_trusted_is_sent_no_credential(pki, protocol, security):
    async def script(peer):
        if security == "STARTTLS" and protocol is IMAP:
            await peer.say("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hi")
            await peer.say(f"{tag_of(await peer.hear())} OK go")
        elif security == "STARTTLS":
            await talk(peer, POP3, capabilities=("+OK", "STLS", "SASL PLAIN", "USER", "."))
            await peer.hear()
            await peer.say("+OK go")
        await peer.start_tls()
        await peer.hang()

    finding = find(script, tls=pki.leaf().server_context(), protocol=protocol, security=security)
    assert finding.told == ("trust", "certificate_unknown_issuer")
    verbs = [line.split()[-1] for line in finding.server.peers[0].lines]
    expected = {IMAP: [b"STARTTLS"], POP3: [b"CAPA", b"STLS"]}[protocol]
    assert verbs == (expected if security == "STARTTLS" else [])
