"""What makes the database itself refuse to change or remove an audit event: SQLite and PostgreSQL.

Used by migrations. One that rebuilds the table calls `create` again afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.utils import NotSupportedError

TABLE = "core_auditevent"
_SENTENCE = "What the audit trail holds is neither changed nor removed."

_SQLITE = (
    f"""CREATE TRIGGER audit_no_update BEFORE UPDATE ON {TABLE}
    BEGIN SELECT RAISE(ABORT, '{_SENTENCE}'); END""",
    f"""CREATE TRIGGER audit_no_delete BEFORE DELETE ON {TABLE}
    BEGIN SELECT RAISE(ABORT, '{_SENTENCE}'); END""",
    # INSERT OR REPLACE removes the old row without asking the trigger above.
    f"""CREATE TRIGGER audit_no_replace BEFORE INSERT ON {TABLE}
    WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, '{_SENTENCE}'); END""",  # noqa: S608  both names are ours
)
_SQLITE_DROP = tuple(
    f"DROP TRIGGER IF EXISTS {name}" for name in ("audit_no_update", "audit_no_delete", "audit_no_replace")
)

_POSTGRESQL = (
    f"""CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{_SENTENCE}' USING ERRCODE = 'restrict_violation'; END $$""",
    f"""CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON {TABLE}
    FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
    f"""CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {TABLE}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    # Also where replication or a restore has switched ordinary triggers off.
    f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER audit_no_change",
    f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER audit_no_truncate",
)
_POSTGRESQL_DROP = (
    f"DROP TRIGGER IF EXISTS audit_no_change ON {TABLE}",
    f"DROP TRIGGER IF EXISTS audit_no_truncate ON {TABLE}",
    "DROP FUNCTION IF EXISTS audit_refuse()",
)


def create(vendor: str) -> Sequence[str]:
    """Return the statements that make the triggers; raise NotSupportedError where we know none."""
    return _of(vendor, _SQLITE, _POSTGRESQL)


def drop(vendor: str) -> Sequence[str]:
    """Return the statements that remove the triggers."""
    return _of(vendor, _SQLITE_DROP, _POSTGRESQL_DROP)


def execute(schema_editor: BaseDatabaseSchemaEditor, statements: Sequence[str]) -> None:
    """Run statements as they are: their text is no format for parameters."""
    for statement in statements:
        schema_editor.execute(statement, params=None)


def _of(vendor: str, sqlite: Sequence[str], postgresql: Sequence[str]) -> Sequence[str]:
    known = {"sqlite": sqlite, "postgresql": postgresql}
    if vendor not in known:
        raise NotSupportedError(f"The audit trail cannot be protected on {vendor}.")
    return known[vendor]
