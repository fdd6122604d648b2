"""The last fence before a stage is told: whatever a stage collected, what leaves is small and can be shown.

Each stage cuts what it shows where it knows what it is. This is for the case that one forgot.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import islice
from typing import Any

from steng.text import brief
from steng.wire import Stage

MAX_TEXT = 1_000
MAX_ITEMS = 50
"""Characters of one text, entries of one list or mapping."""

LONG = {"folders": 1_000}
"""Lists that a person chooses from; who collects them keeps their sum small."""


def fenced(stage: Stage) -> Stage:
    """Return `stage` with every text cleaned and cut, and every list cut."""
    return dataclasses.replace(
        stage,
        detail=brief(stage.detail, MAX_TEXT),
        advice=brief(stage.advice, MAX_TEXT),
        evidence=_fenced({name: value for name, value in stage.evidence.items() if name not in LONG})
        | {name: _fenced(stage.evidence[name], most) for name, most in LONG.items() if name in stage.evidence},
    )


def _fenced(value: Any, most: int = MAX_ITEMS) -> Any:
    if isinstance(value, str):
        return brief(value, MAX_TEXT)
    if isinstance(value, Mapping):
        return {brief(str(key), MAX_TEXT): _fenced(item) for key, item in islice(value.items(), MAX_ITEMS)}
    if isinstance(value, list | tuple):
        return [_fenced(item) for item in value[:most]]
    return value
