"""The rules of single values of a credential."""

from __future__ import annotations

import ipaddress
import re

from django.conf import settings

from core.errors import invalid
from core.net import canonical_host

MAX_CLIENT_SECRET = 4_096
"""Longest client secret in code points; some providers hand out signed texts instead of passwords."""

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?\Z")
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?\Z")
_VISIBLE = re.compile(r"[\x21-\x7e]*\Z")


def validate_token_endpoint(text: str) -> None:
    """Accept an https address (RFC 6749, section 3.2); in a lab, whose loopback may be reached, http to loopback.

    User information would be a second, unprotected place for a secret; a fragment is never sent.
    """
    check_endpoint(text, allow_loopback=settings.POSTERN_ALLOW_LOOPBACK)


def check_endpoint(text: str, *, allow_loopback: bool) -> None:
    """Raise ValidationError where a text is no address that a client secret may be sent to."""
    if "#" in text:
        raise invalid("url_has_fragment", "Leave out the part from # on: it is never sent.")
    url = _URL.match(text)
    if url is None:
        raise invalid("url_invalid", "Enter the whole address, such as https://login.example.org/oauth2/token.")
    if "@" in url["authority"]:
        raise invalid("url_has_user_info", "Leave out user name and password: the client has fields of its own.")
    host = _host(url["authority"])
    if _VISIBLE.match(url["path"] + (url["query"] or "")) is None or "\\" in text:
        raise invalid("url_invalid", "After the host only visible ASCII characters may stand, without backslashes.")
    scheme = url["scheme"].lower()
    if scheme != "https" and not (scheme == "http" and allow_loopback and _is_loopback(host)):
        raise invalid("https_required", "The address must begin with https://: the client secret is sent to it.")


def _host(authority: str) -> str:
    parts = _AUTHORITY.match(authority)
    if parts is not None and 1 <= int(parts["port"] or 443) <= 65_535:
        try:
            return canonical_host(parts["host"])
        except ValueError:
            pass
    raise invalid("url_invalid", "The address names no host, or no port, that can be reached.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
