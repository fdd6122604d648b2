"""Hosts and endpoints as people type them, and the one form in which they are compared."""

from __future__ import annotations

import ipaddress
import re

MAX_HOST = 253
"""Longest host name in octets (RFC 1035, section 2.3.4, without the final dot)."""

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_ENDPOINT = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]+):(?P<port>[0-9]{1,5})\Z")


def canonical_host(text: str) -> str:
    """Return the A-label form in lower case, or the compressed address without brackets.

    Raises ValueError where the text is neither a host name (RFC 1123, section 2.1; underscores
    are let through because internal names have them) nor an IP address.
    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        if bare != text:
            raise ValueError("brackets hold an IPv6 address only") from None
        return _canonical_name(text)
    if bare != text and address.version == 4:
        raise ValueError("brackets hold an IPv6 address only")
    if address.version == 6 and address.scope_id:
        raise ValueError("a zone index names an interface of one machine only")
    mapped = address.ipv4_mapped if address.version == 6 else None
    # RFC 4291, section 2.5.5.2: the same machine in other digits; it must not count as another.
    return (mapped or address).compressed


def _canonical_name(text: str) -> str:
    name = text.removesuffix(".")
    try:
        name = name.encode("ascii").decode().lower() if name.isascii() else name.encode("idna").decode().lower()
    except UnicodeError:
        raise ValueError("not a host name") from None
    labels = name.split(".")
    if not 0 < len(name) <= MAX_HOST or not all(_LABEL.match(label) for label in labels):
        raise ValueError("not a host name")
    if labels[-1].isdigit() or re.fullmatch(r"0x[0-9a-f]*", labels[-1]):
        # RFC 3696, section 2: a name whose last label is a number is a mistyped IPv4 address.
        raise ValueError("not an IPv4 address")
    return name


def endpoint(host: str, port: int) -> str:
    """Return `host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_endpoint(text: str) -> tuple[str, int]:
    """Return the canonical host and the port of `host:port` or `[IPv6]:port`; raise ValueError otherwise."""
    match = _ENDPOINT.match(text.strip())
    if match is None or not 1 <= int(match["port"]) <= 65_535:
        raise ValueError("write it as host:port")
    return canonical_host(match["host"]), int(match["port"])
