"""`manage.py credential`: list, show, set and delete credentials from a shell or a script."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from core.arguments import read_fields, read_secret
from core.commands import AuditedCommand, IntermixedParser
from core.errors import Refused
from core.problems import field_errors
from core.usage import usage, usage_counts
from credentials import selectors, services
from credentials.key_ring import VaultUnavailable
from credentials.models import Credential
from credentials.rules import SECRET_OF
from credentials.serializers import credential_to_json

EXIT_USAGE = 2


class Command(AuditedCommand):
    """Work with credentials on the command line; codes and rules are those of the API."""

    acts = {
        "list": "credentials.view",
        "show": "credentials.view",
        "set": "credentials.manage",
        "delete": "credentials.manage",
    }
    help = "List, show, set and delete credentials. Exit status: 0 done, 2 refused, with the code."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the sub-commands."""
        commands = parser.add_subparsers(dest="act", required=True, parser_class=IntermixedParser)
        listing = commands.add_parser("list", help="list credentials")
        for name in selectors.FILTERS:
            listing.add_argument(f"--{name}", default="")
        listing.add_argument("--json", action="store_true", help="print JSON, one credential a line")
        show = commands.add_parser("show", help="show one credential as JSON, without its secret")
        show.add_argument("name", help="name or id")
        change = commands.add_parser("set", help="create or change a credential")
        change.add_argument("name", help="name or id; a new name creates a credential")
        change.add_argument(
            "fields",
            nargs="*",
            metavar="field=value",
            help="a secret is given as field=@- (standard input) or field=env:NAME",
        )
        delete = commands.add_parser("delete", help="delete a credential that nothing uses")
        delete.add_argument("name", help="name or id")

    def handle(self, *_: Any, **options: Any) -> None:
        """Run one sub-command; leave with status 2 where it is refused."""
        try:
            {"list": self._list, "show": self._show, "set": self._set, "delete": self._delete}[options["act"]](options)
        except ValidationError as error:
            for problem in field_errors(error):
                name = problem["pointer"].lstrip("/") or "request"
                self.stderr.write(f"{name}: {problem['code']}: {problem['detail']}")
            sys.exit(EXIT_USAGE)
        except Refused as refusal:
            self.stderr.write(f"{refusal.code}: {refusal.detail}")
            for user in refusal.extra.get("used_by", ()):
                self.stderr.write(f"  used by {user['kind']} {user['name']}")
            sys.exit(EXIT_USAGE)
        except VaultUnavailable as error:
            self.stderr.write(f"unavailable: {error}")
            sys.exit(EXIT_USAGE)

    def _list(self, options: dict[str, Any]) -> None:
        found = list(selectors.credential_list({name: options[name] for name in selectors.FILTERS}))
        counts, today = usage_counts(services.KIND, found), timezone.localdate()
        for row in found:
            if options["json"]:
                self._print(credential_to_json(row, counts[row.pk], today), indent=None)
                continue
            secret = "set" if row.secret_is_set(SECRET_OF[row.kind]) else "not set"
            reach = ",".join(row.destinations) or "any server"
            self.stdout.write(f"{row.name:<32} {row.kind:<25} {secret:<8} used by {counts[row.pk]:<5} {reach}")

    def _show(self, options: dict[str, Any]) -> None:
        row = _find(options["name"])
        users = usage(services.KIND, row)
        count = usage_counts(services.KIND, [row])[row.pk]
        self._print(credential_to_json(row, count, timezone.localdate()) | {"used_by": users}, indent=2)

    def _set(self, options: dict[str, Any]) -> None:
        row = selectors.find(options["name"])
        values = read_fields(options["fields"], _value)
        if row is None:
            values.setdefault("name", options["name"])
        saved = services.save(row, values, user=None, partial=row is not None)
        done = "created" if saved.created else f"changed {', '.join(saved.changed)}" if saved.changed else "unchanged"
        self.stdout.write(f"{saved.credential.name}: {done}")
        for advisory in saved.advisories:
            self.stderr.write(f"{advisory.field}: {advisory.code}: {advisory.detail}")

    def _delete(self, options: dict[str, Any]) -> None:
        row = _find(options["name"])
        services.delete(row)
        self.stdout.write(f"{row.name}: deleted")

    def _print(self, body: dict[str, Any], indent: int | None) -> None:
        self.stdout.write(json.dumps(body, indent=indent, ensure_ascii=False, cls=DjangoJSONEncoder))


def _find(name: str) -> Credential:
    row = selectors.find(name)
    if row is None:
        raise Refused("not_found", f"There is no credential “{name}”.")
    return row


def _value(name: str, text: str) -> Any:
    if name in Credential.SECRETS:
        return read_secret(text)
    if name not in Credential.definition_fields():
        return text  # the domain answers with `unknown_field`
    field: models.Field[Any, Any] = Credential._meta.get_field(name)  # type: ignore[assignment]
    try:
        return field.from_text(text)  # type: ignore[attr-defined]
    except ValidationError:
        return text  # the domain says what is wrong with it, together with everything else
