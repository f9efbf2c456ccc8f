"""After sending: the patient takes the answers back before they are decided, or opens them again to change something later."""

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.db import transaction
from portal.delivery import service as delivery
from portal.delivery.states import State
from portal.errors import Conflict
from portal.intake import drafts, sending, visits
from portal.intake.models import Status, Submission, Visit

BEFORE_DECIDED = frozenset({Status.SUBMITTED, Status.IN_REVIEW})
ARRIVED = frozenset({State.CONFIRMED, State.CLOSED})


class TooLate(Conflict):
    title = "Your clinic has finished reading your answers"
    sentence = "They cannot be taken back any more. You can change them, or tell your clinic what is wrong."


class NotNow(Conflict):
    title = "Your answers cannot be changed just now"
    sentence = "They are on their way to your medical record. Try again when this page says that they have arrived."


def may_take_back(visit: Visit, sent: Submission) -> bool:
    """Nothing is decided yet."""
    return Status(sent.status) in BEFORE_DECIDED


def may_change(visit: Visit, sent: Submission) -> bool:
    """They have arrived (or there was nothing to bring anywhere), and the visit is still to come."""
    if sent.status != Status.ACCEPTED or visits.closed(visit) or visits.over(visit):
        return False
    at_record = delivery.status_of(sent.id)
    return at_record is None or at_record.state in ARRIVED


def take_back(actor: Actor, visit_id: str) -> None:
    """Nobody decides about them any more; everything stays written, to be changed and sent again. TooLate once decided."""
    with transaction() as current:
        visit = visits.visit(actor, visit_id, lock=True)
        sent = drafts.latest_submission(visit)
        if sent is not None and sent.status == Status.WITHDRAWN:
            return
        if sent is None:
            raise Conflict
        current.refresh(sent, ["status"])
        if not may_take_back(visit, sent):
            raise TooLate
        sending.move(actor, sent, Status.WITHDRAWN)
        audit.record(actor, Event.TAKEN_BACK, subject=f"submissions:{sent.id}", patient_id=visit.patient_id)


def reopen(actor: Actor, visit_id: str) -> None:
    """What was sent stays as it is; when it is sent again only what is different goes to the desk."""
    with transaction():
        visit = visits.visit(actor, visit_id, lock=True)
        sent = drafts.latest_submission(visit)
        if sent is not None and sent.status == Status.CHANGING:
            return
        if sent is None or not may_change(visit, sent):
            raise NotNow
        sending.move(actor, sent, Status.CHANGING)
        audit.record(actor, Event.REOPENED, subject=f"submissions:{sent.id}", patient_id=visit.patient_id)
