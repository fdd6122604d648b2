"""What can happen on the way to the server and before TLS."""

from __future__ import annotations

from collections.abc import Iterator

from steng.codes.outcome import Outcome
from steng.wire import StageName


def outcomes() -> Iterator[Outcome]:
    """Yield them."""
    resolve, connect, greeting = StageName.RESOLVE, StageName.CONNECT, StageName.GREETING
    yield Outcome(
        resolve,
        "name_not_found",
        "The host name does not exist, as seen from this STENG.",
        "Check the spelling of the host. If it is an internal name, ask whether this STENG's name server knows it.",
        "host",
    )
    yield Outcome(
        resolve,
        "no_address",
        "The host name exists but has no address.",
        "Check the spelling of the host, or ask the partner for the name of the mail server itself.",
        "host",
    )
    yield Outcome(
        resolve,
        "resolver_failed",
        "The name server of this STENG could not answer.",
        "Check the name servers that the STENG's host uses, then test again.",
    )
    yield Outcome(
        resolve,
        "address_refused",
        "The host leads to an address that connections may not use from here.",
        "Link-local and metadata addresses are never allowed; loopback only while the console itself is local "
        "or POSTERN_ALLOW_LOOPBACK=1 is set.",
        "host",
    )
    yield Outcome(
        connect,
        "refused",
        "Nothing listens on this port: the connection was refused.",
        "Check the port. If it is right, the mail service is down or a firewall refuses this STENG.",
        "port",
    )
    yield Outcome(
        connect,
        "unreachable",
        "There is no route to the server from this STENG.",
        "Ask the network team for a route from the STENG to the server, or test from another STENG.",
        "host",
    )
    yield Outcome(
        connect,
        "address_family_unreachable",
        "The server has only addresses of a family (IPv4 or IPv6) that this STENG cannot reach.",
        "Give the STENG that address family, or use a host name that has an address of the other.",
        "host",
    )
    yield Outcome(
        connect,
        "address_failed",
        "One of the server's addresses did not answer; a later one did.",
        "Tell the server's operator which address is down: connections will be slow until it is mended.",
        "host",
    )
    yield Outcome(
        greeting,
        "tls_expected",
        "The port stays silent in clear text but speaks TLS.",
        "Choose SSL/TLS as the connection security.",
        "connection_security",
    )
    yield Outcome(
        greeting,
        "service_unavailable",
        "The server says that it is not available now.",
        "Try again later. If it lasts, show the server's words to its operator.",
    )
    yield Outcome(
        greeting,
        "access_denied",
        "The server refuses to talk to this STENG.",
        "Ask the partner to allow the STENG's address; the server's words often say why.",
    )
    yield Outcome(
        greeting,
        "preauthenticated",
        "The server takes everybody on this port for signed in, so neither TLS nor the password would count.",
        "Choose another port: this one belongs to programs that the server trusts by their address.",
        "port",
    )
    yield Outcome(
        StageName.CAPABILITIES,
        "ehlo_refused",
        "The server refused the EHLO command.",
        "Some servers check the name in EHLO: set the HELO name to this STENG's public name.",
        "helo_name",
    )
    yield Outcome(
        StageName.STARTTLS,
        "starttls_not_offered",
        "The server does not offer STARTTLS. No password was sent.",
        "Ask the partner which port has STARTTLS (often 587 for SMTP, 143 for IMAP, 110 for POP3), "
        "or choose SSL/TLS with its port (often 465, 993, 995).",
        "connection_security",
    )
    yield Outcome(
        StageName.STARTTLS,
        "starttls_refused",
        "The server offers STARTTLS but refused to start it. No password was sent.",
        "Ask the server's operator to look at its TLS set-up.",
        "connection_security",
    )
    yield Outcome(
        StageName.STARTTLS,
        "injected_data",
        "Clear-text data followed the STARTTLS answer: someone may be tampering. No password was sent.",
        "Tell your security team and the partner: this is how sessions are hijacked, or the server is defective.",
    )
