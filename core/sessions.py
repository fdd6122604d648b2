"""What is recorded of log-ins: who came, who was refused, who left."""

from __future__ import annotations

from dataclasses import replace

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from core import audit
from core.models import User

UNKNOWN = "no such user"
"""Stands for a name that nobody has: people type their password into the field of the name."""


def note_log_in(user: AbstractBaseUser) -> None:
    """Record a log-in, as the act of who has just proved who they are."""
    person = replace(audit.current(), user_id=user.pk, name=user.get_username())
    with audit.acting(person):
        audit.record("session.logged_in", _session_of(user))


def note_failure(username: str) -> None:
    """Record a refused log-in; the name is kept only where a user has it."""
    user = User.objects.filter(username=username).first() if username else None
    with transaction.atomic():
        audit.record("session.failed", _session_of(user) if user else audit.Thing("user", "", UNKNOWN))


def note_log_out(user: AbstractBaseUser) -> None:
    """Record that somebody ended their session."""
    audit.record("session.logged_out", _session_of(user))


def _session_of(user: AbstractBaseUser) -> audit.Thing:
    return audit.Thing("user", str(user.pk), user.get_username())
