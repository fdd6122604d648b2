"""Whom a shared credential may be led to, and by whom.

Who edits connections may use a credential without knowing its secret. So it must not be in his hands where the secret
goes: that is said by its destinations, and a credential that has none is pointed at servers only by who manages
credentials. No edit by others takes away what protects it on the way.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError

from connections import rules
from connections.candidate import Candidate
from core.errors import invalid
from core.models import User
from core.permissions import may
from credentials.models import Credential


def require_entrusted(candidate: Candidate, user: User | None) -> None:
    """Raise ValidationError where the user may not use the credential of a candidate as it is used there.

    Codes: `not_found` for one that he may not see, `secret_not_for_destination`. None is who has the console's host,
    and with it every secret already.
    """
    credential = candidate.row.credential
    if credential is None or user is None or may(user, "credentials.manage"):
        return
    before = candidate.before
    kept = before is not None and before.credential_id == credential.pk
    if not kept and not may(user, "credentials.view"):
        raise _refused("not_found", f"There is no “{credential.name}” here.")
    sentence = _why_not(candidate, credential, kept=kept)
    if sentence:
        raise _refused("secret_not_for_destination", sentence)


def _why_not(candidate: Candidate, credential: Credential, *, kept: bool) -> str:
    changes: list[str] = []
    if kept and candidate.before is not None:
        changes = rules.redirected("password", candidate.before.values(), candidate.row.values())
    moved = {"host_canonical", "port"} & set(changes)
    if not credential.destinations and (moved or not kept):
        return (
            f"“{credential.name}” has no destinations, so only who manages credentials may say for which server it is "
            "used. Ask them to enter this server there."
        )
    loosened = sorted(set(changes) - {"host_canonical", "port", "username"})
    if loosened:
        return (
            f"The change of {', '.join(loosened)} protects “{credential.name}” less on its way: only who manages "
            "credentials may make it."
        )
    return ""


def _refused(code: str, sentence: str) -> ValidationError:
    return ValidationError({"credential": [invalid(code, sentence)]})
