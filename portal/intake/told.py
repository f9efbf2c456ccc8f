"""What has happened to what a patient sent, as dated facts in their words: each time it was sent, asked about, opened, put on record."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.actors import STAFF, Actor
from portal.audit import service as audit
from portal.audit.events import PLAIN, Event
from portal.db import session
from portal.delivery import service as delivery
from portal.intake.models import Submission, SubmissionStatus, Visit


@dataclass(frozen=True)
class Moment:
    """One line: `words` is an English msgid, with %(who)s where it tells who acted; `questions` are what the clinic asked."""

    at: datetime
    words: str
    who: str = ""
    by: str = ""
    """said beside the words, where they do not say it"""
    questions: tuple[str, ...] = ()
    detail: str = ""


STEPS: dict[str, str] = {
    "submitted": "You sent your answers",
    "returned": "Your clinic asked you to check something",
    "accepted": "Your clinic finished reading them",
    "withdrawn": "You took them back",
    "changing": "You opened them again to change something",
}
FOR_THEM: dict[str, str] = {
    "submitted": "%(who)s sent the answers to the clinic.",
    "withdrawn": "%(who)s took the answers back.",
    "changing": "%(who)s opened the answers again to change them.",
}
"""What the patient reads where somebody else did it."""
READ = "Your clinic started to read them"
UNTIED = (
    "They had been put into another person's medical record by mistake. Your clinic is correcting that and reads your "
    "answers again."
)
ON_THE_WAY = frozenset({Event.DELIVERY_ATTEMPTED, Event.DELIVERY_HELD})


def happened(actor: Actor, visit: Visit) -> list[Moment]:
    """Everything about a visit's answers, oldest first; each person who opened them is told once a round."""
    wanted = select(Submission).where(Submission.visit_id == visit.id).order_by(Submission.round)
    rounds = list(session().scalars(wanted.options(selectinload(Submission.history))))
    moments = [
        _step(step) for each in rounds for step in each.history if step.status in STEPS or step.why.get("untied")
    ]
    moments += _opened(actor, visit.patient_id, [f"submissions:{each.id}" for each in rounds])
    if rounds:
        moments += _on_the_way(actor, rounds[-1])
    return sorted(moments, key=lambda moment: moment.at)


def _step(step: SubmissionStatus) -> Moment:
    who, untied = str(step.why.get("by", "")), UNTIED if step.why.get("untied") else ""
    if step.status in FOR_THEM:
        words = FOR_THEM if step.why.get("behalf") else STEPS
        return Moment(step.at, words[step.status], who, detail=untied)
    asked = tuple(str(each["question"]) for each in step.why.get("questions", ()))
    return Moment(step.at, STEPS.get(step.status, READ), who, who, asked, untied)


def _opened(actor: Actor, patient_id: str, rounds: list[str]) -> list[Moment]:
    found = audit.about(actor, patient_id, rounds, {Event.SUBMISSION_SEEN})
    first = {(each.subject, each.account_id): each for each in reversed(found) if each.role in STAFF}
    return [Moment(each.at, PLAIN[each.event], each.who) for each in first.values()]


def _on_the_way(actor: Actor, submission: Submission) -> list[Moment]:
    standing = delivery.status_of(submission.id)
    if standing is None:
        return []
    found = audit.about(actor, submission.patient_id, [f"outbox_items:{standing.item_id}"], ON_THE_WAY)
    last = {each.event: each for each in found}
    return [Moment(each.at, PLAIN[each.event], each.who) for each in last.values()]
