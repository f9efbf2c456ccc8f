"""The desk's queue: what needs a person and why, when the visit is, and how far what was accepted has come."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from portal.accounts import service as accounts
from portal.actors import Actor, Permission
from portal.audit import service as audit
from portal.audit.events import Event
from portal.delivery import service as delivery
from portal.delivery.states import State
from portal.errors import NotAllowed
from portal.intake import service as intake
from portal.review.attention import Why, attention, to_decide

Status = intake.Status
REVIEW, PATIENT, SENDING, DONE, ALL = "review", "patient", "sending", "done", "all"


@dataclass(frozen=True)
class Row:
    """One submission in the list. `delivery` is where it is on its way to the record, once accepted."""

    submission: intake.Submission
    name: str
    born: str
    tied: bool
    status: Status
    why: tuple[Why, ...]
    to_decide: int
    delivery: delivery.Status | None

    @property
    def view(self) -> str:
        if self.status is Status.ACCEPTED:
            return SENDING if self.delivery and self.delivery.state in _MOVING else DONE
        return VIEWS.get(self.status, DONE)


_MOVING = frozenset({State.WAITING, State.NOT_CONFIRMED, State.HELD})
VIEWS = {Status.SUBMITTED: REVIEW, Status.IN_REVIEW: REVIEW, Status.RETURNED: PATIENT}


@dataclass(frozen=True)
class Queue:
    """The rows of one view, and how many there are in each."""

    view: str
    rows: list[Row]
    counts: dict[str, int]
    oldest: datetime | None
    only: str | None = None
    """the name of the one patient who is shown, opened from the clinic's own system; "" when nobody here is that patient"""


SHOWS: dict[str, Callable[[Row], bool]] = {
    REVIEW: lambda row: row.view == REVIEW,
    PATIENT: lambda row: row.view == PATIENT,
    SENDING: lambda row: row.view == SENDING,
    DONE: lambda row: row.view == DONE,
    ALL: lambda row: True,
}


def queue(actor: Actor, view: str = REVIEW, patient_id: str | None = None) -> Queue:
    """The clinic's submissions (or one patient's), each visit by its latest one, what was sent first on top. Audited."""
    if not actor.may(Permission.SEE_QUEUE):
        raise NotAllowed
    audit.seen(actor, Event.QUEUE_SEEN, subject=f"queue:{view if view in SHOWS else REVIEW}", patient_id=None)
    latest: dict[str, intake.Submission] = {}
    listed = [each for each in intake.submitted(actor) if patient_id in (None, each.patient_id)]
    for each in listed:
        before = latest.get(each.visit_id)
        if before is None or before.round < each.round:
            latest[each.visit_id] = each
    people = accounts.patients(actor, {each.patient_id for each in latest.values()})
    known = {
        key: (str(each.person["name"]), str(each.person.get("birthDate") or ""), bool(each.fhir_id))
        for key, each in people.items()
    }
    standing = delivery.statuses_of([each.id for each in latest.values() if each.status == Status.ACCEPTED])
    rows = sorted(
        (_row(each, standing.get(each.id), *known[each.patient_id]) for each in latest.values()),
        key=lambda row: row.submission.sent_at,
    )
    waiting = [row.submission.sent_at for row in rows if row.view == REVIEW]
    counts = {name: sum(map(shown, rows)) for name, shown in SHOWS.items()}
    shown = SHOWS.get(view, SHOWS[REVIEW])
    only = None if patient_id is None else _name(actor, patient_id)
    view = view if view in SHOWS else REVIEW
    return Queue(view, [row for row in rows if shown(row)], counts, min(waiting, default=None), only)


def _name(actor: Actor, patient_id: str) -> str:
    """Of a patient of this clinic; "" for anybody else."""
    return next((str(each.person["name"]) for each in accounts.patients(actor, {patient_id}).values()), "")


def _row(submission: intake.Submission, standing: delivery.Status | None, name: str, born: str, tied: bool) -> Row:
    status = Status(submission.status)
    return Row(
        submission=submission,
        name=name,
        born=born,
        tied=tied,
        status=status,
        why=attention(submission.document, tied=tied, round=submission.round),
        to_decide=to_decide(submission.document),
        delivery=standing,
    )


def filed_as(actor: Actor, patient_id: str, reference: str) -> str | None:
    """The submission whose answers are in this patient's record as `reference` (`QuestionnaireResponse/id`), or None."""
    kind = reference.partition("/")[0]
    there = delivery.placed(actor.clinic_id, patient_id, kind)
    return next((each.submission_id for each in there if each.reference == reference), None)
