"""The STENG at the command line, without a console: `python -m steng probe request.json`.

Reads a request (`-` for standard input), prints the report as JSON on standard output and ends
with 0 for success or warning, 1 for failure, 2 for a request that cannot be read, 3 where it was
interrupted. The form of both is in `steng.wire`; the request holds a password, so keep it 0600.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from steng.probe import probe
from steng.wire import ProbeReport, ProbeRequest, StageOutcome, Verdict, WireError, from_json, to_json

SUCCESS, FAILURE, UNREADABLE, NO_VERDICT = 0, 1, 2, 3

MAX_REQUEST = 16 * 1024 * 1024
"""Bytes of a request: it carries the trust store, which may hold some hundred certificates."""

_MARKS = {
    StageOutcome.OK: "ok",
    StageOutcome.WARNING: "warning",
    StageOutcome.FAILED: "FAILED",
    StageOutcome.SKIPPED: "skipped",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        request = read_request(options.request)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{options.request}: {_sentence(error)}\n")
        return UNREADABLE
    try:
        report = asyncio.run(probe(request))
    except KeyboardInterrupt:
        return NO_VERDICT
    sys.stdout.write(pretty(report) if options.pretty else json.dumps(to_json(report), indent=2) + "\n")
    return FAILURE if report.verdict is Verdict.FAILURE else SUCCESS


def read_request(name: str) -> ProbeRequest:
    """Return the request in a file, `-` for standard input; raises OSError, ValueError, WireError."""
    with contextlib.nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as source:
        text = source.read(MAX_REQUEST + 1)
    if len(text) > MAX_REQUEST:
        raise ValueError(f"more than {MAX_REQUEST} bytes")
    request = from_json(ProbeRequest, json.loads(text))
    if not 1 <= request.port <= 65_535:
        raise WireError("$.port: not 1 to 65535")
    if request.timeout_ms < 1:
        raise WireError("$.timeout_ms: not positive")
    return request


def pretty(report: ProbeReport) -> str:
    """Return a report as lines for a person."""
    lines = [f"{report.verdict.value}  {report.duration_ms:.0f} ms  {report.peer_address or ''}".rstrip()]
    for stage in report.stages:
        duration = "" if stage.duration_ms is None else f"{stage.duration_ms:.1f} ms"
        lines.append(f"  {stage.name.value:<12} {_MARKS[stage.outcome]:<8} {duration:>12}  {stage.code or ''}".rstrip())
        lines += [f"{'':15}{text}" for text in (stage.detail, stage.advice) if text]
    return "\n".join(lines) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m steng", description="Test a mail server from this machine.")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("probe", help="run one request and print its report")
    command.add_argument("request", help="a file with the request as JSON, - for standard input")
    command.add_argument("--pretty", action="store_true", help="stages for people instead of JSON")
    return parser


def _sentence(error: Exception) -> str:
    # The text of a decoding error shows what it stumbled over, which may be a password.
    if isinstance(error, WireError):
        return str(error)
    if isinstance(error, OSError):
        return error.strerror or "cannot be read"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON, line {error.lineno}, column {error.colno}"
    return "not a request in UTF-8" if isinstance(error, UnicodeError) else str(error)


if __name__ == "__main__":
    sys.exit(main())
