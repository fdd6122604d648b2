"""API tokens: made once, shown once, known by their digest afterwards."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from core import audit
from core.models import ApiToken, Scope, User

PREFIX = "pst_"
"""How every token begins, so that scanners of source code and logs can find one that leaked."""

_TOUCH_EVERY = timedelta(minutes=1)


def create_token(
    user: User, *, name: str = "", scope: str = Scope.FULL, expires: datetime | None = None
) -> tuple[ApiToken, str]:
    """Make a token of 32 random bytes and return its row and its text, which nobody can ask for again."""
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(user=user, name=name, scope=scope, expires=expires, digest=digest(text), prefix=text[:10])
    token.full_clean()
    with transaction.atomic():
        token.save()
        audit.record("token.created", token, after=audit.snapshot(token))
    return token, text


def revoke_token(token: ApiToken) -> None:
    """Remove a token: the next request with it is refused."""
    with transaction.atomic():
        subject, before = audit.thing(token), audit.snapshot(token)
        token.delete()
        audit.record("token.revoked", subject, before=before)


def find_token(text: str, now: datetime | None = None) -> ApiToken | None:
    """Return the token of a text, None where there is none, it ran out, or its user is inactive.

    A look-up by digest takes the same time for every wrong text: there is nothing to compare step by step. Its user
    knows the scope of the token, so that whoever is handed the user alone cannot forget it.
    """
    moment = now or timezone.now()
    token = ApiToken.objects.select_related("user").filter(digest=digest(text)).first()
    if token is None or not token.user.is_active or (token.expires is not None and token.expires <= moment):
        return None
    token.user.token_scope = Scope(token.scope)
    return token


def touch(token: ApiToken, now: datetime | None = None) -> None:
    """Note that a token was used, at most once a minute: a busy script must not write at each request."""
    moment = now or timezone.now()
    if token.last_used is None or moment - token.last_used >= _TOUCH_EVERY:
        # An unconditional write of one column: of two requests at once either may win.
        ApiToken.objects.filter(pk=token.pk).update(last_used=moment)
        token.last_used = moment


def digest(text: str) -> str:
    """Return the SHA-256 of a token; 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
