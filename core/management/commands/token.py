"""`manage.py token`: make, list and revoke the API tokens of a user."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from core.commands import AuditedCommand
from core.models import ApiToken, Scope, User
from core.tokens import create_token, revoke_token

_DAYS = re.compile(r"([0-9]{1,4})d\Z")


class Command(AuditedCommand):
    """Make and revoke API tokens."""

    acts = dict.fromkeys(("create", "list", "revoke"), "users.manage")
    help = "Make an API token (printed once, alone on the last line), list the tokens of a user, or revoke one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the acts."""
        acts = parser.add_subparsers(dest="act", required=True)
        create = acts.add_parser("create", help="make a token and print it")
        create.add_argument("user")
        create.add_argument("--name", default="", help="what it is for")
        create.add_argument("--scope", choices=Scope.values, default=Scope.FULL.value)
        create.add_argument(
            "--expires", help="a day (2027-01-31, UTC, included) or a time from now (90d); default: never"
        )
        acts.add_parser("list", help="list the tokens of a user").add_argument("user")
        acts.add_parser("revoke", help="remove a token").add_argument(
            "prefix", help="how the token begins, as `list` shows it"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Do one act."""
        {"create": self._create, "list": self._list, "revoke": self._revoke}[options["act"]](options)

    def _create(self, options: dict[str, Any]) -> None:
        user = _user(options["user"])
        if not user.is_active:
            raise CommandError(f"The user {user.username} is not active.", returncode=2)
        expires = _moment(options["expires"], timezone.now()) if options["expires"] else None
        token, text = create_token(user, name=options["name"], scope=options["scope"], expires=expires)
        until = f"until {expires:%Y-%m-%d %H:%M} UTC" if expires else "without end"
        self.stdout.write(f"Token of {user.username}, scope {token.scope}, {until}. It is shown this once:")
        self.stdout.write(text)

    def _list(self, options: dict[str, Any]) -> None:
        for token in _user(options["user"]).api_tokens.all():
            expires = f"{token.expires:%Y-%m-%d}" if token.expires else "never"
            used = f"{token.last_used:%Y-%m-%d}" if token.last_used else "never"
            self.stdout.write(f"{token.prefix:<12} {token.scope:<5} expires {expires:<10} used {used:<10} {token.name}")

    def _revoke(self, options: dict[str, Any]) -> None:
        found = ApiToken.objects.filter(prefix=options["prefix"][:10])
        if len(found) != 1:
            raise CommandError(f"{len(found)} tokens begin like this; one is needed.", returncode=2)
        revoke_token(found[0])
        self.stdout.write("Revoked.")


def _user(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"There is no user {username}.", returncode=2)
    return user


def _moment(text: str, now: datetime) -> datetime:
    """Return when a token ends: the end of a day, or so many days from now; it must lie ahead."""
    match = _DAYS.match(text)
    try:
        moment = (
            now + timedelta(days=int(match[1]))
            if match
            else datetime.combine(datetime.strptime(text, "%Y-%m-%d").date() + timedelta(days=1), time(), tzinfo=UTC)  # noqa: DTZ007
        )
    except (ValueError, OverflowError):
        raise CommandError(
            f"--expires is {text!r}: a day (2027-01-31) or a number of days (90d) is needed.", returncode=2
        ) from None
    if moment <= now:
        raise CommandError(f"--expires is {text!r}: that is not ahead of us.", returncode=2)
    return moment
