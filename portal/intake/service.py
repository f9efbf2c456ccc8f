"""What other rooms may ask of intake: submissions for the desk, visits for the lists, appointments into visits."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from portal.accounts import service as accounts
from portal.actors import STAFF, Actor, Role
from portal.clock import now
from portal.db import session
from portal.ehr import service as ehr
from portal.errors import NotAllowed, NotFound
from portal.intake.drafts import latest_submission
from portal.intake.models import Draft, Status, Submission, Visit, VisitState
from portal.intake.sending import Task, TaskState, Where, move, tasks, where
from portal.intake.visits import Expected, expect, upcoming

__all__ = [
    "Expected",
    "Status",
    "Submission",
    "Synchronised",
    "Task",
    "TaskState",
    "Visit",
    "VisitState",
    "Where",
    "anything_from",
    "expect",
    "latest_submission",
    "move",
    "submission",
    "submitted",
    "synchronise",
    "tasks",
    "upcoming",
    "visit_states",
    "where",
]


def submitted(actor: Actor, statuses: frozenset[Status] = frozenset(Status)) -> list[Submission]:
    """The clinic's submissions in these states, the earliest visit first; for its staff."""
    _staff_only(actor)
    rows = session().scalars(
        select(Submission)
        .join(Visit)
        .where(Submission.clinic_id == actor.clinic_id, Submission.status.in_({status.value for status in statuses}))
        .order_by(Visit.starts_at, Submission.sent_at)
    )
    return list(rows.unique())


def submission(actor: Actor, submission_id: str) -> Submission:
    """One submission of the actor's clinic, for staff; NotFound for any other."""
    _staff_only(actor)
    found = (
        session()
        .scalars(select(Submission).where(Submission.id == submission_id, Submission.clinic_id == actor.clinic_id))
        .unique()
        .one_or_none()
    )
    if found is None:
        raise NotFound
    return found


def visit_states(actor: Actor, of: list[Visit]) -> dict[str, str | None]:
    """The latest submission's status by visit id (None: nothing sent yet), in one query."""
    _staff_only(actor)
    rows = session().execute(
        select(Submission.visit_id, Submission.status)
        .where(Submission.visit_id.in_({visit.id for visit in of}), Submission.clinic_id == actor.clinic_id)
        .order_by(Submission.round)
    )
    found = {visit_id: status for visit_id, status in rows}
    return {visit.id: found.get(visit.id) for visit in of}


def anything_from(actor: Actor, patient_id: str) -> bool:
    """Whether this patient of the clinic has written or sent anything here."""
    _staff_only(actor)
    ours = (Draft.patient_id == patient_id, Draft.clinic_id == actor.clinic_id)
    sent = (Submission.patient_id == patient_id, Submission.clinic_id == actor.clinic_id)
    return any(
        session().scalar(wanted.limit(1)) is not None
        for wanted in (select(Draft.id).where(*ours), select(Submission.id).where(*sent))
    )


@dataclass(frozen=True)
class Synchronised:
    """What a look at the clinic's appointments brought. `reason` (an English msgid) says why it could not look, if so."""

    seen: int
    new: list[Visit]
    unclear: int
    reason: str | None


def synchronise(actor: Actor, *, days: int = 14) -> Synchronised:
    """Bring the clinic's appointments from yesterday to `days` ahead into visits.

    Moved and cancelled ones change the visit, never the answers. `unclear` counts appointments without exactly one
    Patient: nobody is invited for those before a person has looked.
    """
    found = ehr.upcoming(actor, actor.clinic_id, now() - timedelta(days=1), now() + timedelta(days=days))
    new: list[Visit] = []
    for appointment in found.appointments:
        owner = accounts.expect_patient(actor, appointment.connection_id, appointment.patient_id, appointment.person)
        visit, is_new = expect(actor, owner.id, _expected(appointment))
        new += [visit] if is_new else []
    return Synchronised(len(found.appointments), new, found.unclear, ehr.WORDS[found.reason] if found.reason else None)


def _expected(appointment: ehr.Appointment) -> Expected:
    return Expected(
        connection_id=appointment.connection_id,
        appointment_id=appointment.id,
        starts_at=appointment.starts_at,
        cancelled=appointment.cancelled,
        detail={"what": appointment.what, "with": appointment.with_whom, "where": appointment.where},
    )


def _staff_only(actor: Actor) -> None:
    if actor.role not in STAFF | {Role.SYSTEM}:
        raise NotAllowed
