"""Fill a data folder of ours for `bench.listing`: `python -m bench.fill COUNT` prints a token.

The list reads the base rows of connections alone, so only those are made.
"""

from __future__ import annotations

import os
import secrets
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from bench.rows import Row, rows  # noqa: E402
from cluster.models import LastTest  # noqa: E402  (models exist once Django is set up)
from connections.choices import Kind  # noqa: E402
from connections.models import Connection  # noqa: E402
from console.preparation import check_folder, prepare  # noqa: E402
from core.models import User  # noqa: E402
from core.text import comparison_key  # noqa: E402
from core.tokens import create_token  # noqa: E402
from untrusted_cache.models import TrustChange  # noqa: E402

_BATCH = 1_000
_CHANGES_OF_TRUST = 50


def main() -> None:
    """Prepare the folder, write the rows and print a token for everything."""
    check_folder(settings.POSTERN_DATA)
    prepare(secrets.token_urlsafe(16), lambda _: None, is_terminal=False)
    made = list(rows(int(sys.argv[1])))
    with transaction.atomic():
        LastTest.objects.bulk_create([_last_test(row) for row in made], batch_size=_BATCH)
        Connection.objects.bulk_create([_connection(row) for row in made], batch_size=_BATCH)
        TrustChange.objects.bulk_create(
            [TrustChange(host=row.host, port=row.port, at=row.updated) for row in made[:_CHANGES_OF_TRUST]]
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(create_token(User.objects.get(username="admin"))[1])


def _last_test(row: Row) -> LastTest:
    return LastTest(
        id=row.id,
        job_created=row.finished,
        state="finished" if row.verdict else "",
        verdict=row.verdict,
        failed_stage="trust" if row.verdict == "failure" else "",
        code="certificate_unknown_issuer" if row.verdict == "failure" else "",
        finished=row.finished,
        duration_ms=12.5 if row.verdict else None,
        configuration="0" * 64 if row.verdict else "",
        rank=LastTest.rank_of(row.verdict) if row.verdict else LastTest.NEVER,
    )


def _connection(row: Row) -> Connection:
    return Connection(
        id=row.id,
        kind=Kind.SMTP,
        name=row.name,
        name_key=comparison_key(row.name),
        description=row.description,
        status=row.status,
        host=row.host,
        host_canonical=row.host,
        port=row.port,
        connection_security=row.security,
        username=row.username,
        tags=row.tags,  # type: ignore[misc]  # the field takes names, the plugin sees the text it stores
        partner=row.partner,
        last_test_id=row.id,
        configuration="0" * 64,
        version=1,
        created=row.updated,
        updated=row.updated,
    )


if __name__ == "__main__":
    main()
