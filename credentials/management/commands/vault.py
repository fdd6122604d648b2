"""`manage.py vault`: check the keys, rotate them, take off old ones."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from core.commands import AuditedCommand
from core.permissions import HOST
from credentials import services
from credentials.key_ring import VaultUnavailable


class Command(AuditedCommand):
    """Look after the keys of the vault."""

    acts = dict.fromkeys(("check", "rotate", "prune"), HOST)
    help = "Check the keys of the vault, rotate them (new key, all sealed anew), or remove old keys that nothing needs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the acts."""
        parser.add_argument("act", choices=("check", "rotate", "prune"))

    def handle(self, *_: Any, act: str, **__: Any) -> None:
        """Do one act and say what came of it."""
        try:
            sentence = {"check": _check, "rotate": _rotate, "prune": _prune}[act]()
        except (services.VaultMismatch, VaultUnavailable) as error:
            raise CommandError(str(error), returncode=2) from None
        self.stdout.write(sentence)


def _check() -> str:
    services.prepare_vault()
    return "The key belongs to this database."


def _rotate() -> str:
    result = services.rotate()
    sentence = f"New key in use; {result.done} secrets sealed anew."
    if result.unreadable:
        sentence += f" {result.unreadable} secrets cannot be opened with any key and were left as they are."
    return sentence + " Back up the key file."


def _prune() -> str:
    return f"{services.prune()} old keys removed."
