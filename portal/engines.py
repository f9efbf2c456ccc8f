"""How each kind of database is opened: SQLite with one writer at a time, PostgreSQL behind its walls."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from portal.errors import Misconfigured

LEAST_FREE = 1_000_000
"""Bytes; with less SQLite cannot even open what it keeps beside its file."""


def opened(url: str, everywhere: str, begins: Callable[[Connection], None] | None) -> Engine:
    """The engine of one database. On PostgreSQL `begins` names the clinic of each transaction; without it every one sees
    `everywhere`."""
    if make_url(url).get_backend_name() == "sqlite":
        made = create_engine(url, connect_args={"timeout": 5, "check_same_thread": False})
        event.listen(made, "connect", _sqlite_connect)
        event.listen(made, "begin", _sqlite_begin)
        return made
    sees = "" if begins else f" -c previsit.clinic={everywhere}"
    made = create_engine(url, pool_pre_ping=True, connect_args={"options": f"-c lock_timeout=5000{sees}"})
    if begins:
        event.listen(made, "begin", begins)
    return made


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Connection) -> None:
    """Said to the driver itself: with every page twice, and SQLAlchemy takes ten times as long to say it."""
    begin = "BEGIN IMMEDIATE" if connection.get_execution_options().get("writing") else "BEGIN"
    try:
        connection.connection.execute(begin)
    except sqlite3.Error as wrong:
        raise DBAPIError.instance(begin, None, wrong, sqlite3.Error) from wrong


def weigh(engine: Engine) -> None:
    """Let SQLite look how large its tables have become, a thousand rows of each index. Until it knows it takes a clinic's
    index where an id is given, and reads all of the clinic. PostgreSQL looks by itself."""
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(writing=True) as held:
            held.exec_driver_sql("PRAGMA analysis_limit=1000")
            held.exec_driver_sql("ANALYZE")
            held.commit()


def reached(engine: Engine) -> Connection:
    """A line to the database. Misconfigured, with the database's own first words, when there is none."""
    try:
        return engine.connect()
    except OperationalError as problem:
        said = str(problem.orig).strip().splitlines()[0]
        raise Misconfigured(f"The database cannot be opened: {said}. {_what_to_do(engine)}") from problem


def _what_to_do(engine: Engine) -> str:
    """The next step for whoever starts it: SQLite's own words do not tell a full disk from a folder that may not be written."""
    if engine.url.get_backend_name() != "sqlite" or not engine.url.database:
        return "Check PREVISIT_DATABASE, and that it runs."
    file = Path(engine.url.database)
    if not file.parent.is_dir():
        return f"There is no folder {file.parent}. Make it, or set PREVISIT_INSTANCE or PREVISIT_DATABASE to another."
    if not os.access(file.parent, os.W_OK) or (file.exists() and not os.access(file, os.W_OK)):
        return (
            f"This user may not write in {file.parent}, or it is mounted read-only. SQLite writes beside its file too "
            "(-wal, -shm). Give the folder to the user that Previsit runs as."
        )
    if shutil.disk_usage(file.parent).free < LEAST_FREE:
        return f"The disk of {file.parent} is full. Make room and start again: what was saved is still there."
    return f"Check PREVISIT_DATABASE, and that {file} is a database of Previsit."
