"""Versions of a thing: `ETag` at every read, `If-Match` at a write (RFC 9110, sections 8.8.3 and 13.1.1)."""

from __future__ import annotations

import re

from rest_framework.request import Request

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')


def etag(version: int | str) -> str:
    """Return the strong entity tag of a version."""
    return f'"{version}"'


def _wanted_versions(request: Request) -> frozenset[str] | None:
    """Return the versions named by `If-Match`, None where any will do (no header, or `*`).

    A weak tag matches nothing (strong comparison), and so does a header that cannot be read: who asked for
    a condition must not get an unconditional write.
    """
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    return frozenset(match[2] for match in _TAG.finditer(header) if not match[1])


def expected_version(request: Request) -> int | None:
    """Return the one version number that `If-Match` names, None where any will do; -1 where it names none of ours."""
    wanted = _wanted_versions(request)
    if wanted is None:
        return None
    numbers = [int(version) for version in wanted if version.isascii() and version.isdigit() and len(version) < 18]
    return max(numbers, default=-1)
