"""How scripted mailboxes talk until the test has its say."""

from steng.wire import Protocol

IMAP, POP3 = Protocol.IMAP, Protocol.POP3
CAPABLE = "IMAP4rev1 SASL-IR LITERAL+ AUTH=PLAIN AUTH=CRAM-MD5 ESEARCH SEARCHRES ACL"
WELCOME = {IMAP: f"* OK [CAPABILITY {CAPABLE}] mail.test", POP3: "+OK mail.test <1@mail.test>"}
CAPA = ("+OK", "SASL PLAIN CRAM-MD5", "USER", "UIDL", "TOP", "PIPELINING", ".")


async def talk(peer, protocol, *, capabilities=CAPA):
    """Greet, and tell the capabilities where they are asked for."""
    await peer.say(WELCOME[protocol])
    if protocol is POP3:
        await peer.hear()
        await peer.say(*capabilities)


def tag_of(line):
    return line.split()[0]
