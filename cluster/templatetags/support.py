"""What the support pages show of a test that has no other form than its own."""

from __future__ import annotations

import json
from typing import Any

from django import template

register = template.Library()

_WORDS = {
    "ok": "Passed",
    "warning": "Warning",
    "failed": "Failed",
    "skipped": "Not run",
    "running": "Running",
    "pending": "Waiting",
}


@register.filter
def as_json(value: Any) -> str:
    """Return stored values as indented text."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def outcome_word(state: str) -> str:
    """Return the word for the state of a stage."""
    return _WORDS.get(state, state.capitalize())
