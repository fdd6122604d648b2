"""Where a probe may connect to: a pure rule over one address.

The console lets people type any host, so without this rule it could be used to reach what
only this machine can reach: its own loopback services and the cloud's metadata service.
"""

from __future__ import annotations

import ipaddress

from steng.wire import Egress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)
"""Metadata services of cloud providers that stand outside the link-local ranges."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052 section 2.1: the last 32 bits are the IPv4 address that is reached."""

_REFUSED_WHOLE = {
    "metadata": (ipaddress.IPv6Network("fd00:ec2::/32"),),
    "translated": (ipaddress.IPv6Network("64:ff9b:1::/48"), ipaddress.IPv6Network("::ffff:0:0:0/96")),
}
"""A cloud's own services, whichever of their addresses answers; local NAT64 (RFC 8215) and SIIT (RFC 2765), where
each network decides for itself which IPv4 address is meant."""

_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""RFC 5214 section 6.1: the upper half of an interface identifier whose lower half is an IPv4 address."""

_COMPATIBLE = ipaddress.IPv6Network("::/96")
_THIS_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")


def refusal(address: Address, egress: Egress) -> str | None:
    """Return why `address` may not be connected to, None if it may; wrapped IPv4 addresses are unwrapped first."""
    for whole, networks in _REFUSED_WHOLE.items():
        if any(address in network for network in networks):
            return whole
    for face in _faces(address):
        reason = _refusal_of_face(face, egress)
        if reason:
            return reason
    return None


def _faces(address: Address) -> list[Address]:
    # An address in another's clothes reaches the same machine, so each of its faces has to pass.
    faces: list[Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        faces += [face for face in (address.ipv4_mapped, address.sixtofour) if face is not None]
        faces += address.teredo or ()
        number = int(address)
        isatap = number >> 32 & 0xFFFFFFFF in _ISATAP
        if isatap or address in _NAT64 or (address in _COMPATIBLE and number > 1):
            faces.append(ipaddress.IPv4Address(number & 0xFFFFFFFF))
    return faces


def _refusal_of_face(address: Address, egress: Egress) -> str | None:
    if address.is_loopback:
        return None if egress.allow_loopback else "loopback"
    if address in _METADATA:
        return "metadata"
    if address.is_link_local:
        return "link-local"
    if address.is_multicast or address == _BROADCAST:
        return "multicast"
    if address.is_unspecified or (isinstance(address, ipaddress.IPv4Address) and address in _THIS_NETWORK):
        return "unspecified"
    return None
