"""What an engine is: the way jobs travel from the table of jobs to the STENGs.

An engine runs in the dispatcher's process. It never owns a job: it reads the table, pulls the arrows
of `cluster.dispatch`, and may be killed between any two of them. The web server knows no engine; it
writes the table and rings the bell of `cluster.wake`.
"""

from __future__ import annotations

from typing import Protocol


class Engine(Protocol):
    """One way of carrying jobs; `local` is the embedded one."""

    async def run(self) -> None:
        """Carry jobs until `stop` is called, then end in good order: nothing stays claimed by this process."""

    def stop(self) -> None:
        """Ask `run` to end: no new work, a few seconds for what runs. A second call takes those seconds back."""
