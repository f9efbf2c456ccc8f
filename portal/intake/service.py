"""What other rooms may ask of intake: submissions for the desk, visits for the lists, appointments into visits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from portal.accounts import service as accounts
from portal.actors import STAFF, Actor, Role
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import service as ehr
from portal.ehr.errors import EhrError, NotThere
from portal.ehr.finding import starts_at
from portal.errors import NotAllowed, NotFound
from portal.fhir import codes
from portal.intake import visits, withdrawing
from portal.intake.asking import asked
from portal.intake.cards import data_of as card_data
from portal.intake.confirming import TASK as FACTS_TASK
from portal.intake.drafts import latest_submission
from portal.intake.given import Given, given, kept
from portal.intake.models import Draft, Status, Submission, SubmissionStatus, Visit, VisitState
from portal.intake.sending import Task, TaskState, Where, move, tasks, where
from portal.intake.visits import Expected, expect, owner, upcoming

MOST_FOLLOWED = 50
"""appointments asked for one by one in one look at the calendar; the next look takes the rest"""

__all__ = [
    "Expected",
    "Given",
    "Status",
    "Submission",
    "Synchronised",
    "Task",
    "TaskState",
    "Visit",
    "VisitState",
    "Where",
    "anything_from",
    "asked",
    "asks_nothing",
    "card_data",
    "expect",
    "forget_facts",
    "given",
    "kept",
    "last_sent",
    "latest_submission",
    "move",
    "moved_since",
    "owner",
    "submission",
    "submitted",
    "synchronise",
    "tasks",
    "upcoming",
    "visit_states",
    "visits_of",
    "visits_with",
    "where",
]


def submitted(
    actor: Actor,
    statuses: frozenset[Status] = frozenset(Status),
    *,
    visit_id: str | None = None,
    patient_id: str | None = None,
) -> list[Submission]:
    """What was sent for one visit, or by one patient, in these states, the earliest visit first; for the clinic's staff.

    Never all of a clinic: that grows for ever (see heads.py).
    """
    _staff_only(actor)
    wanted = (
        select(Submission)
        .join(Visit)
        .where(Submission.clinic_id == actor.clinic_id, Submission.status.in_({status.value for status in statuses}))
        .order_by(Visit.starts_at, Submission.sent_at)
    )
    of = Submission.visit_id == visit_id if visit_id else Submission.patient_id == patient_id
    return list(session().scalars(wanted.where(of)).unique())


def moved_since(actor: Actor, status: Status, at: datetime) -> list[Submission]:
    """Those that are in this state and came into it after `at`; for the clinic's staff and the system."""
    _staff_only(actor)
    came = select(SubmissionStatus.submission_id).where(
        SubmissionStatus.clinic_id == actor.clinic_id,
        SubmissionStatus.status == status.value,
        SubmissionStatus.at >= at,
    )
    return list(session().scalars(select(Submission).where(Submission.id.in_(came), Submission.status == status.value)))


def visits_of(actor: Actor, visit_ids: Collection[str]) -> list[Visit]:
    """These visits of the clinic, for its staff and the system."""
    _staff_only(actor)
    return list(session().scalars(select(Visit).where(Visit.clinic_id == actor.clinic_id, Visit.id.in_(visit_ids))))


def visits_with(actor: Actor, patient_ids: Collection[str]) -> list[Visit]:
    """All visits of these patients of the clinic, the latest first, for its staff."""
    _staff_only(actor)
    ours = select(Visit).where(Visit.clinic_id == actor.clinic_id, Visit.patient_id.in_(patient_ids))
    return list(session().scalars(ours.order_by(Visit.starts_at.desc())))


def last_sent(actor: Actor, of: list[Visit]) -> dict[str, tuple[str, str]]:
    """Id and status of the latest submission of each visit that has one, by visit id; opens nothing that is sealed."""
    _staff_only(actor)
    rows = session().execute(
        select(Submission.visit_id, Submission.id, Submission.status)
        .where(Submission.visit_id.in_({visit.id for visit in of}), Submission.clinic_id == actor.clinic_id)
        .order_by(Submission.round)
    )
    return {visit_id: (submission_id, status) for visit_id, submission_id, status in rows}


def asks_nothing(visit: Visit) -> bool:
    """Whether it was cancelled, missed or is over."""
    return visits.closed(visit) is not None


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
    found = last_sent(actor, of)
    return {visit.id: found[visit.id][1] if visit.id in found else None for visit in of}


def anything_from(actor: Actor, patient_id: str) -> bool:
    """Whether this patient of the clinic has written or sent anything here."""
    _staff_only(actor)
    ours = (Draft.patient_id == patient_id, Draft.clinic_id == actor.clinic_id)
    sent = (Submission.patient_id == patient_id, Submission.clinic_id == actor.clinic_id)
    return any(
        session().scalar(wanted.limit(1)) is not None
        for wanted in (select(Draft.id).where(*ours), select(Submission.id).where(*sent))
    )


def forget_facts(actor: Actor, patient_id: str, wrong: Sequence[dict[str, Any]]) -> None:
    """Take what was shown of a record out of this patient's drafts: it was somebody else's
    (`wrong`: what was read of it). In the caller's transaction."""
    _staff_only(actor)
    with transaction() as current:
        wanted = select(Draft).where(
            Draft.patient_id == patient_id, Draft.clinic_id == actor.clinic_id, Draft.task == FACTS_TASK
        )
        for row in current.scalars(wanted):
            current.delete(row)
        withdrawing.forget_filled_in(actor, patient_id, wrong)


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
    start, end = now() - timedelta(days=1), now() + timedelta(days=days)
    found = ehr.upcoming(actor, actor.clinic_id, start, end)
    new: list[Visit] = []
    for appointment in found.appointments:
        owner = accounts.expect_patient(actor, appointment.connection_id, appointment.patient_id, appointment.person)
        visit, is_new = expect(actor, owner.id, _expected(appointment))
        new += [visit] if is_new else []
    if found.complete:
        _follow(actor, {each.id for each in found.appointments}, start, end)
    return Synchronised(len(found.appointments), new, found.unclear, ehr.WORDS[found.reason] if found.reason else None)


def _expected(appointment: ehr.Appointment) -> Expected:
    return Expected(
        connection_id=appointment.connection_id,
        appointment_id=appointment.id,
        starts_at=appointment.starts_at,
        cancelled=appointment.cancelled,
        detail={
            "what": appointment.what,
            "with": appointment.with_whom,
            "where": appointment.where,
            "why": _why(appointment.status),
        },
    )


def _why(status: str) -> str | None:
    return status if status in visits.CLOSED else None


def _follow(actor: Actor, seen: set[str], start: datetime, end: datetime) -> None:
    """Appointments that were here and are not in the calendar of these days any more: each is asked for by its id.

    One that cannot be read just now stays as it is.
    """
    connection = ehr.connection_for(actor.clinic_id)
    missing = visits.unseen(actor, seen, connection.id, start, end) if connection else []
    if connection is None or not missing:
        return
    client, ids = ehr.client_for(connection), [(each.id, each.appointment_id or "") for each in missing]
    session().commit()  # nothing is held open in the database while we wait for the network
    for visit_id, appointment_id in ids[:MOST_FOLLOWED]:
        try:
            found = client.read("Appointment", appointment_id)
        except NotThere:
            found = {"status": "gone"}
        except EhrError:
            continue
        _moved(actor, session().get_one(Visit, visit_id), found)


def _moved(actor: Actor, visit: Visit, appointment: dict[str, Any]) -> None:
    status = str(appointment.get("status"))
    gone = status in codes.CANCELLED_VISIT or status == "gone"
    moved_to = starts_at(appointment) or visit.starts_at
    detail = {**visit.detail, "why": _why(status)}
    expect(actor, visit.patient_id, Expected(visit.connection_id, visit.appointment_id, moved_to, gone, detail))


def _staff_only(actor: Actor) -> None:
    if actor.role not in STAFF | {Role.SYSTEM}:
        raise NotAllowed
