"""How a test can end without a verdict."""

from __future__ import annotations

from collections.abc import Iterator

from steng.codes.outcome import Outcome
from steng.wire import StageName


def outcomes() -> Iterator[Outcome]:
    """Yield them."""
    stage = StageName.QUEUE
    yield Outcome(stage, "cancelled", "The test was cancelled.", "Test again whenever you want.")
    yield Outcome(
        stage,
        "timed_out",
        "The whole test took longer than it may and was stopped.",
        "Test again; if it lasts, raise the timeout or look at the STENG.",
        "timeout_ms",
    )
    yield Outcome(
        stage,
        "lost",
        "The STENG went away after it had begun to sign in, so the result is unknown. It is not repeated by itself.",
        "Test again: one more sign-in is then made.",
    )
    yield Outcome(
        stage,
        "no_steng",
        "No STENG took the test in time.",
        "Look at Clusters: the chosen STENG is offline or disabled. Choose another, or start it.",
        "steng",
    )
    yield Outcome(
        stage,
        "steng_unsuitable",
        "The live STENGs of the cluster cannot run this test.",
        "Look at Clusters: they are disabled, draining or of an older version.",
        "steng",
    )
    yield Outcome(
        stage,
        "secret_unreadable",
        "A stored secret of this connection cannot be opened: it was damaged, moved or sealed with another key.",
        "Type the secret again and save. If many connections say this, restore the vault key.",
        "password",
    )
