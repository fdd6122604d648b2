"""A great many rows like one, made by the database itself in a few seconds, for what pages cost."""

from __future__ import annotations

from django.db import connection
from django.utils import timezone

from cluster import dispatch
from cluster.models import Job, LastTest
from connections import services
from connections.kinds import KINDS
from connections.models import Connection, SmtpConnection
from credentials import services as credentials
from credentials.models import Credential
from steng.wire import StageName
from tests.credentials import BASIC
from tests.definitions import GOOD
from tests.jobs import failure, local_steng, running

_ID = "printf('%032x', i)"
_NAME = "printf('%s-%06d', CASE i % 3 WHEN 0 THEN 'orders' WHEN 1 THEN 'invoices' ELSE 'payroll' END, i)"
_VERDICT = "CASE i % 5 WHEN 0 THEN 'failure' WHEN 1 THEN 'warning' ELSE 'success' END"
_FAILED = "CASE i % 5 WHEN 0 THEN {} ELSE '' END"
_CODE = _FAILED.format("'credentials_refused'")
_HOST = "printf('mail%d.example.org', i % 1000)"
_TIME = "strftime('%Y-%m-%d %H:%M:%f', 'now', printf('-%d minutes', i))"


def fill(count):
    """Store so many SMTP connections with a test of each, and as many credentials; each of them like a real one."""
    now = timezone.now()
    steng = local_steng(now)
    first = services.save(KINDS["smtp"], None, {**GOOD, "name": "the-first"}, user=None).connection
    job, claim = running(steng, now, connection=(first.pk, "smtp", first.name))
    dispatch.finish(job.pk, claim.attempt, failure(StageName.AUTH), now)
    job.refresh_from_db()
    credential = credentials.save(None, BASIC, user=None).credential
    named = {"name": _NAME, "name_key": _NAME}
    tested = {"verdict": _VERDICT, "code": _CODE, "failed_stage": _FAILED.format("'auth'"), "finished": _TIME}
    _multiply(LastTest, first.last_test_id, count, **tested)
    places = {"host": _HOST, "host_canonical": _HOST, "last_test_id": _ID}
    choices = {
        "status": "CASE i % 10 WHEN 0 THEN 'DISABLED' ELSE 'ENABLED' END",
        "connection_security": "CASE i % 3 WHEN 0 THEN 'NONE' WHEN 1 THEN 'STARTTLS' ELSE 'SSL_TLS' END",
    }
    _multiply(Connection, first.pk, count, **named, **places, **choices)
    _multiply(SmtpConnection, first.pk, count)
    of = {"connection_id": _ID, "connection_name": _NAME, "target": f"{_HOST} || ':587'"}
    _multiply(Job, job.pk, count, **of, **tested, created=_TIME)
    _multiply(Credential, credential.pk, count, **named)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _multiply(model, template, count, **expressions):
    """Copy one row so often, with another key and these expressions over `i` in the place of its values."""
    key = model._meta.pk.column
    expressions = {key: _ID, **expressions}
    columns = [field.column for field in model._meta.local_concrete_fields]
    table = model._meta.db_table
    values = [expressions.get(column, f't."{column}"') for column in columns]
    with connection.cursor() as cursor:
        # The statement goes past Django's own reading of percent signs, which the formats are full of.
        cursor.cursor.execute(
            f"""WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count})
            INSERT INTO {table} ({", ".join(f'"{column}"' for column in columns)})
            SELECT {", ".join(values)} FROM numbers, {table} t WHERE t."{key}" = '{template.hex}'""".replace("%", "%%"),
            (),
        )
