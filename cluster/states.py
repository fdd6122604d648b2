"""The states of a job, and who may pull which arrow.

A job is one piece of work for a STENG. It lives in the database only: whatever a process remembers
about it is a copy that may be old. So nobody reads a state and then writes the next one; every arrow
is one conditional UPDATE (`WHERE id AND state IN the sources`, for a running job also `AND attempt`),
and who pulls it looks at the row count. A count of 0 means that somebody else was faster: the loser
drops what it has and changes nothing.

    queued ----accept----> dispatched ----claim----> running ----report----> finished
      ^ |                   |  |  |                    | | |
      | +---nobody--> failed <-+  +--unreadable--> failed | |
      |                     |                          | | +---overrun--> timed_out
      +------return---------+                          | +------silent--> lost
      +------------------------------repeat------------+
    cancel leads from queued, dispatched and running to cancelled.

accept      The engine has room for the job and told a STENG that it waits. Pulled by the dispatcher. Of the jobs
            that sign in to one account only one at a time gets past this arrow, over all STENGs: the database
            refuses the second, which stays queued.
claim       The STENG asked for the job and has it now: attempt + 1, a lease, a deadline. Two STENGs that
            ask at once pull the same arrow; one of them gets 0 rows.
return      The STENG that was told never asked. Pulled by the reaper, by a draining STENG, and at the start
            of a dispatcher for what its predecessor had accepted.
nobody      No STENG for the job until its claim deadline: `no_steng`, or `steng_unsuitable` where the only
            live ones are switched off, draining or too old.
unreadable  The sealed request cannot be opened: `secret_unreadable`. (Where the connection's own secret cannot
            be opened there is no request to queue: such a job is born `failed`.)
report      The STENG sent its report. The verdict is in the report, never in the state: a test that found
            a wrong password has *finished*.
overrun     The deadline of the whole job has passed. STENG and console both look at the clock.
repeat      The lease ran out, and no credential had left: the job may run again.
silent      The lease ran out after the durable mark that credentials are about to leave. Nobody knows
            whether the server saw them; a second attempt could lock the account. Also the end of a
            job whose STENG went away too often.
cancel      A person changed their mind. A running probe is told and drops its connection; the report that
            may still arrive finds 0 rows.

Final states are final: no arrow leaves them, the sealed request is wiped on the way in, and the row
carries a code and a sentence. To add an arrow, add it here first; the tests try every pair of state
and event and refuse what this table does not have.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cluster.choices import JobState

LIVE = (JobState.QUEUED, JobState.DISPATCHED, JobState.RUNNING)
WITH_A_STENG = (JobState.DISPATCHED, JobState.RUNNING)
FINAL = (JobState.FINISHED, JobState.CANCELLED, JobState.TIMED_OUT, JobState.LOST, JobState.FAILED)


class Event(enum.StrEnum):
    """What can happen to a job."""

    ACCEPT = "accept"
    CLAIM = "claim"
    RETURN = "return"
    NOBODY = "nobody"
    UNREADABLE = "unreadable"
    REPORT = "report"
    OVERRUN = "overrun"
    REPEAT = "repeat"
    SILENT = "silent"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Arrow:
    """Where an event may happen, and where it leads."""

    sources: tuple[JobState, ...]
    target: JobState


ARROWS: Mapping[Event, Arrow] = MappingProxyType(
    {
        Event.ACCEPT: Arrow((JobState.QUEUED,), JobState.DISPATCHED),
        Event.CLAIM: Arrow((JobState.DISPATCHED,), JobState.RUNNING),
        Event.RETURN: Arrow((JobState.DISPATCHED,), JobState.QUEUED),
        Event.NOBODY: Arrow((JobState.QUEUED, JobState.DISPATCHED), JobState.FAILED),
        Event.UNREADABLE: Arrow((JobState.DISPATCHED,), JobState.FAILED),
        Event.REPORT: Arrow((JobState.RUNNING,), JobState.FINISHED),
        Event.OVERRUN: Arrow((JobState.RUNNING,), JobState.TIMED_OUT),
        Event.REPEAT: Arrow((JobState.RUNNING,), JobState.QUEUED),
        Event.SILENT: Arrow((JobState.RUNNING,), JobState.LOST),
        Event.CANCEL: Arrow(LIVE, JobState.CANCELLED),
    }
)
