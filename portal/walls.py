"""The second wall between clinics, in PostgreSQL itself: row-level security by clinic, and a role for the portal that owns nothing.

The first wall is in every query. This one holds when a query forgets it: the portal's own role sees and writes only rows of the clinic
that its transaction names (`db.within`), and nothing when none is named. It cannot change or delete an audit row, nor make a table.
The owner of the tables (migrations, backups) is not held back, so a database with one role for both has the first wall only, and so
has SQLite.
"""

from sqlalchemy import text
from sqlalchemy.engine import Connection, make_url

from portal import db

_TABLES = text(
    "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'clinic_id' "
    "WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace "
    "AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'clinic_wall') ORDER BY 1"
)
_OWNED = text(
    "SELECT bool_and(pg_has_role(relowner, 'MEMBER')) FROM pg_class "
    "WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
)
OWN_ROWS = f"clinic_id = current_setting('previsit.clinic', true) OR current_setting('previsit.clinic', true) = '{db.EVERY_CLINIC}'"
TRAIL = "audit_events"


def owned() -> bool:
    """Whether this process may change tables: always on SQLite."""
    if db.engine().dialect.name != "postgresql":
        return True
    with db.engine().connect() as connection:
        return bool(connection.scalar(_OWNED))


def build(database: str) -> None:
    """Put the wall into every table that has a clinic, and let the role of `database` do what the portal does; safe to call again."""
    if db.engine().dialect.name != "postgresql":
        return
    with db.engine().begin() as connection:
        for table in connection.scalars(_TABLES).all():
            name = _quoted(connection, table)
            connection.execute(text(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"))
            connection.execute(text(f"CREATE POLICY clinic_wall ON {name} USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})"))
        role = make_url(database).username
        if role and role != connection.scalar(text("SELECT current_user")):
            _grant(connection, _quoted(connection, role))


def _grant(connection: Connection, role: str) -> None:
    schema = _quoted(connection, str(connection.scalar(text("SELECT current_schema()"))))
    for statement in (
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {TRAIL} FROM {role}",
        f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
    ):
        connection.execute(text(statement))


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
