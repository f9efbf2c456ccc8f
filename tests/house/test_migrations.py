"""The steps lead to exactly the tables of the models, on both databases, once, however many start at the same time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from portal import db
from portal.accounts import service as accounts
from portal.migrations import write
from portal.settings import ROOT
from tests import make

APART = "alembic_version"


@pytest.fixture
def migrated(empty_database: str, tmp_path: Path) -> Iterator[str]:
    db.connect(empty_database, make.settings(tmp_path, empty_database).keys)
    db.migrate()
    yield empty_database
    db.dispose()


def test_nothing_lies_between_the_steps_and_the_models(migrated: str) -> None:
    with db.engine().connect() as connection:
        upgrade = write.difference(connection).upgrade_ops
    assert upgrade is not None and [diff for diff in upgrade.as_diffs() if APART not in str(diff)] == []


def test_the_tables_are_the_same_to_the_last_check_as_when_made_from_the_models(migrated: str) -> None:
    """Alembic compares no CHECK and no trigger; the database itself tells both."""
    with db.engine().connect() as connection:
        stepped = schema(connection)
        triggers = guards(connection)
    with db.engine().begin() as connection:
        connection.execute(text(f"DROP TABLE {APART}"))
        db.Base.metadata.drop_all(connection)
        if connection.dialect.name == "postgresql":
            connection.execute(text("DROP FUNCTION audit_is_append_only CASCADE"))
        db.Base.metadata.create_all(connection)
    with db.engine().connect() as connection:
        assert stepped == schema(connection)
        assert triggers == guards(connection)
    assert len(stepped) > 20 and triggers


def schema(connection: Connection) -> dict[str, Any]:
    """Everything the database says about its tables."""
    look = inspect(connection)
    return {
        name: {
            "columns": [(each["name"], str(each["type"]), each["nullable"]) for each in look.get_columns(name)],
            "key": look.get_pk_constraint(name),
            "foreign": sorted(look.get_foreign_keys(name), key=str),
            "unique": sorted(look.get_unique_constraints(name), key=str),
            "indexes": sorted(
                ({**each, "dialect_options": str(_options(each))} for each in look.get_indexes(name)), key=str
            ),
            "checks": sorted(look.get_check_constraints(name), key=str),
        }
        for name in sorted(look.get_table_names())
        if name != APART
    }


def _options(index: Any) -> dict[str, str]:
    """What is only one database's, the condition of a part index too, as text."""
    return {name: str(value) for name, value in index.get("dialect_options", {}).items()}


def guards(connection: Connection) -> list[str]:
    asked = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
        "postgresql": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
    }
    return list(connection.execute(text(asked[connection.dialect.name])).scalars())


def test_the_audit_trail_can_be_appended_to_and_not_changed(migrated: str) -> None:
    clinic = make.clinic()
    make.staff(clinic)
    for statement in ("UPDATE audit_events SET event = 'x'", "DELETE FROM audit_events"):
        with pytest.raises(DBAPIError, match="append-only"), db.engine().begin() as connection:
            connection.execute(text(statement))


def test_a_second_start_leaves_everything_as_it_is(migrated: str) -> None:
    make.clinic()
    db.close()
    db.migrate()
    assert [clinic.slug for clinic in accounts.clinics()] == ["riverside"]


START = """
import sys
from pathlib import Path
from portal import db, sealing
db.connect(sys.argv[1], sealing.KeyRing({1: sealing.new_key()}, sealing.new_key()))
db.migrate()
db.migrate()
"""


def test_several_processes_that_start_at_once_do_not_get_in_each_others_way(
    empty_database: str, tmp_path: Path
) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", START, empty_database], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], "\n".join(said)
    db.connect(empty_database, make.settings(tmp_path, empty_database).keys)
    with db.engine().connect() as connection:
        assert len(schema(connection)) == len(db.Base.metadata.tables)
        assert connection.execute(text(f"SELECT count(*) FROM {APART}")).scalar() == 1


def test_there_is_nothing_to_write_when_nothing_changed() -> None:
    assert write.write("nothing") is None


def test_the_first_step_is_what_the_models_say(tmp_path: Path) -> None:
    """Written again into an empty folder it is the one that is kept, as long as it is the only one."""
    written = write.write("first", tmp_path)
    assert written is not None
    kept = write.VERSIONS / "0001_first.py"
    if len(list(write.VERSIONS.glob("[0-9]*.py"))) == 1:
        assert written.read_text() == kept.read_text(), "the models changed: write the first step again (see write.py)"
    compile(written.read_text(), str(written), "exec")
