"""The database work of an event loop, on a thread of its own.

The loop never waits for a lock or a disk: it hands over an act and awaits the answer. Acts that pile up while
the disk writes share the next commit, so that five hundred probes do not cost five hundred flushes.

Acts for a person go first. Patient ones, those of bulk tests, come a few at a time and with a rest after them: who
clicks meanwhile waits for a few at most, and the web server, which only looks now and then whether the database is
free, finds it so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

_log = logging.getLogger(__name__)

Result = TypeVar("Result")

BATCH = 64
"""Acts that share one commit at most: more would make the first of them wait for the last."""

FEW = 8
"""Patient acts that share one commit at most."""

REST = 0.5
LONGEST_REST = 0.02
"""The rest after patient acts: a share of the time that they took, and seconds."""

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
"""Seconds between two tries while the database is locked, full or away."""


@dataclass(slots=True)
class _Slip:
    act: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]
    patient: bool

    def resolve(self, result: Any = None, error: BaseException | None = None) -> None:
        def deliver() -> None:
            if self.answer.done():
                return  # nobody waits any more
            if error is not None:
                self.answer.set_exception(error)
            else:
                self.answer.set_result(result)

        with contextlib.suppress(RuntimeError):  # the loop is closed: so is whoever waited
            self.loop.call_soon_threadsafe(deliver)


class Desk:
    """Do acts in their order, patient ones after the others; an answer is given only after the commit of its act."""

    def __init__(self) -> None:
        self._urgent: deque[_Slip] = deque()
        self._patient: deque[_Slip] = deque()
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._serve, name="database", daemon=True)
        self._closing = False
        self._rested_at = 0.0
        self._passed_over = False
        self._trouble = False
        self._hurry = False

    def open(self) -> None:
        """Start the thread."""
        self._thread.start()

    def hurry(self) -> None:
        """Give up an act at the first trouble from now on, because the process is about to end."""
        self._hurry = True

    async def close(self) -> None:
        """End the thread once everything handed over is done."""
        with self._news:
            self._closing = True
            self._news.notify()
        await asyncio.to_thread(self._thread.join)

    async def call(self, act: Callable[[], Result], *, patient: bool = False) -> Result:
        """Return the result of an act; while the database is locked, full or away, try again and again.

        A patient act lets others go first. Raises whatever else the act raises.
        """
        pause = FIRST_PAUSE
        while True:
            loop = asyncio.get_running_loop()
            slip = _Slip(act, loop, loop.create_future(), patient)
            with self._news:
                (self._patient if patient else self._urgent).append(slip)
                self._news.notify()
            try:
                result: Result = await slip.answer
            except (OperationalError, InterfaceError) as error:
                if self._hurry:
                    raise
                if not self._trouble:
                    self._trouble = True
                    _log.warning("the database does not answer, trying on: %s", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                if self._trouble:
                    self._trouble = False
                    _log.info("the database answers again")
                return result

    def _serve(self) -> None:
        while slips := self._next_batch():
            batch = [slip for slip in slips if not slip.answer.cancelled()]
            if batch:
                begun = time.monotonic()
                self._do(batch)
                if any(slip.patient for slip in batch):
                    rest = min(LONGEST_REST, REST * (time.monotonic() - begun))
                    self._rested_at = time.monotonic() + rest
        connection.close()

    def _next_batch(self) -> list[_Slip]:
        """Wait for acts and return those of the next commit; none where everything is done and nothing will come."""
        with self._news:
            while True:
                rest = 0.0 if self._closing else self._rested_at - time.monotonic()
                # Where others come without end, every other batch takes patient ones along.
                turn = bool(self._patient) and rest <= 0 and (not self._urgent or self._passed_over)
                if self._urgent or turn:
                    self._passed_over = bool(self._patient) and not turn
                    return [*_taken(self._urgent, BATCH), *_taken(self._patient, FEW if turn else 0)]
                if self._closing and not self._patient:
                    return []
                self._news.wait(rest if self._patient else None)

    def _do(self, batch: list[_Slip]) -> None:
        """Do the batch in one transaction, each act in its own savepoint."""
        answers: list[tuple[_Slip, Any, BaseException | None]] = []
        try:
            with transaction.atomic():
                answers = [self._try(slip) for slip in batch]
        except (DatabaseError, InterfaceError) as error:
            # Nothing of the batch was kept. Whoever waits hears it, and tries again.
            connection.close()
            answers = [(slip, None, error) for slip in batch]
        for slip, result, failure in answers:
            slip.resolve(result, failure)

    def _try(self, slip: _Slip) -> tuple[_Slip, Any, BaseException | None]:
        try:
            with transaction.atomic():
                return slip, slip.act(), None
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001  it belongs to whoever handed the act over; the others go on
            return slip, None, error


def _taken(slips: deque[_Slip], limit: int) -> list[_Slip]:
    return [slips.popleft() for _ in range(min(limit, len(slips)))]
