"""The columns in which the facts of a certificate are stored, cut to what a person reads."""

from __future__ import annotations

from steng import x509
from untrusted_cache.models import digest

MAX_TEXT = 1024
"""Characters of a distinguished name that are kept; its digest is made of the whole."""

MAX_NAMES = 100
"""Names of a certificate that are kept; real ones have up to a hundred."""

MAX_NAME = 300


def columns(facts: x509.CertificateFacts) -> dict[str, object]:
    """Return the values of the columns of `CertificateFacts` for a certificate."""
    return {
        "fingerprint": facts.fingerprint,
        "der": facts.der,
        "title": _cut(x509.title(facts), 300),
        "subject": _cut(facts.subject, MAX_TEXT),
        "issuer": _cut(facts.issuer, MAX_TEXT),
        "subject_digest": digest(facts.subject),
        "issuer_digest": digest(facts.issuer),
        "serial": _cut(facts.serial, 100),
        "names": [_cut(name, MAX_NAME) for name in facts.names[:MAX_NAMES]],
        "names_count": len(facts.names),
        "not_before": facts.not_before,
        "not_after": facts.not_after,
        "key": _cut(facts.key, 100),
        "signature": _cut(facts.signature, 100),
        "is_ca": facts.is_ca,
        "self_signed": facts.self_signed,
    }


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
