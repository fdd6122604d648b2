"""The brake on guessing passwords: so many failures per user and address, then a pause.

Each try is booked before the password is looked at and struck out when it was right. So tries at the same
time count too, and the count survives a restart.
"""

from __future__ import annotations

import math
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from core.models import LogInAttempt
from core.text import comparison_key


def book(username: str, address: str, now: datetime) -> int:
    """Book a try; return 0, or the seconds to wait where there were too many (then nothing is booked)."""
    window = settings.POSTERN_LOGIN_WINDOW
    digest = _digest(username, address)
    with transaction.atomic():
        LogInAttempt.objects.filter(moment__lte=now - window).delete()
        moments = list(LogInAttempt.objects.filter(digest=digest).order_by("moment").values_list("moment", flat=True))
        if len(moments) >= settings.POSTERN_LOGIN_FAILURES:
            return max(1, math.ceil((moments[-settings.POSTERN_LOGIN_FAILURES] + window - now).total_seconds()))
        LogInAttempt.objects.create(digest=digest, moment=now)
    return 0


def forget(username: str, address: str) -> None:
    """Strike out the failures of who has logged in."""
    LogInAttempt.objects.filter(digest=_digest(username, address)).delete()


def _digest(username: str, address: str) -> str:
    # An HMAC, because people type their password into the field of the name.
    text = f"{comparison_key(username)}\0{address}"
    return salted_hmac("postern.login", text.encode("utf-8", "surrogatepass"), algorithm="sha256").hexdigest()
