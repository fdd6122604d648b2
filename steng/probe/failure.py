"""How a stage fails: one exception for what the other side did, and the reading of everybody else's exceptions."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

from aiosmtplib import SMTPServerDisconnected

from steng.wire import StageName

_NAMED = 5
"""Values of a list that a sentence names before it only counts."""


class ProbeFailure(Exception):
    """A stage ended badly, with a code of the catalogue.

    `detail`, `advice` and `field` replace the catalogue's where they say more. `stage` names
    an earlier stage where the fault belongs there although it showed only now.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        evidence: Mapping[str, Any] | None = None,
        advice: str = "",
        field: str | None = None,
        stage: StageName | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.evidence = dict(evidence or {})
        self.advice = advice
        self.field = field
        self.stage = stage


_NOT_YET = {
    "authentication_type": "{asked} is not supported by this STENG yet. Nothing was tried in its place.",
    "store_type": "{asked} has no folders. Nothing was tried.",
    "folder": "POP3 has one mailbox, INBOX; {asked} cannot be opened. Nothing was tried in its place.",
    "disposition": "POP3 cannot mark a message ({asked}). Nothing was tried in its place.",
    "pull_disposition": "POP3 does not know which messages are unread ({asked}). Nothing was tried in its place.",
}


def not_supported(field: str, asked_for: Sequence[str]) -> ProbeFailure:
    """Return the failure of a value that a definition may have and this agent cannot honour; it is never ignored."""
    names = ", ".join(asked_for[:_NAMED]) + (f" and {len(asked_for) - _NAMED} more" if len(asked_for) > _NAMED else "")
    detail = _NOT_YET[field].format(asked=names)
    return ProbeFailure("not_supported_by_this_steng", detail, field=field, evidence={"asked_for": list(asked_for)})


def reading_of(error: BaseException) -> ProbeFailure | None:
    """Return what an exception of a library says about the server; None where it says nothing, and is a bug of ours."""
    if isinstance(error, ProbeFailure):
        return error
    if isinstance(error, SMTPServerDisconnected):
        return reading_of(error.__cause__) if error.__cause__ else ProbeFailure("closed")
    if isinstance(error, ssl.SSLError):
        return _reading_of_tls(error)
    if isinstance(error, TimeoutError):
        return ProbeFailure("timeout")
    if isinstance(error, OSError):
        return _reading_of_socket(error)
    return None


def _reading_of_tls(error: ssl.SSLError) -> ProbeFailure:
    # TLS 1.3 servers tell at the first read that they wanted a client certificate (RFC 8446 section 4.4.2.4).
    reason = error.reason or type(error).__name__
    evidence = {"tls_reason": reason}
    if "CERTIFICATE_REQUIRED" in reason:
        return ProbeFailure("client_certificate_required", evidence=evidence, stage=StageName.TLS)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return ProbeFailure("closed", evidence=evidence)
    return ProbeFailure("protocol_error", "TLS broke in the middle of the conversation.", evidence=evidence)


def _reading_of_socket(error: OSError) -> ProbeFailure:
    if isinstance(error, ConnectionError) and error.errno is None:
        # asyncio makes up a ConnectionResetError without a number where the peer closed in good order.
        return ProbeFailure("closed")
    if error.errno in {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED}:
        return ProbeFailure("reset")
    evidence = {"os_error": errno.errorcode.get(error.errno or 0, str(error.errno))}
    return ProbeFailure("closed", "The connection broke.", evidence=evidence)
