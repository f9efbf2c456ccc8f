"""The second wall between clinics, in PostgreSQL itself: row-level security by clinic, and a role for the portal that owns nothing.

The first wall is in every query. This one holds when a query forgets it: the portal's own role sees and writes only rows of the clinic
that its transaction names (`db.within`), and nothing when none is named. It cannot change or delete an audit row, nor make a table: a
temporary one of the trail's name would take the rows that are meant for it. It holds against a query that forgets, not against somebody
who runs statements of their own as this role: they can name any clinic.
The owner of the tables (migrations, backups) is not held back, so a database with one role for both has the first wall only, and so
has SQLite.

Decided: it holds pages, not the worker: strangers reach pages only.
"""

from sqlalchemy import text
from sqlalchemy.engine import make_url

from portal import db

_BUILD = text(
    """
DO $walls$
DECLARE
    own text DEFAULT $own$clinic_id = current_setting('previsit.clinic', true) OR current_setting('previsit.clinic', true) = '*'$own$;
    name text;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'clinic_id'
        WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'clinic_wall') ORDER BY 1
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY clinic_wall ON %I USING (%s) WITH CHECK (%s)', name, own, own);
    END LOOP;
END $walls$
"""
)
"""The database puts these together from its own names; no word of ours or anybody's stands in them."""
_ROLE = text("SELECT set_config('previsit.role', :role, true)")
_GRANT = text("""
DO $grants$
DECLARE
    role text DEFAULT current_setting('previsit.role');
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', current_schema(), role);
    EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO %I', current_schema(), role);
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON audit_events FROM %I', role);
    EXECUTE format('REVOKE DELETE ON audit_heads FROM %I', role);
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema());
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM %I', role);
END $grants$
""")
_OWNED = text(
    "SELECT bool_and(pg_has_role(relowner, 'MEMBER')) FROM pg_class "
    "WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
)


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
        connection.execute(_BUILD)
        role = make_url(database).username
        if role and role != connection.scalar(text("SELECT current_user")):
            connection.execute(_ROLE, {"role": role})
            connection.execute(_GRANT)
