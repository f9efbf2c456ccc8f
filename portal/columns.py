"""Statements that every page pays for, past the ORM: columns in, columns out, a quarter of what the same costs through its session."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, select
from sqlalchemy.orm import Session

from portal.db import DataKey, know_key, knows_key, session


def ask(statement: Executable, **values: object) -> CursorResult[Any]:
    """Runs it in the current unit of work, after what was changed there by way of the ORM and is not written yet."""
    current = session()
    if current.info.get("writing"):
        current.flush()
    return _connection(current).execute(statement, values)


def _connection(current: Session) -> Connection:
    """The session's own, asked for once in each of its transactions: to ask costs as much as a third of a statement."""
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
