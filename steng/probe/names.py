"""Does a certificate name a host? RFC 6125 as OpenSSL applies it in the handshake, as a pure function."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID

from steng.probe.egress import Address
from steng.probe.resolve import literal_of


def names_host(certificate: x509.Certificate, host: str) -> bool:
    """Tell whether `certificate` is made for `host`, an A-label name or an IP literal.

    A name is sought among the dNSName entries, in the common name only where there is no
    dNSName at all; an address among the iPAddress entries only. Raises what reading the
    extensions of a malformed certificate raises.
    """
    address = literal_of(host)
    if address is not None:
        return address in addresses_of(certificate)
    return any(matches(pattern, host) for pattern in names_of(certificate) or common_names_of(certificate))


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the dNSName entries."""
    entries = _alternatives(certificate)
    return entries.get_values_for_type(x509.DNSName) if entries else []


def addresses_of(certificate: x509.Certificate) -> list[Address]:
    """Return the iPAddress entries that are single addresses."""
    entries = _alternatives(certificate)
    found = entries.get_values_for_type(x509.IPAddress) if entries else []
    # A network is a value too, which only name constraints may hold.
    return [address for address in found if isinstance(address, Address)]


def common_names_of(certificate: x509.Certificate) -> list[str]:
    """Return the common names of the subject."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return [attribute.value for attribute in found if isinstance(attribute.value, str)]


def matches(pattern: str, host: str) -> bool:
    """Tell whether a name of a certificate covers `host`; a star stands for exactly one whole first label."""
    pattern, host = pattern.lower(), host.lower()
    if pattern == host:
        return True
    star, _, parent = pattern.partition(".")
    # A star right under a top-level domain would cover half of the internet.
    return star == "*" and "." in parent and host.partition(".")[2] == parent and not host.startswith(".")


def _alternatives(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
