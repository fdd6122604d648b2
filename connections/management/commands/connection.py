"""`manage.py connection`: list, show, set, apply, export and test connections from a shell or a script."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder

from cluster.models import Job
from cluster.representation import job_to_json
from cluster.waiting import wait_until_final
from connections import services, testing
from connections.exchange import command
from connections.exchange.incoming import value_from_text
from connections.kinds import KINDS
from connections.models import Connection
from connections.selectors import connection_list, find, is_stale
from connections.serializers import to_json
from core.arguments import read_fields, read_secret
from core.commands import AuditedCommand, IntermixedParser
from core.errors import Refused
from core.problems import field_errors

EXIT_FAILURE, EXIT_USAGE, EXIT_NO_VERDICT = 1, 2, 3
_SETTLED_AFTER = 60 + 30 + 15
"""Seconds beyond the timeout of a connection: waiting for a STENG, the grace of the run, and the reaper's turn."""


class Command(AuditedCommand):
    """Work with connections on the command line; codes and rules are those of the API."""

    acts = {
        "list": "connections.view",
        "show": "connections.view",
        "set": "connections.edit",
        "apply": "connections.edit",
        "export": "connections.view",
        "test": "connections.test",
    }
    help = (
        "List, show, set, apply, export and test connections. Exit status: 0 success or warning, 1 the test failed, "
        "2 a mistake in what was asked, 3 a test without a verdict."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the sub-commands."""
        commands = parser.add_subparsers(dest="act", required=True, parser_class=IntermixedParser)
        listing = commands.add_parser("list", help="list connections")
        for name in ("q", "kind", "status", "security", "verdict", "tag", "partner", "stale", "ordering"):
            listing.add_argument(f"--{name}", default="")
        listing.add_argument("--json", action="store_true", help="print JSON, one connection a line")
        show = commands.add_parser("show", help="show one connection as JSON, without secrets")
        show.add_argument("name", help="name or id")
        change = commands.add_parser("set", help="create or change a connection")
        change.add_argument("name", help="name or id; a new name creates a connection")
        change.add_argument("--kind", choices=list(KINDS), help="kind of a new connection (default: smtp)")
        change.add_argument(
            "fields",
            nargs="*",
            metavar="field=value",
            help="a secret is given as field=@- (standard input) or field=env:NAME",
        )
        command.add_apply(commands.add_parser("apply", help="create and change the connections that a file defines"))
        command.add_export(commands.add_parser("export", help="write connections as a file that can be applied"))
        test = commands.add_parser("test", help="test a connection and print its stages")
        test.add_argument("name", help="name or id")
        test.add_argument("--cluster")
        test.add_argument("--steng")
        test.add_argument("--all-stengs", action="store_true", help="test from every STENG of the cluster")
        test.add_argument("--depth", default="full", help="connect, tls, login or full")
        test.add_argument("--json", action="store_true", help="print the jobs as JSON, one a line")

    def handle(self, *_: Any, **options: Any) -> None:
        """Run one sub-command and leave with its exit status."""
        try:
            status = self._acts()[options["act"]](options)
        except ValidationError as error:
            for problem in field_errors(error):
                self.stderr.write(
                    f"{problem['pointer'].lstrip('/') or 'request'}: {problem['code']}: {problem['detail']}"
                )
            sys.exit(EXIT_USAGE)
        except Refused as refusal:
            self.stderr.write(f"{refusal.code}: {refusal.detail}")
            sys.exit(EXIT_USAGE)
        if status:
            sys.exit(status)

    def _acts(self) -> dict[str, Callable[[dict[str, Any]], int]]:
        return {
            "list": self._list,
            "show": self._show,
            "set": self._set,
            "apply": lambda options: command.apply(options, self.stdout, self.stderr),
            "export": lambda options: command.export(options, self.stdout),
            "test": self._test,
        }

    def _list(self, options: dict[str, Any]) -> int:
        matches = connection_list({key: value for key, value in options.items() if isinstance(value, str)})
        line = "{:<32} {:<7} {:<8} {:<32} {:<8} {}".format
        if not options["json"]:
            self.stdout.write(line("NAME", "KIND", "STATUS", "ENDPOINT", "SECURITY", "LAST TEST"))
        for row in matches.rows().iterator():
            verdict = row.last_test.verdict or row.last_test.state or "never tested"
            verdict += " (stale)" if is_stale(row) else ""
            if options["json"]:
                facts = {
                    "id": str(row.pk),
                    "kind": row.kind,
                    "name": row.name,
                    "status": row.status,
                    "endpoint": row.endpoint,
                    "verdict": verdict,
                }
                self.stdout.write(json.dumps(facts))
            else:
                self.stdout.write(line(row.name, row.kind, row.status, row.endpoint, row.connection_security, verdict))
        return 0

    def _show(self, options: dict[str, Any]) -> int:
        self.stdout.write(
            json.dumps(to_json(self._find(options["name"])), indent=2, ensure_ascii=False, cls=DjangoJSONEncoder)
        )
        return 0

    def _set(self, options: dict[str, Any]) -> int:
        row = find(options["name"])
        if row is not None and options["kind"] not in {None, row.kind}:
            raise Refused("conflict", f"{row.name} is a connection of the kind {row.kind}, which stays as it is.")
        model = type(row) if row is not None else KINDS[options["kind"] or "smtp"]
        values = read_fields(options["fields"], partial(_value, model))
        if row is None:
            values.setdefault("name", options["name"])
        if row is not None and set(values) == {"status"}:
            saved = services.set_status(row, values["status"], user=None)
        else:
            saved = services.save(model, row, values, user=None, partial=row is not None)
        done = "created" if saved.created else f"changed {', '.join(saved.changed)}" if saved.changed else "unchanged"
        self.stdout.write(f"{saved.connection.name}: {done}")
        for advisory in saved.advisories:
            self.stderr.write(f"{advisory.field}: {advisory.code}: {advisory.detail}")
        return 0

    def _test(self, options: dict[str, Any]) -> int:
        row = self._find(options["name"])
        depth = testing.parse_depth(options["depth"])
        statuses = []
        target = testing.Target(options["cluster"], options["steng"], depth)
        for each in testing.every_steng(target, row) if options["all_stengs"] else [target]:
            job = testing.request_test(row, each, user=None)
            statuses.append(self._report(_finished(job), as_json=options["json"]))
        return max(statuses)

    def _report(self, job: Job, *, as_json: bool) -> int:
        if as_json:
            self.stdout.write(json.dumps(job_to_json(job), cls=DjangoJSONEncoder))
        else:
            self._print(job)
        if not job.verdict:
            return EXIT_NO_VERDICT
        return EXIT_FAILURE if job.verdict == "failure" else 0

    def _print(self, job: Job) -> None:
        mark = {"success": "OK", "warning": "WARNING", "failure": "FAILED"}.get(job.verdict or "", "NO VERDICT")
        for stage in job.stages:
            took = "not run" if stage["duration_ms"] is None else f"{stage['duration_ms']:.1f} ms"
            code = f"  {stage['code']}" if stage["code"] else ""
            self.stdout.write(f"  {stage['name']:<13} {stage['outcome']:<8} {took:>9}{code}")
        self.stdout.write(f"{mark}: {job.connection_name}: {job.summary}" + (f" [{job.code}]" if job.code else ""))
        if job.advice:
            self.stdout.write(f"  {job.advice}" + (f" (field: {job.field})" if job.field else ""))
        for advisory in job.advisories:
            self.stdout.write(f"  worth knowing: {advisory['detail']}")

    def _find(self, name: str) -> Connection:
        row = find(name)
        if row is None:
            raise Refused("not_found", f"There is no connection “{name}”.")
        return row


def _finished(job: Job) -> Job:
    """Return the job in its final state, or as it is once its own deadlines must have ended it."""
    return wait_until_final(job.pk, job.timeout_ms / 1000 + _SETTLED_AFTER) or job


def _value(model: type[Connection], name: str, text: str) -> Any:
    if name in model.SECRETS:
        return read_secret(text)
    return value_from_text(model, name, text)
