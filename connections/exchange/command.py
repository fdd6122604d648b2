"""`manage.py connection apply` and `connection export`: definitions in files, from a shell or a pipeline."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import OutputWrapper

from connections.exchange import document, exporting, plan, secret_sources
from connections.exchange.document import Format
from connections.exchange.foreign.systems import OURS, SYSTEMS
from connections.exchange.plan import Action, Entry, Plan
from connections.selectors import FILTERS
from core.errors import invalid
from steng.text import visible

EXIT_REFUSED = 2
_STANDARD = "-"
_DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "changed",
    Action.UNCHANGED: "unchanged",
    Action.REFUSED: "refused",
}


def add_apply(parser: ArgumentParser) -> None:
    """Declare what `connection apply` takes."""
    parser.add_argument("file", help="YAML, JSON or CSV; - is standard input")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("--partial", action="store_true", help="apply what is sound although other rows are refused")
    parser.add_argument(
        "--from",
        dest="system",
        metavar="SYSTEM",
        help=f"whose words the file uses, where it does not say so itself: {', '.join([OURS, *SYSTEMS])}",
    )
    parser.add_argument("--format", choices=[each.value for each in Format], help="default: by the end of the name")
    parser.add_argument("--json", action="store_true", help="print the plan as one JSON object")


def add_export(parser: ArgumentParser) -> None:
    """Declare what `connection export` takes."""
    parser.add_argument("--format", choices=[each.value for each in Format], default=Format.YAML.value)
    for name in FILTERS:
        parser.add_argument(f"--{name}", default="")


def apply(options: dict[str, Any], out: OutputWrapper, errors: OutputWrapper) -> int:
    """Apply a file and return the exit status: 0, or 2 where a row is refused; raises what cannot be read."""
    name = options["file"]
    format_ = Format(options["format"]) if options["format"] else document.format_of_name(name)
    read = document.read(_content(name), format_)
    folder = Path() if name == _STANDARD else Path(name).parent
    made = plan.make(read, secret_sources.pointed_to(os.environ, folder), user=None, system=options["system"])
    if not options["dry_run"]:
        plan.apply(made, user=None, partial=options["partial"])
    if options["json"]:
        out.write(json.dumps(made.to_json(), ensure_ascii=False))
    else:
        for line in _said(made, dry_run=options["dry_run"]):
            out.write(line)
        for line in _faults(made):
            errors.write(line)
    return EXIT_REFUSED if made.refused else 0


def export(options: dict[str, Any], out: OutputWrapper) -> int:
    """Write the connections that match the options."""
    filters = {name: options[name] for name in FILTERS}
    for piece in exporting.export(Format(options["format"]), filters):
        out.write(piece, ending="")
    return 0


def _content(name: str) -> bytes:
    """Return the content of a file, at most a byte more than is read; raise ValidationError."""
    try:
        if name == _STANDARD:
            return sys.stdin.buffer.read(document.MAX_BYTES + 1)
        with Path(name).open("rb") as file:
            return file.read(document.MAX_BYTES + 1)
    except OSError as error:
        raise ValidationError({"file": [invalid("not_found", f"{name}: {error.strerror}.")]}) from None


def _said(made: Plan, *, dry_run: bool) -> Iterator[str]:
    if made.recognised and made.system is not None:
        yield f"Recognised by its labels: {made.system.title}."
    words = _DONE if made.applied else {action: action.value for action in Action}
    for entry in made.entries:
        yield f"{words[entry.action]:<10} {entry.kind or '?':<8} {_called(entry)}" + (
            f": {', '.join(entry.changed)}" if entry.changed else ""
        )
        for note in entry.notes:
            yield f"    {visible(note.label)}: {note.fate.value}: {note.detail}"
        for advisory in entry.advisories:
            yield f"    {advisory.field}: {advisory.code}: {advisory.detail}"
    counts = ", ".join(f"{count} {words[Action(action)]}" for action, count in made.counts.items())
    if made.applied:
        yield f"{counts}."
    else:
        why = "a dry run" if dry_run else "a row is refused"
        yield f"{counts}: nothing was written ({why})."


def _faults(made: Plan) -> Iterator[str]:
    """Yield one line a fault, as every sub-command writes them, with the row behind."""
    for entry in made.entries:
        for error in entry.errors:
            field = visible(error["pointer"].lstrip("/")) or "row"
            yield f"{field}: {error['code']}: {visible(error['detail'])} ({_called(entry)})"
    listed = sum(len(entry.errors) for entry in made.entries)
    if made.error_count > listed:
        yield f"{made.error_count:,} errors in all, of which {listed:,} are listed."


def _called(entry: Entry) -> str:
    where = f"line {entry.line}" if entry.line is not None else f"number {entry.place + 1}"
    name = visible(entry.name)
    # What is sound has a name that says enough; what is refused may have none, or one that others have too.
    return f"{name or 'without a name'}, {where}" if entry.action is Action.REFUSED else name
