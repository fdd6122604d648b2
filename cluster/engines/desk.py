"""The database work of an event loop, on a thread of its own.

The loop never waits for a lock or a disk: it hands over an act and awaits the answer. Acts that pile up while
the disk writes share the next commit, so that five hundred probes do not cost five hundred flushes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

_log = logging.getLogger(__name__)

Result = TypeVar("Result")

BATCH = 64
"""Acts that share one commit at most: more would make the first of them wait for the last."""

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
"""Seconds between two tries while the database is locked, full or away."""


@dataclass(slots=True)
class _Slip:
    act: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]

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
    """Do acts in their order; an answer is given only after the commit that holds its act."""

    def __init__(self) -> None:
        self._slips: queue.SimpleQueue[_Slip | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="database", daemon=True)
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
        self._slips.put(None)
        await asyncio.to_thread(self._thread.join)

    async def call(self, act: Callable[[], Result]) -> Result:
        """Return the result of an act; while the database is locked, full or away, try again and again.

        Raises whatever else the act raises.
        """
        pause = FIRST_PAUSE
        while True:
            loop = asyncio.get_running_loop()
            slip = _Slip(act, loop, loop.create_future())
            self._slips.put(slip)
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
        last = False
        while not last:
            slips = self._next_batch()
            last = None in slips
            batch = [slip for slip in slips if slip is not None and not slip.answer.cancelled()]
            if batch:
                self._do(batch)
        connection.close()

    def _next_batch(self) -> list[_Slip | None]:
        slips = [self._slips.get()]
        with contextlib.suppress(queue.Empty):
            while len(slips) < BATCH and slips[-1] is not None:
                slips.append(self._slips.get_nowait())
        return slips

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
