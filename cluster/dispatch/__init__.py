"""The only writer of jobs: every arrow of `cluster.states`, as a conditional UPDATE whose row count is looked at.

Time is passed in. What a caller lost (another was faster, the attempt is an old one, the job was cancelled)
comes back as False or None, never as an exception: losing a race is ordinary.
"""

from cluster.dispatch.intake import cancel, enqueue, refuse
from cluster.dispatch.last_tests import follow, unfollow
from cluster.dispatch.reaper import abandon, reap
from cluster.dispatch.retention import forget
from cluster.dispatch.running import (
    Claim,
    Permit,
    accept,
    claim,
    finish,
    give_back,
    mark_credentials,
    overrun,
    progress,
    renew,
)

__all__ = [
    "Claim",
    "Permit",
    "abandon",
    "accept",
    "cancel",
    "claim",
    "enqueue",
    "finish",
    "follow",
    "forget",
    "give_back",
    "mark_credentials",
    "overrun",
    "progress",
    "reap",
    "refuse",
    "renew",
    "unfollow",
]
