"""What can be wrong with the certificates of a server."""

from __future__ import annotations

from collections.abc import Iterator

from steng.codes.outcome import Outcome
from steng.wire import StageName


def outcomes() -> Iterator[Outcome]:
    """Yield them."""
    stage = StageName.TRUST
    review = "Compare the fingerprint with the partner by another channel, then trust it in the untrusted cache."
    renew = "The partner has to renew the certificate; trusting it does not help."
    yield Outcome(stage, "certificate_self_signed", "The server's certificate is self-signed and not trusted.", review)
    yield Outcome(
        stage,
        "certificate_unknown_issuer",
        "The server's certificate is signed by an authority that is not trusted here.",
        "Review the chain in the untrusted cache and trust its issuer or this certificate, "
        "or import the authority's root certificate into the trust store.",
    )
    yield Outcome(
        stage,
        "certificate_missing_intermediate",
        "The server sent its own certificate alone, and its issuer is not known here.",
        "Ask the partner to send the intermediate certificates too. Until then import the issuer (and its root) "
        "into the trust store, or trust exactly this certificate.",
    )
    yield Outcome(stage, "certificate_expired", "A certificate of the chain has expired.", renew)
    yield Outcome(
        stage,
        "certificate_not_yet_valid",
        "A certificate of the chain is not valid yet.",
        "Check the clock of the STENG's host; if it is right, the partner installed the certificate too early.",
    )
    yield Outcome(
        stage,
        "certificate_wrong_purpose",
        "The certificate is not meant for servers.",
        "The partner has to install a certificate with the purpose serverAuth; trusting it does not help.",
    )
    yield Outcome(
        stage,
        "certificate_not_a_ca",
        "A certificate of the chain signs others without being an authority.",
        "The partner has to mend the chain; trusting it does not help.",
    )
    yield Outcome(
        stage,
        "certificate_path_length",
        "The chain is longer than one of its authorities allows.",
        "The partner has to get a certificate from an authority that may issue it.",
    )
    yield Outcome(
        stage,
        "certificate_name_constraint",
        "One of the authorities may not issue certificates for this name.",
        "The partner has to get a certificate from an authority that may issue it.",
    )
    yield Outcome(
        stage,
        "certificate_critical_extension",
        "A certificate holds a critical extension that this STENG does not know, so it must be refused.",
        "Ask the partner for a certificate without that extension.",
    )
    yield Outcome(
        stage,
        "certificate_weak",
        "Key or signature of a certificate is too weak.",
        "The partner has to install a certificate with RSA of 2048 bits or more, or EC, signed with SHA-256 or better.",
    )
    yield Outcome(
        stage,
        "certificate_malformed",
        "A certificate of the chain cannot be read.",
        "The partner has to install a correct certificate.",
    )
    yield Outcome(
        stage,
        "certificate_rejected",
        "An admin has rejected this certificate.",
        "Ask who rejected it and why; the rejection is listed in the untrusted cache and can be lifted there.",
    )
    yield Outcome(
        stage,
        "certificate_changed",
        "The server presents another certificate than the one trusted for it.",
        "Ask the partner whether the certificate was renewed, compare the new fingerprint, then trust the new one.",
    )
    yield Outcome(
        stage,
        "chain_too_long",
        "The server sent more than 100 certificates.",
        "Check that host and port belong to the right server; the partner has to shorten the chain.",
    )
    yield Outcome(
        stage,
        "certificate_expires_soon",
        "The certificate expires within 30 days.",
        "Ask the partner when it will be renewed; a pin has to be replaced on that day.",
    )
    yield Outcome(
        stage,
        "chain_order",
        "The server sends its chain in the wrong order.",
        "It works here, but tell the partner: stricter clients refuse it.",
    )
    yield Outcome(
        StageName.HOSTNAME,
        "hostname_mismatch",
        "The certificate is not made for this host.",
        "Use a host name that the certificate holds, or ask the partner for a certificate that names this host.",
        "host",
    )
    yield Outcome(
        StageName.HOSTNAME,
        "hostname_mismatch_ignored",
        "The certificate is not made for this host; the match is switched off, so the test went on.",
        "Use a host name that the certificate holds, then switch Match server hostname on.",
        "match_server_hostname",
    )
