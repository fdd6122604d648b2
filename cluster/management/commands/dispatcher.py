"""`manage.py dispatcher`: carry jobs to the console's own STENG."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone

from cluster import services
from cluster.engines.base import Engine
from cluster.engines.local import LocalEngine
from cluster.locks import Busy, exclusive
from core import audit
from core.permissions import HOST
from steng.probe import probe


class Command(BaseCommand):
    """Run the dispatcher until SIGTERM; `manage.py up` starts it beside the web server."""

    acts = {"": HOST}
    help = "Carry jobs to the console's own STENG until it is asked to end (SIGTERM: in good order, twice: at once)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the descriptor by which a supervisor says that it lives."""
        parser.add_argument(
            "--lifeline", type=int, help="end when this descriptor reads as closed: whoever started us is gone"
        )

    def handle(self, *_: Any, lifeline: int | None = None, **__: Any) -> None:
        """Run the engine; end with status 2 where another dispatcher works on the same data."""
        lock = Path(settings.POSTERN_DATA) / "run" / "dispatcher.lock"
        try:
            # Everywhere: the engine works on the database in a thread of its own.
            with exclusive(lock), audit.acting_everywhere(audit.Actor(None, "dispatcher", audit.Door.SYSTEM)):
                steng = services.ensure_local(timezone.now())
                connections.close_all()  # the engine's own thread opens what it needs
                asyncio.run(_run(LocalEngine(steng, probe, timezone.now), lifeline))
        except Busy as busy:
            sentence = f"A dispatcher works on {settings.POSTERN_DATA} already ({busy})."
            raise CommandError(sentence, returncode=2) from None


async def _run(engine: Engine, lifeline: int | None) -> None:
    with _told_by(engine, lifeline):
        await engine.run()


@contextlib.contextmanager
def _told_by(engine: Engine, lifeline: int | None) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, engine.stop)

    def reads() -> None:
        if not os.read(lifeline or 0, 1):
            loop.remove_reader(lifeline or 0)
            engine.stop()

    if lifeline is not None:
        loop.add_reader(lifeline, reads)
    try:
        yield
    finally:
        if lifeline is not None:
            loop.remove_reader(lifeline)
