"""Statements that every page pays for, past the ORM and past SQLAlchemy's execution: written once, then the driver is asked itself.

That is a fifth of what the same costs through a connection of SQLAlchemy, and a tenth of its session. SQL, types and errors are
SQLAlchemy's all the same; and where somebody listens to what is executed, it executes.
"""

from collections import namedtuple
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import Executable

from portal.db import DataKey, know_key, knows_key, session

Change = Callable[[Any], Any]
MOST = 500
"""Statements that stay written: they are named in the source, so there are far fewer."""


class Found(list[Any]):
    """Rows, in whose columns one looks by place or by name."""

    def one_or_none(self) -> Any:
        if len(self) > 1:
            raise MultipleResultsFound
        return self[0] if self else None

    def one(self) -> Any:
        if not self:
            raise NoResultFound
        return self.one_or_none()

    def scalar(self) -> Any:
        """The first column of the first row; None without one."""
        return self[0][0] if self else None


def ask(statement: Executable, **values: object) -> Found:
    """Runs it in the current unit of work, after what was changed there by way of the ORM and is not written yet."""
    current = session()
    if current.info.get("writing"):
        current.flush()
    return on(_connection(current), statement, **values)


def _connection(current: Session) -> Connection:
    """The session's own, asked for once in each of its transactions: to ask costs as much as a statement."""
    begun, found = current.info.get("connection", (None, None))
    if begun is None or current.get_transaction() is not begun:
        found = current.connection()
        current.info["connection"] = (current.get_transaction(), found)
    assert isinstance(found, Connection)
    return found


def know_keys(owners: Collection[str]) -> None:
    """The keys of all of these, read at once: a list opens something of many people."""
    missing = sorted(owner for owner in set(owners) if not knows_key(owner))
    for start in range(0, len(missing), 500):
        wanted = select(DataKey.owner, DataKey.wrapped).where(DataKey.owner.in_(missing[start : start + 500]))
        for owner, wrapped in session().execute(wanted):
            know_key(owner, wrapped)


def on(connection: Connection, statement: Executable, **values: object) -> Found:
    """Runs a statement that is made once, with all its values by name."""
    dialect = connection.dialect
    ready = None if connection.engine.dispatch.before_cursor_execute else _ready(statement, tuple(values), dialect)
    if ready is None:
        result = connection.execute(statement, values)
        return Found(result if result.returns_rows else ())
    cursor = connection.connection.cursor()
    try:
        cursor.execute(ready.text, ready.given(values))
        return Found(map(ready.row, cursor.fetchall()) if ready.row else ())
    except dialect.loaded_dbapi.Error as wrong:
        raise DBAPIError.instance(ready.text, None, wrong, dialect.loaded_dbapi.Error, dialect=dialect) from wrong
    finally:
        cursor.close()


@dataclass(frozen=True, slots=True)
class _Ready:
    """A statement as one kind of database takes it. `order`: of its values, where they go by place. `row` makes one of what
    was read; None where nothing is."""

    text: str
    fixed: Mapping[str, Any]
    binds: tuple[tuple[str, Change], ...]
    order: tuple[str, ...] | None
    row: Change | None

    def given(self, values: Mapping[str, Any]) -> Any:
        given = {**self.fixed, **values}
        for name, bind in self.binds:
            given[name] = bind(given[name])
        return given if self.order is None else [given[name] for name in self.order]


_written: dict[tuple[Executable, tuple[str, ...], str], _Ready | None] = {}


def _ready(statement: Executable, names: tuple[str, ...], dialect: Dialect) -> _Ready | None:
    key = (statement, names, dialect.name)
    if key not in _written:
        if len(_written) > MOST:
            _written.clear()
        _written[key] = _write(statement, names, dialect)
    return _written[key]


def _write(statement: Any, names: tuple[str, ...], dialect: Dialect) -> _Ready | None:
    """None for what is not the same text each time, or gets values that SQLAlchemy makes up."""
    reads = isinstance(statement, Select)
    compiled = statement.compile(dialect=dialect, column_keys=None if reads else names)
    binds = {name: bind for bind, name in compiled.bind_names.items()}
    if any(bind.expanding for bind in binds.values()) or compiled.insert_prefetch or compiled.update_prefetch:
        return None
    changes = ((name, bind.type.dialect_impl(dialect).bind_processor(dialect)) for name, bind in binds.items())
    return _Ready(
        str(compiled),
        {name: compiled.params[name] for name, bind in binds.items() if not bind.required},
        tuple((name, change) for name, change in changes if change),
        tuple(compiled.positiontup) if compiled.positional else None,
        _row(statement, dialect) if reads else None,
    )


def _row(statement: Select[Any], dialect: Dialect) -> Change:
    """What was read as a row whose columns have names, each in its own type."""
    listed = list(statement.selected_columns)
    named: Any = namedtuple("Row", [column.key or "" for column in listed], rename=True)  # type: ignore[misc]
    found = ((at, each.type.dialect_impl(dialect).result_processor(dialect, None)) for at, each in enumerate(listed))
    typed = [(at, change) for at, change in found if change]

    def made(read: Any) -> Any:
        values = list(read)
        for at, change in typed:
            values[at] = change(values[at])
        return named._make(values)

    return made
