"""Visits: found through their owner, made from the clinic's appointments."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, Select, Table, bindparam, select
from sqlalchemy.orm.instrumentation import manager_of_class

from portal import columns
from portal.accounts import service as accounts
from portal.actors import STAFF, Actor, Role
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.errors import NotAllowed, NotFound
from portal.intake.models import Draft, Submission, Visit, VisitState

_VISITS = cast(Table, Visit.__table__)
_NAMES = tuple(column.name for column in _VISITS.columns)
_OF_PATIENT = select(_VISITS).where(Visit.clinic_id == bindparam("clinic"), Visit.patient_id == bindparam("patient"))


def of_patient(actor: Actor) -> list[Visit]:
    """This patient's visits, the next one first, then those that have been."""
    rows = [_as_read(row) for row in columns.ask(_OF_PATIENT, clinic=actor.clinic_id, patient=actor.patient_id)]
    return sorted(rows, key=lambda visit: (visit.starts_at < now(), abs(visit.starts_at - now())))


_OWN = select(_VISITS).where(
    Visit.id == bindparam("visit"),
    Visit.clinic_id == bindparam("clinic"),
    Visit.patient_id == bindparam("patient"),
)
_OWN_LOCKED = _OWN.with_for_update()
_SENT = (
    select(Submission.status)
    .where(Submission.visit_id == Visit.id)
    .order_by(Submission.round.desc())
    .limit(1)
    .correlate(Visit)
    .scalar_subquery()
)
_OWN_SENT = _OWN.add_columns(_SENT.label("sent"))


def visit(actor: Actor, visit_id: str, *, lock: bool = False) -> Visit:
    """One visit of this patient; NotFound for anybody else's. `lock` holds it for the rest of the transaction."""
    return _as_read(_own(actor, visit_id, _OWN_LOCKED if lock else _OWN))


def lock(actor: Actor, visit_id: str) -> Row[Any]:
    """The columns of one visit of this patient, held for the rest of the transaction; NotFound for anybody else's."""
    return _own(actor, visit_id, _OWN_LOCKED)


def visit_with_status(actor: Actor, visit_id: str) -> tuple[Visit, str | None]:
    """One visit of this patient and the status of what was last sent for it, None for nothing; NotFound for anybody else's."""
    found = _own(actor, visit_id, _OWN_SENT)
    return _as_read(found), found.sent


def _own(actor: Actor, visit_id: str, wanted: Select[Any]) -> Row[Any]:
    owned = {"visit": visit_id, "clinic": actor.clinic_id, "patient": actor.patient_id}
    found: Row[Any] | None = columns.ask(wanted, **owned).one_or_none()
    if found is None:
        raise NotFound
    return found


def _as_read(row: Row[Any]) -> Visit:
    """To look at only: no unit of work knows it, so nothing that is changed in it is ever written. Its columns are put
    where a query of the ORM puts them: to set each as a new value costs as much as to ask for them."""
    made: Visit = manager_of_class(Visit).new_instance()
    vars(made).update(zip(_NAMES, row, strict=False))
    return made


def owner(actor: Actor, visit_id: str) -> str | None:
    """Whose visit of this clinic it is."""
    return session().scalar(select(Visit.patient_id).where(Visit.id == visit_id, Visit.clinic_id == actor.clinic_id))


def upcoming(actor: Actor, start: datetime, end: datetime) -> list[Visit]:
    """The clinic's visits between two times, for its staff."""
    if actor.role not in STAFF | {Role.SYSTEM}:
        raise NotAllowed
    rows = session().scalars(
        select(Visit)
        .where(Visit.clinic_id == actor.clinic_id, Visit.starts_at >= start, Visit.starts_at < end)
        .order_by(Visit.starts_at)
    )
    return list(rows)


CLOSED = {
    "cancelled": "This visit was cancelled",
    "noshow": "You were expected at this visit",
    "entered-in-error": "This visit was entered by mistake",
    "gone": "This visit is no longer in the clinic's calendar",
    "fulfilled": "This visit has taken place",
}
"""Why a visit asks nothing any more: an Appointment's status, or "gone"; the heading that the patient reads (a msgid)."""


def closed(visit: Visit) -> str | None:
    """The heading of a visit that asks nothing any more; None while it is still to come."""
    why = visit.detail.get("why")
    return CLOSED.get(why, CLOSED["cancelled"]) if why or visit.state == VisitState.CANCELLED else None


def over(visit: Visit) -> bool:
    """Whether its time has come."""
    return visit.starts_at < now()


def unseen(actor: Actor, seen: Collection[str], connection_id: str, start: datetime, end: datetime) -> list[Visit]:
    """Visits of this time from this server's calendar whose appointment was not among those `seen` there."""
    return [
        each
        for each in upcoming(actor, start, end)
        if each.connection_id == connection_id and each.appointment_id and each.appointment_id not in seen
    ]


@dataclass(frozen=True)
class Expected:
    """An appointment as the clinic's server tells it."""

    connection_id: str | None
    appointment_id: str | None
    starts_at: datetime
    cancelled: bool
    detail: dict[str, str | None]
    """{"what", "with", "where", "why"}; `why` is one of CLOSED when it asks nothing any more"""


def expect(actor: Actor, patient_id: str, expected: Expected) -> tuple[Visit, bool]:
    """The visit behind an appointment, made or brought up to date, and whether it is new. Answers are never touched."""
    state = VisitState.CANCELLED if expected.cancelled else VisitState.EXPECTED
    with transaction() as current:
        owner = accounts.patient(actor, patient_id)
        known = _known(actor, expected)
        if known is None:
            made = Visit(
                clinic_id=actor.clinic_id,
                patient_id=owner.id,
                connection_id=expected.connection_id,
                appointment_id=expected.appointment_id,
                starts_at=expected.starts_at,
                state=state.value,
                detail=expected.detail,
            )
            current.add(made)
            audit.record(actor, Event.VISIT_SYNCHRONISED, subject=f"visits:{made.id}", patient_id=owner.id)
            return made, True
        _bring_up_to_date(actor, known, owner.id, expected, state)
        return known, False


def _known(actor: Actor, expected: Expected) -> Visit | None:
    if expected.appointment_id is None:
        return None
    return (
        session()
        .scalars(
            select(Visit).where(
                Visit.clinic_id == actor.clinic_id,
                Visit.connection_id == expected.connection_id,
                Visit.appointment_id == expected.appointment_id,
            )
        )
        .one_or_none()
    )


def _bring_up_to_date(actor: Actor, known: Visit, owner_id: str, expected: Expected, state: VisitState) -> None:
    """Also whose visit it is, once a person has said who the record belongs to; never after something was written for it."""
    before = (known.patient_id, known.starts_at, known.state, known.detail)
    after = (owner_id, expected.starts_at, state.value, expected.detail)
    if before == after or (known.patient_id != owner_id and _written(known)):
        return
    known.patient_id, known.starts_at, known.state = owner_id, expected.starts_at, state.value
    known.detail = expected.detail  # sealed anew, for its owner
    audit.record(actor, Event.VISIT_SYNCHRONISED, subject=f"visits:{known.id}", patient_id=known.patient_id)


def _written(visit: Visit) -> bool:
    return session().scalar(select(Draft.id).where(Draft.visit_id == visit.id).limit(1)) is not None
