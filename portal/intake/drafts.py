"""Work in progress: loaded through its owner, saved with a version so that two tabs never overwrite each other silently."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, cast

from sqlalchemy import Row, Table, bindparam, select
from sqlalchemy.orm import selectinload

from portal import columns
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import new_id, session, transaction
from portal.errors import Conflict
from portal.intake import visits
from portal.intake.models import Draft, Status, Submission, Visit
from portal.intake.pace import NOTE

Document = dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """A draft as it was read, past the ORM; what is sealed in it is opened when it is asked for."""

    id: str
    visit_id: str
    patient_id: str
    task: str
    form_version_id: str | None
    version: int
    saved_at: datetime
    document_sealed: bytes

    @cached_property
    def document(self) -> Document:
        return cast(Document, Draft.document.opened(self.id, self.patient_id, self.document_sealed))

    @cached_property
    def response(self) -> Any:
        """Of a form: everything typed so far; not even read before it is asked for."""
        sealed = columns.ask(_RESPONSE, draft=self.id).one()[0]
        return None if sealed is None else Draft.response.opened(self.id, self.patient_id, sealed)


_LATEST = select(Submission).where(Submission.visit_id == bindparam("visit")).order_by(Submission.round.desc()).limit(1)
_STATUS = _LATEST.with_only_columns(Submission.status)
_ROWS = cast(Table, Draft.__table__)
_DRAFTS = select(*(_ROWS.c[name] for name in Kept.__dataclass_fields__)).where(Draft.visit_id == bindparam("visit"))
_DRAFT = _DRAFTS.where(Draft.task == bindparam("task"))
_DRAFT_STATUS = _DRAFT.add_columns(_STATUS.scalar_subquery().label("sent"))
_SENT = (
    select(Submission)
    .where(Submission.visit_id.in_(bindparam("visits", expanding=True)))
    .order_by(Submission.round)
    .options(selectinload(Submission.history))
)
_SAVED = (
    select(Draft.visit_id, Draft.saved_at)
    .where(Draft.visit_id.in_(bindparam("visits", expanding=True)))
    .order_by(Draft.saved_at)
)
_RESPONSE = select(Draft.response_sealed).where(Draft.id == bindparam("draft"))
_BEGIN = _ROWS.insert()
_CHANGE = _ROWS.update().where(_ROWS.c.id == bindparam("draft"))
REOPENED = frozenset({Status.RETURNED.value, Status.WITHDRAWN.value, Status.CHANGING.value})
"""What was sent and is followed by another round."""
_OPEN = REOPENED | {None}
"""Nothing sent yet, given back by the clinic, or opened again by the patient."""


def _kept(row: Sequence[Any]) -> Kept:
    return Kept(*row)


def draft(visit: Visit, task: str) -> Kept | None:
    found = columns.ask(_DRAFT, visit=visit.id, task=task).one_or_none()
    return _kept(found) if found else None


def of_visit(visit: Visit) -> dict[str, Kept]:
    return {row.task: _kept(row) for row in columns.ask(_DRAFTS, visit=visit.id)}


class AlreadySent(Conflict):
    title = "Your answers have been sent"
    sentence = "They can no longer be changed on this page."


def save(
    actor: Actor,
    visit_id: str,
    task: str,
    change: Callable[[Kept | None], Document],
    event: Event,
    detail: Document | None = None,
) -> Kept:
    """Write what `change` makes of the draft under the visit's lock, with its audit row. AlreadySent once it was sent.

    A form's "response" in it is kept apart; a change without one leaves it as it is.
    """
    with transaction(keep=True):
        visit = visits.lock(actor, visit_id)
        before = _open_draft(visit_id, task)
        document = dict(change(before))
        response = document.pop("response", None)
        if before is not None and NOTE in before.document:
            document.setdefault(NOTE, before.document[NOTE])
        row = _written(visit, task, before, document, response)
        audit.record(actor, event, subject=f"drafts:{row.id}", patient_id=visit.patient_id, detail=detail or {})
        return row


def _open_draft(visit_id: str, task: str) -> Kept | None:
    """The draft of a task, under the visit's lock. AlreadySent once it was sent."""
    found = columns.ask(_DRAFT_STATUS, visit=visit_id, task=task).one_or_none()
    status = columns.ask(_STATUS, visit=visit_id).scalar() if found is None else found.sent
    if status not in _OPEN:
        raise AlreadySent
    return _kept(found[:-1]) if found else None


def _written(visit: Row[Any], task: str, before: Kept | None, document: Document, response: Any) -> Kept:
    """The row as it stands now; by its columns, for this is done with every page that somebody fills in."""
    row_id, owner = before.id if before else new_id(), visit.patient_id
    changed: dict[str, Any] = {
        "form_version_id": document.get("version_id"),
        "version": before.version + 1 if before else 1,
        "saved_at": now(),
        "document_sealed": Draft.document.sealed(row_id, owner, document),
    }
    stays: dict[str, Any] = {"id": row_id, "visit_id": visit.id, "patient_id": owner, "task": task}
    more = {} if response is None else {"response_sealed": Draft.response.sealed(row_id, owner, response)}
    if before:
        columns.ask(_CHANGE, draft=row_id, **changed, **more)
    else:
        columns.ask(_BEGIN, clinic_id=visit.clinic_id, **stays, **changed, **more)
    return Kept(**stays, **changed)


def latest_submission(visit: Visit) -> Submission | None:
    return session().scalars(_LATEST, {"visit": visit.id}).one_or_none()


def latest_submissions(of: list[Visit]) -> dict[str, Submission]:
    """The latest submission of each visit that has one, by visit id, with its history."""
    rows = session().scalars(_SENT, {"visits": [visit.id for visit in of]})
    return {row.visit_id: row for row in rows}


def saved_at(of: list[Visit]) -> dict[str, datetime]:
    """When something was last saved for each visit, by visit id."""
    rows = columns.ask(_SAVED, visits=[visit.id for visit in of])
    return {row.visit_id: row.saved_at for row in rows}


def open_for_answers(visit: Visit) -> bool:
    """Whether the patient may still change answers."""
    return columns.ask(_STATUS, visit=visit.id).scalar() in _OPEN


def open_visit(actor: Actor, visit_id: str) -> Visit:
    """One visit of this patient that may still be answered. NotFound for anybody else's, AlreadySent once it was sent."""
    visit, status = visits.visit_with_status(actor, visit_id)
    if status not in _OPEN:
        raise AlreadySent
    return visit
