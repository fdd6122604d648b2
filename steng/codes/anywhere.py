"""What can happen at every stage, with the stages where it asks for another remedy."""

from __future__ import annotations

from collections.abc import Iterator

from steng.codes.outcome import Outcome
from steng.wire import StageName


def outcomes() -> Iterator[Outcome]:
    """Yield them."""
    yield Outcome(
        None,
        "timeout",
        "The server did not answer in time.",
        "Check that the server is up and not overloaded. If it is only slow, raise the timeout.",
        "timeout_ms",
    )
    yield Outcome(
        StageName.RESOLVE,
        "timeout",
        "The name server of this STENG did not answer in time.",
        "Check the name servers that the STENG's host uses, or enter the server's IP address as the host.",
        "host",
    )
    yield Outcome(
        StageName.CONNECT,
        "timeout",
        "No answer to the connection attempt: the packets are probably dropped on the way.",
        "Ask the network team to open host and port for the STENG's address, and check both for a slip.",
        "host",
    )
    yield Outcome(
        StageName.GREETING,
        "timeout",
        "The server accepted the connection but sent no greeting in time.",
        "Some servers wait on purpose or look up the caller first: raise the timeout. "
        "A server that speaks TLS at once stays silent too: try SSL/TLS.",
        "connection_security",
    )
    yield Outcome(
        StageName.AUTH,
        "timeout",
        "The server did not answer the sign-in in time.",
        "Servers delay the answer to a wrong password: check user name and password, then raise the timeout.",
        "timeout_ms",
    )
    yield Outcome(
        None,
        "closed",
        "The server closed the connection.",
        "Look into the server's log for this STENG's address: many servers hang up on callers they do not want.",
    )
    yield Outcome(
        None,
        "reset",
        "The connection was reset.",
        "A firewall between STENG and server, or the server itself, cut the connection: ask its operator for the log.",
    )
    yield Outcome(
        None,
        "protocol_error",
        "The server's answer is not valid in this protocol.",
        "Check that host and port belong to a mail server of this kind; the transcript shows how far it came.",
        "port",
    )
    yield Outcome(
        None,
        "too_much_data",
        "The server sent more than any mail server may; the test stopped reading.",
        "Check that host and port belong to a mail server of this kind.",
        "port",
    )
    yield Outcome(
        None,
        "wrong_protocol",
        "Something else than the expected protocol answers on this port.",
        "Check host and port, and choose the connection security that this port speaks.",
        "port",
    )
    yield Outcome(
        None,
        "bug_in_probe",
        "The test itself broke; this says nothing about the server.",
        "Please report it with the transcript of this test. The connection may well work.",
    )
    yield Outcome(
        None,
        "not_supported_by_this_steng",
        "This STENG cannot do yet what the definition asks for, so it did not try anything else instead.",
        "Choose another value for the named field, or test from a STENG of a newer version.",
    )
