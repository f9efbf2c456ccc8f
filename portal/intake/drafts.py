"""Work in progress: loaded through its owner, saved with a version so that two tabs never overwrite each other silently."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import selectinload

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.errors import Conflict
from portal.intake import visits
from portal.intake.models import Draft, Status, Submission, Visit
from portal.intake.pace import NOTE

Document = dict[str, Any]


_DRAFT = select(Draft).where(Draft.visit_id == bindparam("visit"), Draft.task == bindparam("task"))
_DRAFTS = select(Draft).where(Draft.visit_id == bindparam("visit"))
_LATEST = select(Submission).where(Submission.visit_id == bindparam("visit")).order_by(Submission.round.desc()).limit(1)
_STATUS = _LATEST.with_only_columns(Submission.status)
_DRAFT_STATUS = _DRAFT.add_columns(_STATUS.scalar_subquery())
REOPENED = frozenset({Status.RETURNED.value, Status.WITHDRAWN.value, Status.CHANGING.value})
"""What was sent and is followed by another round."""
_OPEN = REOPENED | {None}
"""Nothing sent yet, given back by the clinic, or opened again by the patient."""


def draft(visit: Visit, task: str) -> Draft | None:
    return session().scalars(_DRAFT, {"visit": visit.id, "task": task}).one_or_none()


def of_visit(visit: Visit) -> dict[str, Draft]:
    return {row.task: row for row in session().scalars(_DRAFTS, {"visit": visit.id})}


class AlreadySent(Conflict):
    title = "Your answers have been sent"
    sentence = "They can no longer be changed here. If something is wrong, tell your clinic."


def save(
    actor: Actor,
    visit_id: str,
    task: str,
    change: Callable[[Draft | None], Document],
    event: Event,
    detail: Document | None = None,
) -> Draft:
    """Write what `change` makes of the draft under the visit's lock, with its audit row. AlreadySent once it was sent.

    A form's "response" in it is kept apart; a change without one leaves it as it is.
    """
    with transaction(keep=True) as current:
        visit = visits.visit(actor, visit_id, lock=True)
        row = _open_draft(visit, task)
        document = dict(change(row))
        response = document.pop("response", None)
        if row is not None and NOTE in row.document:
            document.setdefault(NOTE, row.document[NOTE])
        if row is None:
            row = Draft(
                clinic_id=visit.clinic_id,
                visit_id=visit.id,
                patient_id=visit.patient_id,
                task=task,
                version=0,
                saved_at=now(),
                document=document,
            )
            current.add(row)
        row.version, row.saved_at, row.document = row.version + 1, now(), document
        row.form_version_id = document.get("version_id")
        if response is not None:
            row.response = response
        audit.record(actor, event, subject=f"drafts:{row.id}", patient_id=visit.patient_id, detail=detail or {})
        return row


def _open_draft(visit: Visit, task: str) -> Draft | None:
    """The draft of a task, under the visit's lock. AlreadySent once it was sent."""
    found = session().execute(_DRAFT_STATUS, {"visit": visit.id, "task": task}).one_or_none()
    status = session().scalar(_STATUS, {"visit": visit.id}) if found is None else found[1]
    if status not in _OPEN:
        raise AlreadySent
    return found[0] if found else None


def latest_submission(visit: Visit) -> Submission | None:
    return session().scalars(_LATEST, {"visit": visit.id}).one_or_none()


def latest_submissions(of: list[Visit]) -> dict[str, Submission]:
    """The latest submission of each visit that has one, by visit id, with its history."""
    rows = session().scalars(
        select(Submission)
        .where(Submission.visit_id.in_([visit.id for visit in of]))
        .order_by(Submission.round)
        .options(selectinload(Submission.history))
    )
    return {row.visit_id: row for row in rows}


def saved_at(of: list[Visit]) -> dict[str, datetime]:
    """When something was last saved for each visit, by visit id."""
    rows = session().execute(
        select(Draft.visit_id, Draft.saved_at)
        .where(Draft.visit_id.in_([visit.id for visit in of]))
        .order_by(Draft.saved_at)
    )
    return {visit_id: saved for visit_id, saved in rows}


def open_for_answers(visit: Visit) -> bool:
    """Whether the patient may still change answers."""
    return session().scalar(_STATUS, {"visit": visit.id}) in _OPEN


def open_visit(actor: Actor, visit_id: str) -> Visit:
    """One visit of this patient that may still be answered. NotFound for anybody else's, AlreadySent once it was sent."""
    visit, status = visits.visit_with_status(actor, visit_id)
    if status not in _OPEN:
        raise AlreadySent
    return visit
