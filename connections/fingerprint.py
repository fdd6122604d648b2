"""What a test was made for: one fingerprint of everything in a definition that can change its verdict.

The name, texts, tags and retries of a definition do not count. A secret counts by a keyed digest of its
text or, once stored, by the moment of its last change: the fingerprint must not let anybody guess at passwords.
"""

from __future__ import annotations

import hashlib
import json

from django.utils.crypto import salted_hmac

from connections.candidate import Candidate
from connections.models import Connection
from credentials.models import Credential

_WITHOUT_EFFECT = frozenset(
    (
        "kind",
        "credential",
        "name",
        "description",
        "status",
        "tags",
        "partner",
        "max_retries",
        "retry_interval",
        "dynamic",
        "use_html_body",
        "host",
    )
)
FROM_CREDENTIAL = ("username", "client_id", "token_endpoint", "scope", "client_auth", *Credential.SECRETS)
"""What a credential brings to a sign-in; a change of anything else in it changes no fingerprint."""


def of_row(row: Connection) -> str:
    """Return the fingerprint (64 hex digits) of a saved definition."""
    return _digest(row, {name: _stored(row, name) for name in row.SECRETS})


def of_candidate(candidate: Candidate) -> str:
    """Return the fingerprint of a definition that is tested before it is saved."""
    secrets = {
        name: _typed(candidate, name) if name in candidate.typed else _stored(candidate.row, name)
        for name in candidate.row.SECRETS
    }
    return _digest(candidate.row, secrets)


def _stored(row: Connection, name: str) -> str:
    changed = getattr(row, f"{name}_changed_at")
    return f"{row.id} {changed.isoformat()}" if getattr(row, f"{name}_sealed") and changed else ""


def _typed(candidate: Candidate, name: str) -> str:
    return salted_hmac(
        f"connections.fingerprint.{name}", candidate.typed[name].reveal(), algorithm="sha256"
    ).hexdigest()


def _of_credential(credential: Credential) -> list[str]:
    """Return which credential it is and what it brings along; of its secrets the moment of their last change."""
    names = (f"{name}_changed_at" if name in Credential.SECRETS else name for name in ("id", *FROM_CREDENTIAL))
    return [str(getattr(credential, name)) for name in names]


def _digest(row: Connection, secrets: dict[str, str]) -> str:
    values = {name: value for name, value in row.values().items() if name not in _WITHOUT_EFFECT}
    if row.credential is not None:
        values["credential"] = _of_credential(row.credential)
    text = json.dumps([values, secrets], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
