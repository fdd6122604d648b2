"""`manage.py trust`: list the trust store and import into it, from a shell or a script."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from core.commands import AuditedCommand, system_user
from core.errors import Refused, invalid
from core.problems import field_errors
from core.usage import usage
from steng.text import visible
from steng.x509 import MAX_INPUT
from untrusted_cache import selectors, services
from untrusted_cache.choices import Kind
from untrusted_cache.models import TrustEntry
from untrusted_cache.serializers import entry_to_json

EXIT_USAGE = 2


class Command(AuditedCommand):
    """Work with the trust store on the command line; codes and rules are those of the API."""

    acts = {"list": "trust.view", "import": "trust.decide"}
    help = (
        "List the trust store, or import certificates into it. "
        "Exit status: 0 done (also where everything was known), 2 refused, with the code."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the sub-commands."""
        commands = parser.add_subparsers(dest="act", required=True)
        listing = commands.add_parser("list", help="list what is trusted")
        listing.add_argument("--q", default="", help="search in name, subject, host and reason")
        listing.add_argument("--host", default="", help="what may vouch for this host")
        listing.add_argument("--json", action="store_true", help="print JSON, one entry a line")
        bring = commands.add_parser("import", help="trust the certificates of a file")
        bring.add_argument("file", help="PEM, DER or PKCS#7; - is standard input")
        bring.add_argument("--reason", default="", help="where it comes from, and who confirmed its fingerprint")
        bring.add_argument("--as", dest="kind", default=Kind.ANCHOR.value, help="anchor (default) or pin")
        bring.add_argument("--endpoint", default="", metavar="HOST:PORT", help="of a pin")
        bring.add_argument("--scope", action="append", default=[], metavar="HOST", help="of an anchor; may be repeated")
        bring.add_argument("--expires", default="", help="a day (2027-01-31, UTC, included) or a time with its zone")
        bring.add_argument("--json", action="store_true", help="print JSON, one entry a line")

    def handle(self, *_: Any, **options: Any) -> None:
        """Run one sub-command; leave with status 2 where it is refused."""
        try:
            {"list": self._list, "import": self._import}[options["act"]](options)
        except ValidationError as error:
            for problem in field_errors(error):
                name = problem["pointer"].lstrip("/") or "request"
                self.stderr.write(f"{name}: {problem['code']}: {problem['detail']}")
            sys.exit(EXIT_USAGE)
        except Refused as refusal:
            self.stderr.write(f"{refusal.code}: {refusal.detail}")
            sys.exit(EXIT_USAGE)

    def _list(self, options: dict[str, Any]) -> None:
        for entry in selectors.entries(q=options["q"], host=options["host"]):
            self._print(entry, "", as_json=options["json"])

    def _import(self, options: dict[str, Any]) -> None:
        outcomes = services.import_certificates(
            _read(options["file"]),
            as_=options["kind"],
            reason=options["reason"],
            endpoint=options["endpoint"],
            scope=[host for text in options["scope"] for host in text.replace(",", " ").split()],
            expires=options["expires"],
            user=f"{system_user()} (command line)",
            now=timezone.now(),
        )
        for outcome in outcomes:
            word = "trusted" if outcome.created else "known"
            self._print(outcome.entry, f"{word}: ", as_json=options["json"])

    def _print(self, entry: TrustEntry, word: str, *, as_json: bool) -> None:
        if as_json:
            shown = entry_to_json(entry, usage("trust", entry))
            self.stdout.write(json.dumps(shown, ensure_ascii=False, cls=DjangoJSONEncoder))
            return
        reach = entry.endpoint or ",".join(entry.scope) or "any host"
        until = f"{entry.expires:%Y-%m-%d}" if entry.expires else "removed"
        # What a certificate calls itself goes to a terminal: its name was checked, its subject was cleaned.
        facts = f"{entry.kind:<6} for {reach}, until {until}, {visible(entry.subject)}"
        self.stdout.write(f"{word}{entry.name}  {facts}\n  SHA-256 {entry.fingerprint}")


def _read(name: str) -> bytes:
    """Return the content of a file, at most a byte more than the services take; raise ValidationError."""
    try:
        if name == "-":
            return sys.stdin.buffer.read(MAX_INPUT + 1)
        with Path(name).open("rb") as file:
            return file.read(MAX_INPUT + 1)
    except OSError as error:
        raise ValidationError({"file": [invalid("not_found", f"{name}: {error.strerror}.")]}) from None
