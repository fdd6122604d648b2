"""Fill the plain peer's database: `python -m bench.plain.fill COUNT` prints a token."""

from __future__ import annotations

import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.plain.settings"
django.setup()

from django.contrib.auth.models import User  # noqa: E402  (models exist once Django is set up)
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

from bench.plain.models import Connection, LastTest  # noqa: E402
from bench.rows import Row, rows  # noqa: E402

_BATCH = 1_000


def main() -> None:
    """Make the tables, write the rows and print a token."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    made = list(rows(int(sys.argv[1])))
    with transaction.atomic():
        tests = LastTest.objects.bulk_create([_last_test(row) for row in made], batch_size=_BATCH)
        pairs = zip(made, tests, strict=True)
        Connection.objects.bulk_create([_connection(row, test) for row, test in pairs], batch_size=_BATCH)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(Token.objects.create(user=User.objects.create_user("bench")).key)


def _last_test(row: Row) -> LastTest:
    return LastTest(
        state="finished" if row.verdict else "",
        verdict=row.verdict,
        failed_stage="trust" if row.verdict == "failure" else "",
        code="certificate_unknown_issuer" if row.verdict == "failure" else "",
        finished=row.finished,
        duration_ms=12.5 if row.verdict else None,
    )


def _connection(row: Row, test: LastTest) -> Connection:
    return Connection(
        id=row.id,
        kind="smtp",
        name=row.name,
        description=row.description,
        status=row.status,
        host=row.host,
        port=row.port,
        connection_security=row.security,
        username=row.username,
        tags=row.tags,
        partner=row.partner,
        updated=row.updated,
        last_test=test,
    )


if __name__ == "__main__":
    main()
