"""Begin, end and check an emergency. The person's Actor then names the patient; the gate and the audit go by that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, func, select

from portal.accounts import service as accounts
from portal.actors import Actor, Permission, system
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.emergency.models import Emergency
from portal.errors import Issue, NotAllowed, NotFound

LONGEST = timedelta(minutes=60)
SHORTEST_TEXT, LONGEST_TEXT = 10, 500
MOST_CHECKED = 100
"""of those that are checked, on the page; the trail has all"""


@dataclass(frozen=True)
class Open:
    """The emergency that is open in this session, for the line on every page."""

    patient_id: str
    name: str
    until: datetime


@dataclass(frozen=True)
class Told:
    """One emergency as the privacy officer reads it. `ended_at` is None while it lasts."""

    row: Emergency
    patient: str

    @property
    def reason(self) -> str:
        return str(self.row.detail["reason"])

    @property
    def over_at(self) -> datetime | None:
        return self.row.ended_at or (self.row.until if self.row.until <= now() else None)


def begin(actor: Actor, patient_id: str, reason: str) -> list[Issue]:
    """Open it in this session for at most an hour; what was open for somebody else ends. What is missing comes back.

    NotAllowed for everybody but a clinician who is signed in; NotFound for a patient of another clinic.
    """
    _must(actor, Permission.BREAK_GLASS)
    patient = accounts.patient(actor, patient_id)
    said, issues = _text(reason, "reason", "Write in a few words what the emergency is")
    if actor.session_id is None:
        raise NotAllowed
    if issues:
        return issues
    with transaction() as current:
        end(actor)
        made = Emergency(
            clinic_id=actor.clinic_id,
            account_id=actor.account_id,
            patient_id=patient.id,
            session_id=actor.session_id,
            began_at=now(),
            until=now() + LONGEST,
            detail={"who": actor.name, "reason": said, "checked_by": None, "finding": None},
        )
        current.add(made)
        current.flush()
        _record(replace(actor, emergency=patient.id), Event.EMERGENCY_BEGUN, made, reason=said)
    return []


def end(actor: Actor) -> None:
    """Close what is open in this session; nothing when nothing is."""
    with transaction():
        for each in _open(Emergency.session_id == actor.session_id):
            each.ended_at = min(now(), each.until)
            why = "closed" if now() < each.until else "time-out"
            _record(replace(actor, emergency=each.patient_id), Event.EMERGENCY_ENDED, each, why=why)


def end_overdue() -> None:
    """Write down the end of those whose hour is over; they have been closed to the person since then."""
    with transaction():
        for each in _open(Emergency.until <= now()):
            each.ended_at = each.until
            _record(system(each.clinic_id), Event.EMERGENCY_ENDED, each, why="time-out")


_CURRENT = select(Emergency).where(
    Emergency.session_id == bindparam("session_id"), Emergency.ended_at.is_(None), Emergency.until > bindparam("at")
)


def acting(actor: Actor) -> Actor:
    """The same person, with the patient whose emergency is open in their session."""
    found = _current(actor) if actor.may(Permission.BREAK_GLASS) else None
    return replace(actor, emergency=found.patient_id) if found else actor


def current(actor: Actor) -> Open | None:
    """What is open in this session."""
    found = _current(actor) if actor.emergency else None
    if found is None:
        return None
    return Open(found.patient_id, _name(actor, found.patient_id), found.until)


def name_of(actor: Actor, patient_id: str) -> str:
    """Whom it would be about, audited; NotAllowed for who may not, NotFound for a patient of another clinic."""
    _must(actor, Permission.BREAK_GLASS)
    name = _name(actor, patient_id)
    audit.seen(actor, Event.EMERGENCY_ASKED, subject=f"patients:{patient_id}", patient_id=patient_id)
    return name


def listed(actor: Actor) -> list[Told]:
    """The clinic's emergencies nobody has checked, then the newest that are checked; looking is an event too."""
    _must(actor, Permission.SEE_EMERGENCIES)
    with transaction():
        audit.record(actor, Event.EMERGENCIES_SEEN, subject=f"clinics:{actor.clinic_id}")
    newest = select(Emergency).where(Emergency.clinic_id == actor.clinic_id).order_by(Emergency.began_at.desc())
    waiting = session().scalars(newest.where(Emergency.checked_at.is_(None))).all()
    checked = session().scalars(newest.where(Emergency.checked_at.is_not(None)).limit(MOST_CHECKED)).all()
    return _told(actor, [*waiting, *checked])


def unchecked(actor: Actor) -> int:
    """How many wait for the privacy officer."""
    if not actor.may(Permission.SEE_EMERGENCIES):
        return 0
    wanted = select(func.count()).where(Emergency.clinic_id == actor.clinic_id, Emergency.checked_at.is_(None))
    return session().scalars(wanted).one()


def check(actor: Actor, emergency_id: str, finding: str) -> list[Issue]:
    """The privacy officer has looked into it and says what they found; that stands for good."""
    _must(actor, Permission.SEE_EMERGENCIES)
    row = session().get(Emergency, emergency_id)
    if row is None or row.clinic_id != actor.clinic_id:
        raise NotFound
    said, issues = _text(finding, f"finding-{row.id}", "Write what you found")
    if issues:
        return issues
    with transaction():
        session().refresh(row, with_for_update=True)
        if row.checked_at is None:
            row.checked_at = now()
            row.detail = {**row.detail, "checked_by": actor.name, "finding": said}
            _record(actor, Event.EMERGENCY_CHECKED, row)
    return []


def _text(typed: str, where: str, missing: str) -> tuple[str, list[Issue]]:
    said = " ".join(typed.split())
    if len(said) < SHORTEST_TEXT:
        return said, [Issue(where, "required", missing)]
    if len(said) > LONGEST_TEXT:
        return said, [Issue(where, "too-long", "Write at most %(most)s characters", {"most": LONGEST_TEXT})]
    return said, []


def _told(actor: Actor, rows: Sequence[Emergency]) -> list[Told]:
    people = accounts.patients(actor, {row.patient_id for row in rows})
    return [Told(row, str(people[row.patient_id].person["name"])) for row in rows]


def _name(actor: Actor, patient_id: str) -> str:
    return str(accounts.patient(actor, patient_id).person["name"])


def _current(actor: Actor) -> Emergency | None:
    return session().scalars(_CURRENT, {"session_id": actor.session_id, "at": now()}).one_or_none()


def _open(which: ColumnElement[bool]) -> Sequence[Emergency]:
    return session().scalars(select(Emergency).where(Emergency.ended_at.is_(None), which)).all()


def _must(actor: Actor, permission: Permission) -> None:
    if not actor.may(permission):
        raise NotAllowed


def _record(actor: Actor, event: Event, row: Emergency, **detail: str) -> None:
    audit.record(actor, event, subject=f"emergencies:{row.id}", patient_id=row.patient_id, detail=detail)
