"""Writes the step from the stored schema to the models, for a developer: python -m portal.migrations.write "add letters".

The step is worked out on an empty SQLite brought up to the newest step there is, and holds for PostgreSQL too. Read it before
you commit it: a renamed column looks like one dropped and one added, and CHECKs and triggers of tables that exist already are
not compared. The first step also carries the triggers that keep the audit trail append-only.

While nothing was released, the first step may be written again: delete portal/migrations/versions/0001_first.py and run
python -m portal.migrations.write first
"""

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap
from typing import Any

from alembic import command
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy import create_engine, create_mock_engine
from sqlalchemy.engine import Connection, make_url

from portal import app  # noqa: F401  (every room's tables are known once the application is)
from portal.db import Base, UtcDateTime

FOLDER = Path(__file__).resolve().parent
VERSIONS = FOLDER / "versions"
HEAD = '''"""{title}."""
# ruff: noqa: E501

import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {before!r}
'''
FIRST = "The first step: the tables of every room, and what keeps the audit trail append-only"
GUARDS = """
SQLITE = {sqlite}
POSTGRESQL = {postgresql}
"""
GUARDED = """
    for guard in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[op.get_bind().dialect.name]:
        op.execute(sa.DDL(guard.replace("%", "%%")))
"""


def main() -> int:
    if len(sys.argv) != 2 or not sys.argv[1].strip():
        print('Say in a few words what changes: python -m portal.migrations.write "add letters"', file=sys.stderr)
        return 2
    written = write(sys.argv[1].strip())
    print(
        f"Wrote {written}. Read it, then run the tests."
        if written
        else "The models are as the newest step leaves them."
    )
    return 0


def write(title: str, versions: Path = VERSIONS) -> Path | None:
    """The file of the next step, or None when there is nothing to do."""
    steps = sorted(versions.glob("[0-9]*.py"))
    with TemporaryDirectory() as folder, create_engine(f"sqlite:///{folder}/schema.db").begin() as connection:
        if steps:
            _upgrade(connection)
        upgrade = difference(connection).upgrade_ops
    if upgrade is None or upgrade.is_empty():
        return None
    number = len(steps) + 1
    path = versions / f"{number:04}_{re.sub(r'[^a-z0-9]+', '_', title.lower()).strip('_')}.py"
    path.write_text(_source(title, upgrade, f"{number:04}", steps[-1].name[:4] if steps else None))
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(path)], check=False)
    return path


def difference(connection: Connection) -> ops.MigrationScript:
    """What lies between this database and the models."""
    context = MigrationContext.configure(connection, opts={"render_item": _render, "render_as_batch": True})
    return produce_migrations(context, Base.metadata)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _source(title: str, upgrade: ops.UpgradeOps, revision: str, before: str | None) -> str:
    first = before is None
    body = render_python_code(upgrade, render_as_batch=not first, render_item=_render)
    guards = (
        GUARDS.format(sqlite=_tuple(_guards("sqlite")), postgresql=_tuple(_guards("postgresql+psycopg")))
        if first
        else ""
    )
    said = FIRST if first else title[:1].upper() + title[1:]
    head = HEAD.format(title=said, revision=revision, before=before)
    lines = [line for line in body.splitlines() if not line.strip().startswith("#")]
    steps = "\n".join(f"    {line.removeprefix('    ')}".rstrip() for line in lines)
    return f"{head}{guards}\n\ndef upgrade() -> None:\n{steps}\n{GUARDED.lstrip(chr(10)) if first else ''}"


def _guards(driver: str) -> list[str]:
    """What the models make besides tables and indexes: the triggers, as one database says them."""
    said: list[str] = []
    dialect = make_url(f"{driver}://").get_dialect()()
    engine = create_mock_engine(
        f"{driver}://", lambda ddl, *_, **__: said.append(str(ddl.compile(dialect=dialect)).strip())
    )
    Base.metadata.create_all(engine, checkfirst=False)
    return [each for each in said if not each.startswith(("CREATE TABLE", "CREATE INDEX", "CREATE UNIQUE INDEX"))]


def _tuple(statements: list[str]) -> str:
    """The statements as a tuple of strings, each in lines that can be read."""
    return "(\n" + "".join(f"    {_string(each)},\n" for each in statements) + ")"


def _string(statement: str) -> str:
    parts = wrap(statement, 100)
    spaced = [f"{part} " for part in parts[:-1]] + parts[-1:]
    return "\n    ".join(map(repr, spaced))


def _render(kind: str, found: Any, _context: Any) -> Any:
    """Our own column type as what it is in the database; everything else as Alembic writes it."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(found, UtcDateTime) else False


if __name__ == "__main__":
    sys.exit(main())
