"""How SQLite would answer what pages ask, were the clinic large: by its own plan, told that each table has a million rows."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import Engine

from portal.db import Base

ROWS = 1_000_000
FEW = {
    "clinics", "connections", "launch_clients", "library_forms", "form_versions", "form_steps", "library_terms",
    "expansions", "signing_keys", "audit_heads", "proxy_ages", "asked_rules", "measured_days", "delivery_endpoints",
    "delivery_workers", "delivery_jobs",
}  # fmt: skip
"""Tables that hold a handful for each clinic, however long it has been here."""
SMALL = {"status", "state", "kind", "event", "verdict", "role", "act", "task"}
"""Columns of few different values; what is asked for by them is what is not done with, so it is few."""
WHOLE = re.compile(r"(SCAN|SEARCH) (?P<name>\w+)( USING (COVERING )?INDEX \w+ \((?P<by>[^)]*)\))?")


def large(engine: Engine) -> None:
    """Tell the planner that every table has a million rows, all of one clinic."""
    with engine.begin() as held:
        held.exec_driver_sql("ANALYZE")
        held.exec_driver_sql("DELETE FROM sqlite_stat1")
        for table in Base.metadata.sorted_tables:
            if table.name in FEW:
                continue
            for (index,) in held.exec_driver_sql(
                f"SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = '{table.name}'"
            ).all():
                columns = [row[2] for row in held.exec_driver_sql(f"PRAGMA index_info({index})")]
                held.exec_driver_sql("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", (table.name, index, _told(columns)))
    engine.dispose()


def _told(columns: Iterable[str]) -> str:
    left, said = ROWS, [ROWS]
    for column in columns:
        left = left if column == "clinic_id" else max(1, left // (50 if column in SMALL else 50_000))
        said.append(left)
    return " ".join(map(str, said))


def whole(engine: Engine, statements: Iterable[str]) -> dict[str, str]:
    """Statements that would read a table from end to end, or all of a clinic's, and stop at no limit; with the step that does."""
    tables = {table.name for table in Base.metadata.sorted_tables} - FEW
    found = {}
    with engine.connect() as held:
        for statement in statements:
            if not statement.lstrip().upper().startswith("SELECT") or " LIMIT " in " ".join(statement.split()):
                continue
            for row in held.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", tuple([None] * statement.count("?"))):
                step = WHOLE.match(row[3])
                if step and _table(step["name"], statement) in tables and step["by"] in (None, "clinic_id=?"):
                    found[statement] = row[3]
    return found


def _table(name: str, statement: str) -> str:
    """What an alias stands for."""
    aliased = re.search(rf"(\w+) AS {name}\b", statement)
    return aliased[1] if aliased and aliased[1] != name else name
