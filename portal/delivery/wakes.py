"""What wakes the workers of a cluster: procrastinate in a schema of its own, a trigger on the outbox, a sweep for what was missed.

The outbox stays the truth. A wake carries an outbox id and nothing else; one too many is harmless, one too few is made up for by
the sweep. The trigger writes the wake in the very transaction that makes an item due, whoever writes it and however it is set up.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection

from portal import db
from portal.delivery.claim import Clock, due
from portal.delivery.models import OutboxItem
from portal.delivery.timing import Timing
from portal.errors import Misconfigured

QUEUE, TASK = "delivery", "deliver"
MOST = 1000
"""wakes in one sweep; the next one makes the rest"""
MISSING = 'PREVISIT_ENGINE=procrastinate needs the package procrastinate. Install it: pip install "previsit[cluster]"'
OURS = Path(__file__).with_name("wakes.sql")
_LOCK = 7346202


def arrange(engine: str) -> None:
    """After the migrations: procrastinate's own tables, the trigger and the grants; or, with the engine off, no trigger."""
    if engine == "procrastinate":
        _install()
    elif db.engine().dialect.name == "postgresql":
        with _change() as connection:
            connection.execute(text("DROP TRIGGER IF EXISTS previsit_wake ON outbox_items"))


def sweep(clock: Clock, timing: Timing) -> int:
    """Wake whatever is due: its wake may have died with a worker, its lease, its server's rest or the turn before it may be over."""
    wake = text("SELECT procrastinate.previsit_wake(id, now()) FROM unnest(cast(:ids AS text[])) AS id")
    with db.transaction() as current:
        ids = list(current.scalars(due(clock(), timing).with_only_columns(OutboxItem.id).limit(MOST)))
        if ids:
            current.execute(wake, {"ids": ids})
    return len(ids)


def _install() -> None:
    """procrastinate's steps, each once and each in a transaction of its own; its whole schema where there is none yet."""
    schema, steps = _scripts()
    with _change() as connection:
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS procrastinate"))
        connection.execute(text("CREATE TABLE IF NOT EXISTS procrastinate.previsit_steps (name text PRIMARY KEY)"))
        if connection.scalar(text("SELECT to_regclass('procrastinate.procrastinate_jobs')")) is None:
            _run(connection, schema)
            for name in steps:
                _note(connection, name)
    for name, script in steps.items():
        with _change() as connection:
            if _note(connection, name):
                _run(connection, script)
    with _change() as connection:
        _run(connection, OURS.read_text())


def _scripts() -> tuple[str, dict[str, str]]:
    """procrastinate's schema as it is now, and the steps that led there, in order."""
    try:
        from procrastinate.schema import SchemaManager
    except ImportError as missing:
        raise Misconfigured(MISSING) from missing
    folder = Path(SchemaManager.get_migrations_path())
    return SchemaManager.get_schema(), {path.name: path.read_text() for path in sorted(folder.glob("*.sql"))}


@contextmanager
def _change() -> Iterator[Connection]:
    """One transaction; of several processes that migrate at once the others wait."""
    with db.engine().begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        yield connection


def _run(connection: Connection, script: str) -> None:
    """Several statements at once, as the last thing of a transaction: with procrastinate's schema first, then ours."""
    ours = connection.scalar(text("SELECT current_schema()"))
    path = text("SELECT set_config('search_path', format('procrastinate, %I, pg_temp', cast(:ours AS text)), true)")
    connection.execute(path, {"ours": ours})
    driver: Any = connection.connection.driver_connection
    driver.execute(script)  # without parameters: the only way that takes several statements


def _note(connection: Connection, name: str) -> bool:
    """Whether this step was still to be taken."""
    step = text("INSERT INTO procrastinate.previsit_steps VALUES (:name) ON CONFLICT DO NOTHING RETURNING name")
    return connection.scalar(step, {"name": name}) is not None
