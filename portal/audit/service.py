"""Records what happened in the caller's transaction, and tells people what was recorded about them."""

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import cast

from sqlalchemy import Table, bindparam, select

from portal import columns, db
from portal.actors import Actor, Purpose, Role
from portal.audit import chain, verifier
from portal.audit.events import PLAIN, Event, Outcome
from portal.audit.models import AuditHead, AuditRow
from portal.clock import now
from portal.db import session, transaction

_ROWS, _HEADS = cast(Table, AuditRow.__table__), cast(Table, AuditHead.__table__)
_HEAD = select(_HEADS.c.seq, _HEADS.c.hash).where(_HEADS.c.clinic_id == bindparam("clinic")).with_for_update()
_APPEND = _ROWS.insert()
_BEGIN = _HEADS.insert().values(clinic_id=bindparam("clinic"), seq=bindparam("new_seq"), hash=bindparam("new_hash"))
_MOVE = (
    _HEADS.update()
    .where(_HEADS.c.clinic_id == bindparam("clinic"))
    .values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
)

NOTHING: Mapping[str, object] = {}
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def record(
    actor: Actor,
    event: Event,
    *,
    subject: str,
    patient_id: str | None = None,
    detail: Mapping[str, object] | None = None,
    outcome: Outcome = Outcome.OK,
) -> None:
    """Append one event; only inside `transaction()`, so that it stands or falls with what it tells.

    `subject` is "table:id". `detail` is sealed for the patient (or the clinic); never put an answer into it.
    """
    with transaction():
        _append(columns.ask, _row(actor, event, subject, patient_id, detail or {}, outcome))


def _row(
    actor: Actor,
    event: Event,
    subject: str,
    patient_id: str | None,
    detail: Mapping[str, object] = NOTHING,
    outcome: Outcome = Outcome.OK,
) -> dict[str, object]:
    """The row but for its place in the chain; by its columns: every page of health data pays for this."""
    row_id = db.new_id()
    return {
        "id": row_id,
        "clinic_id": actor.clinic_id,
        "event": event.value,
        "outcome": outcome.value,
        "role": actor.role.value,
        "account_id": actor.account_id,
        "patient_id": patient_id,
        "subject": subject,
        "purpose": actor.purpose_for(patient_id).value,
        "request_id": request_id.get(),
        "detail_sealed": AuditRow.detail.sealed(row_id, patient_id or actor.clinic_id, {"who": actor.name, **detail}),
    }


def _append(ask: Callable[..., columns.Found], row: dict[str, object]) -> None:
    """Put the row at the end of its clinic's chain, which is locked until the transaction ends."""
    last = ask(_HEAD, clinic=row["clinic_id"]).one_or_none()
    seq, before = (last.seq + 1, last.hash) if last else (1, chain.GENESIS)
    row.update(seq=seq, recorded_at=now())
    row["hash"] = chain.link(db.keys().derived("audit"), before, row)
    ask(_APPEND, **row)
    ask(_MOVE if last else _BEGIN, clinic=row["clinic_id"], new_seq=seq, new_hash=row["hash"])


def seen(actor: Actor, event: Event, *, subject: str, patient_id: str | None) -> None:
    """A read of health data, written down and committed before the page leaves."""
    if db.writing() or not db.knows_key(patient_id or actor.clinic_id):
        with db.apart(), transaction():
            record(actor, event, subject=subject, patient_id=patient_id)
        return
    row = _row(actor, event, subject, patient_id)
    with db.written_apart() as store:
        _append(partial(columns.on, store), row)


def noted(actor: Actor, event: Event, subject: str) -> None:
    """Somebody used the trail itself; committed before they get to see it."""
    with db.apart(), transaction():
        record(actor, event, subject=f"audit_events:{subject}"[:80])


@dataclass(frozen=True)
class Entry:
    """One line of "who looked": `sentence` is an English msgid with %(who)s."""

    id: str
    at: datetime
    who: str
    role: Role
    sentence: str
    refused: bool
    emergency: bool = False
    reason: str = ""
    """what was said at the beginning of an emergency"""
    own: bool = False
    """whether the patient who reads it did it"""


def who_looked(actor: Actor, before: datetime | None = None, limit: int = 50) -> list[Entry]:
    """What was recorded about this patient, newest first, in plain words; their own and the system's acts included.

    `before` goes on from the last entry of the page before.
    """
    rows = session().scalars(
        select(AuditRow)
        .where(
            AuditRow.clinic_id == actor.clinic_id,
            AuditRow.patient_id == actor.patient_id,
            AuditRow.event.in_([event.value for event in PLAIN]),
            *([AuditRow.recorded_at < before] if before else []),
        )
        .order_by(AuditRow.recorded_at.desc(), AuditRow.seq.desc())
        .limit(limit)
    )
    return [entry(row, actor) for row in rows]


@dataclass(frozen=True)
class Happened:
    """One event about one thing: when, what, who."""

    at: datetime
    event: Event
    who: str
    role: Role
    account_id: str
    subject: str


def about(actor: Actor, patient_id: str, subjects: Iterable[str], events: Iterable[Event]) -> list[Happened]:
    """What succeeded of these events about these things of one patient of the actor's clinic, oldest first."""
    rows = session().scalars(
        select(AuditRow)
        .where(
            AuditRow.clinic_id == actor.clinic_id,
            AuditRow.patient_id == patient_id,
            AuditRow.subject.in_(list(subjects)),
            AuditRow.outcome == Outcome.OK.value,
            AuditRow.event.in_([event.value for event in events]),
        )
        .order_by(AuditRow.recorded_at, AuditRow.seq)
    )
    return [
        Happened(
            row.recorded_at, Event(row.event), row.detail["who"], Role(row.role), row.account_id or "", row.subject
        )
        for row in rows
    ]


def entry(row: AuditRow, reader: Actor | None = None) -> Entry:
    event = Event(row.event)
    return Entry(
        row.id,
        row.recorded_at,
        row.detail["who"],
        Role(row.role),
        PLAIN[event],
        event is Event.ACCESS_DENIED,
        row.purpose == Purpose.EMERGENCY,
        row.detail.get("reason", "") if event is Event.EMERGENCY_BEGUN else "",
        reader is not None and reader.role is Role.PATIENT and row.account_id == reader.account_id,
    )


def verify(clinic_id: str) -> int | None:
    """None when the clinic's whole chain is true and ends at its head; else the first sequence number that is not."""
    return next((each.seq for each in breaks() if each.clinic_id == clinic_id), None)


def breaks(heads: Iterable[verifier.Row] = ()) -> list[verifier.Break]:
    """Where the chains of this database stop being true, against heads that were signed earlier; none when all are whole."""
    rows = session().scalars(
        select(AuditRow).order_by(AuditRow.clinic_id, AuditRow.seq).execution_options(yield_per=1000)
    )
    ends = {head.clinic_id: (head.seq, head.hash) for head in session().scalars(select(AuditHead))}
    return verifier.breaks(db.keys().derived("audit"), map(chain.exported, rows), ends, heads)


def ends() -> list[dict[str, object]]:
    """Where each clinic's chain ends now."""
    found = session().scalars(select(AuditHead).order_by(AuditHead.clinic_id))
    return [{"clinic_id": head.clinic_id, "seq": head.seq, "hash": head.hash} for head in found]
