"""The brake on guessing passwords: so many failures per user and address, and per address, then a pause.

Each try is booked before the password is looked at and struck out when it was right. So tries at the same
time count too, and the count survives a restart.
"""

from __future__ import annotations

import math
from datetime import datetime

from django.conf import settings
from django.contrib.auth.forms import UsernameField
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from core.models import LogInAttempt
from core.text import comparison_key

ANYBODY = "\0anybody"
"""Stands for all users together: who tries one password with many names is braked too."""


def address_of(request: HttpRequest) -> str:
    """Return the address that a request came from; behind our own proxy, the one that the proxy saw."""
    if settings.POSTERN_BEHIND_TLS:
        # Only the last entry is the proxy's own word; whatever stands before it was sent by the client.
        return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def book(username: str, address: str, now: datetime) -> int:
    """Book a try; return 0, or the seconds to wait where there were too many (then nothing is booked)."""
    window = settings.POSTERN_LOGIN_WINDOW
    limits = {
        _digest(username, address): settings.POSTERN_LOGIN_FAILURES,
        _digest(ANYBODY, address): settings.POSTERN_LOGIN_FAILURES_PER_ADDRESS,
    }
    with transaction.atomic():
        LogInAttempt.objects.filter(moment__lte=now - window).delete()
        for digest, limit in limits.items():
            found = LogInAttempt.objects.filter(digest=digest).order_by("moment").values_list("moment", flat=True)
            moments = list(found)
            if len(moments) >= limit:
                return max(1, math.ceil((moments[-limit] + window - now).total_seconds()))
        LogInAttempt.objects.bulk_create(LogInAttempt(digest=digest, moment=now) for digest in limits)
    return 0


def forget(username: str, address: str) -> None:
    """Strike out the failures of who has logged in, and the one try that was theirs from the count of the address."""
    LogInAttempt.objects.filter(digest=_digest(username, address)).delete()
    last = LogInAttempt.objects.filter(digest=_digest(ANYBODY, address)).order_by("-moment").first()
    if last is not None:
        last.delete()


def _digest(username: str, address: str) -> str:
    # What the log-in itself makes of the name (blanks cut, NFKC): other spellings of one user are no new user.
    name = comparison_key(UsernameField().to_python(username) or "") if username != ANYBODY else ANYBODY
    # An HMAC, because people type their password into the field of the name.
    text = f"{name}\0{address}"
    return salted_hmac("postern.login", text.encode("utf-8", "surrogatepass"), algorithm="sha256").hexdigest()
