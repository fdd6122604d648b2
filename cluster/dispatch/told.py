"""What is stored of a report: only what a database takes and every page and script can show, and not too much.

Much of a report is the words of whoever answered the probe. The probe cleans and shortens them; this is the
second fence, for what slips through and for STENGs that are not ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from steng.codes import find
from steng.wire import Direction, ProbeReport, Stage, StageName, StageOutcome, TranscriptLine, Verdict, to_json

SUCCESS = "The connection works."

MAX_BYTES = 256_000
"""Of stages and transcript of one job together, as JSON."""

MAX_TEXT = 1_000
"""Characters of a sentence for people, where stages are too long to be kept as they are, and of a job's own."""

_MAX_WORD = 80
_MAX_DEPTH = 16
_MAX_NUMBER = 2**63
_NOTE_ROOM = 500
_ENDLESS = "too deep to be kept"


def columns(report: ProbeReport, changed: Sequence[str]) -> dict[str, Any]:
    """Return the columns of a report; what a person reads first comes from its telling stage.

    What changed since the last success is evidence at the stage that failed: it often names the fault alone.
    """
    telling = report.telling_stage
    failed = telling is not None and telling.outcome is StageOutcome.FAILED
    outcome = find(telling.name, telling.code) if telling and telling.code else None
    good = SUCCESS if report.verdict is not Verdict.FAILURE else ""
    kept = stages([_with_changes(stage, changed) for stage in report.stages])
    return {
        "verdict": report.verdict.value,
        "failed_stage": telling.name.value if telling and failed else "",
        "code": _text((telling.code or "") if telling else "", 60),
        "summary": _text((telling.detail if telling else "") or (outcome.detail if outcome else good), MAX_TEXT),
        "advice": _text((telling.advice if telling else "") or (outcome.advice if outcome else ""), MAX_TEXT),
        "field": _text((telling.field or "") if telling else "", 60),
        "duration_ms": storable(report.duration_ms),
        "source_address": _text(report.source_address or "", 80),
        "peer_address": _text(report.peer_address or "", 80),
        "stages": kept,
        "transcript": _transcript(report.transcript, MAX_BYTES - _size(kept)),
    }


def stages(told: Sequence[Stage | Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return stages as they are stored; of too much, the evidence goes and the sentences are cut."""
    kept: list[dict[str, Any]] = [storable(to_json(stage)) for stage in told]
    # Room for the note that stands where the transcript was.
    if _size(kept) <= MAX_BYTES - _NOTE_ROOM:
        return kept
    return [_lean(stage) for stage in kept[: len(StageName)]]


def storable(value: Any, depth: int = 0) -> Any:
    """Return a value of JSON without lone surrogates, NUL, numbers that JSON does not know, and endless nesting."""
    if depth > _MAX_DEPTH:
        return _ENDLESS
    if value is None or isinstance(value, bool | int | float):
        return _number(value)
    if isinstance(value, Mapping):
        return {_clean(str(key)): storable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item, depth + 1) for item in value]
    return _clean(str(value))


def _number(value: float | None) -> float | None:
    # Nothing is less than NaN or infinity. Python refuses to write whole numbers of some thousand digits.
    return value if value is not None and abs(value) < _MAX_NUMBER else None


def _with_changes(stage: Stage, changed: Sequence[str]) -> dict[str, Any]:
    told: dict[str, Any] = to_json(stage)
    if changed and stage.outcome is StageOutcome.FAILED:
        told["evidence"] = {**told["evidence"], "changed_since_success": list(changed)}
    return told


def _lean(stage: Mapping[str, Any]) -> dict[str, Any]:
    words = {name: _text(text, _MAX_WORD) for name, text in stage.items() if isinstance(text, str)}
    sentences = {name: _text(stage[name], MAX_TEXT) for name in ("detail", "advice")}
    return {**stage, **words, **sentences, "evidence": {}}


def _transcript(lines: Sequence[TranscriptLine], room: int) -> list[dict[str, Any]]:
    """Return as many lines as there is room for, and a note in place of the others."""
    kept: list[dict[str, Any]] = [storable(to_json(line)) for line in lines]
    if _size(kept) <= room:
        return kept
    room -= _NOTE_ROOM
    fitting = 0
    for line in kept:
        room -= _size(line) + 2  # with what stands between two items of a list
        if room < 0:
            break
        fitting += 1
    text = f"{len(kept) - fitting:,} more lines are not kept: the server said too much."
    note = TranscriptLine(lines[fitting].ms, Direction.NOTE, lines[fitting].stage, text)
    return [*kept[:fitting], storable(to_json(note))]


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def _text(text: str, limit: int) -> str:
    clean = _clean(text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _clean(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
