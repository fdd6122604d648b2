"""What can happen in the handshake."""

from __future__ import annotations

from collections.abc import Iterator

from steng.codes.outcome import Outcome
from steng.wire import StageName


def outcomes() -> Iterator[Outcome]:
    """Yield them."""
    stage = StageName.TLS
    yield Outcome(
        stage,
        "tls_not_spoken",
        "The server does not speak TLS on this port.",
        "Choose STARTTLS if the server greets in clear text on this port, else use the TLS port "
        "(often 465 for SMTP, 993 for IMAP, 995 for POP3).",
        "connection_security",
    )
    yield Outcome(
        stage,
        "protocol_not_available",
        "This STENG cannot speak a TLS version that is selected.",
        "Take the named versions out of the list, or test from a STENG that has them.",
        "ssl_protocols",
    )
    yield Outcome(
        stage,
        "protocol_not_accepted",
        "Server and definition have no TLS version in common.",
        "Ask the partner to enable TLS 1.2 or newer, or select the version that the server has.",
        "ssl_protocols",
    )
    yield Outcome(
        stage,
        "cipher_not_accepted",
        "Server and definition have no cipher suite in common.",
        "Ask the partner which suites the server accepts, and select one of them or ALL.",
        "cipher_suites",
    )
    yield Outcome(
        stage,
        "cipher_not_available",
        "This STENG cannot offer a cipher suite that is selected.",
        "Take the named suites out of the list, or test from a STENG that has them.",
        "cipher_suites",
    )
    yield Outcome(
        stage,
        "client_certificate_required",
        "The server wants a client certificate and got none.",
        "Ask the partner which certificate it expects and choose its key under Client key label.",
        "client_key_label",
    )
    yield Outcome(
        stage,
        "handshake_failed",
        "The TLS handshake failed.",
        "The evidence holds the reason given by TLS; show it to the server's operator.",
    )
