"""What can happen when the STENG looks at the folder that jobs would poll."""

from __future__ import annotations

from collections.abc import Iterator

from steng.codes.outcome import Outcome
from steng.wire import StageName


def outcomes() -> Iterator[Outcome]:
    """Yield them."""
    stage = StageName.FOLDER
    yield Outcome(
        stage,
        "folder_not_found",
        "The server has no folder of this name that can be opened.",
        "Choose one of the server's folders. Case counts, and the server has its own separator between parts.",
        "folder",
    )
    yield Outcome(
        stage,
        "folder_not_permitted",
        "The account may not open this folder.",
        "Ask the owner of the folder to give the account the right to read it, or choose another folder.",
        "folder",
    )
    yield Outcome(
        stage,
        "folder_unavailable",
        "The server cannot open the folder now.",
        "Try again later. If it lasts, show the time of the test to the server's operator: its log says why.",
    )
    yield Outcome(
        stage,
        "mailbox_in_use",
        "Another session holds the folder.",
        "Wait until it ends, then test again. If it lasts, find the program that keeps this mailbox open.",
    )
    yield Outcome(
        stage,
        "folder_rights_missing",
        "The account lacks a right that the disposition needs.",
        "Ask the owner of the folder for the missing rights, or choose the disposition KEEP.",
        "disposition",
    )
    yield Outcome(
        stage,
        "timeout",
        "The server did not tell in time what is in the folder.",
        "Very large folders take their time: raise the timeout, or have jobs poll a smaller folder.",
        "timeout_ms",
    )
