"""`portal erase`: everything about one patient goes, their key first; the audit trail stays, without its sealed words."""

import argparse
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, delete, or_, select, text, update

from portal import db
from portal.actors import system
from portal.audit import service as audit
from portal.audit.events import Event
from portal.db import Base, DataKey, session, transaction
from portal.errors import PortalError
from portal.keeping import opening

UNFINISHED = ("waiting", "not-confirmed", "held")
STAYS = "audit_events"


@dataclass(frozen=True)
class Erased:
    """How many rows went, table by table."""

    rows: dict[str, int]


def run(arguments: argparse.Namespace) -> None:
    opening.installation()
    found = erase(arguments.patient, arguments.reason, even_unfinished=arguments.even_unfinished)
    print(", ".join(f"{count} {table}" for table, count in found.rows.items()) + ": erased.")
    print(
        "The audit trail keeps that things happened (when, who by id, what kind), never what was written or anybody's name."
    )
    print("Backups made before still hold the sealed data and its key until they are thrown away.")
    print("What was delivered is in the clinic's own record, which this command does not reach.")


def erase(patient_id: str, reason: str, *, even_unfinished: bool = False) -> Erased:
    """Delete the patient's key and rows in one transaction, with an audit row. PortalError when there is no such patient, or when
    accepted answers of theirs are still on their way."""
    with transaction() as current:
        patients = Base.metadata.tables["patients"]
        clinic_id = current.scalar(select(patients.c.clinic_id).where(patients.c.id == patient_id))
        if clinic_id is None:
            raise PortalError(
                f"There is no patient {patient_id!r} here. The id is in the address of their page on the desk."
            )
        if not even_unfinished and _unfinished(patient_id):
            raise PortalError(
                "Accepted answers of this patient are still on their way to the record. Let them arrive, close them at "
                "/desk/held, or say --even-unfinished: they are then never sent."
            )
        rows = _rows(patient_id)
        current.execute(delete(DataKey).where(DataKey.owner == patient_id))
        audit.record(
            system(clinic_id, "An operator"),
            Event.PATIENT_ERASED,
            subject=f"patients:{patient_id}",
            detail={"reason": reason, "rows": rows},
        )
    db.close()
    _scrub()
    return Erased(rows)


def _unfinished(patient_id: str) -> bool:
    items = Base.metadata.tables["outbox_items"]
    wanted = select(items.c.id).where(items.c.patient_id == patient_id, items.c.state.in_(UNFINISHED))
    return session().scalar(wanted.limit(1)) is not None


def _rows(patient_id: str) -> dict[str, int]:
    """Delete whatever names the patient, or belongs to something of theirs; children before parents. How many, by table."""
    doomed = {"patients": Base.metadata.tables["patients"].c.id == patient_id}
    for table in Base.metadata.sorted_tables:
        condition = _theirs(table, patient_id, doomed)
        if condition is not None and table.name not in {STAYS, "patients"}:
            doomed[table.name] = condition
    gone: dict[str, int] = {}
    for table in reversed(Base.metadata.sorted_tables):
        _let_go(table, doomed)
        if table.name in doomed:
            count = session().execute(delete(table).where(doomed[table.name])).rowcount  # type: ignore[attr-defined]
            gone |= {table.name: count} if count else {}
    return gone


def _theirs(table: Table, patient_id: str, doomed: dict[str, ColumnElement[bool]]) -> ColumnElement[bool] | None:
    """Rows of a table that go: those about the patient, and those that cannot stand without something that goes."""
    about = [table.c.patient_id == patient_id] if "patient_id" in table.c else []
    for column in table.c:
        for key in column.foreign_keys:
            parent = key.column.table
            if parent.name in doomed and parent.name != table.name and not (column.nullable and _others(table)):
                about.append(column.in_(select(key.column).where(doomed[parent.name])))
    return or_(*about) if about else None


def _let_go(table: Table, doomed: dict[str, ColumnElement[bool]]) -> None:
    """A row about somebody else that only mentions something that goes loses the mention."""
    for column in table.c:
        for key in column.foreign_keys:
            parent = key.column.table
            if column.nullable and _others(table) and parent.name in doomed and column.name != "patient_id":
                going = select(key.column).where(doomed[parent.name])
                session().execute(update(table).where(column.in_(going)).values({column.name: None}))


def _others(table: Table) -> bool:
    """Whether rows of this table are about a patient of their own."""
    return "patient_id" in table.c and not table.c.patient_id.nullable


def _scrub() -> None:
    """What was deleted leaves the files too: SQLite overwrites it and empties its log; PostgreSQL is told to vacuum."""
    engine = db.engine()
    if engine.dialect.name == "sqlite":
        held = engine.raw_connection()
        held.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        held.close()
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM data_keys"))
