"""A patient asks about an entry of "who looked"; the privacy officer answers or closes; both see the whole conversation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from portal.actors import Actor, Permission
from portal.audit import service as audit
from portal.audit.events import PLAIN, Event
from portal.audit.models import AuditRow
from portal.audit.question_models import AFTER, MOVES, Act, AuditQuestion, AuditQuestionStep, State
from portal.clock import now
from portal.db import session, transaction
from portal.errors import Conflict, Issue, NotAllowed, NotFound

LONGEST = 2000
MOST_OPEN = 20
People = Callable[[Actor, set[str]], Mapping[str, Mapping[str, Any]]]
"""patient ids → what is known of them; passed in by the application, because accounts stands above this room"""


@dataclass(frozen=True)
class Row:
    """One conversation as the privacy officer sees it."""

    question: AuditQuestion
    name: str
    born: str
    at: datetime
    """when it happened that they ask about"""


def of_patient(actor: Actor) -> list[AuditQuestion]:
    """This patient's conversations, the newest first."""
    wanted = select(AuditQuestion).where(
        AuditQuestion.clinic_id == actor.clinic_id, AuditQuestion.patient_id == _own(actor)
    )
    return list(session().scalars(wanted.order_by(AuditQuestion.asked_at.desc())))


def about(actor: Actor, entry_id: str) -> audit.Entry:
    """The entry that a patient wants to ask about; NotFound unless it is about them and on their page. Audited."""
    wanted = select(AuditRow).where(
        AuditRow.id == entry_id, AuditRow.clinic_id == actor.clinic_id, AuditRow.patient_id == _own(actor)
    )
    found = session().scalars(wanted).one_or_none()
    if found is None or Event(found.event) not in PLAIN:
        raise NotFound
    audit.seen(actor, Event.AUDIT_QUESTION_SEEN, subject=f"audit_events:{entry_id}", patient_id=actor.patient_id)
    return audit.entry(found)


def asked(actor: Actor, entry_id: str) -> AuditQuestion | None:
    """What this patient asked about this entry before."""
    return next((each for each in of_patient(actor) if each.entry_id == entry_id), None)


def ask(actor: Actor, entry_id: str, text: str, seen: int = 0) -> list[Issue]:
    """Ask about an entry, or go on asking. Conflict when something was written since `seen` steps were on the screen."""
    entry, issues = about(actor, entry_id), _wording(text)
    if issues:
        return issues
    with transaction():
        question = asked(actor, entry_id)
        if question is not None:
            _move(actor, question, Act.ASKED, text, seen)
            return []
        if sum(each.state == State.OPEN for each in of_patient(actor)) >= MOST_OPEN:
            return [Issue("text", "many", "You have many open questions. Please call the clinic.")]
        told = {"at": entry.at.isoformat(), "who": entry.who, "role": entry.role.value, "sentence": entry.sentence}
        question = AuditQuestion(
            clinic_id=actor.clinic_id,
            patient_id=_own(actor),
            entry_id=entry_id,
            asked_at=now(),
            state=State.OPEN.value,
            document=told,
        )
        session().add(question)
        session().flush()
        _append(actor, question, Act.ASKED, text)
    return []


def queue(actor: Actor, view: str, people: People) -> tuple[list[Row], dict[str, int]]:
    """The clinic's conversations in one state, the oldest first, and how many there are in each. Audited."""
    _officer(actor)
    mine = select(AuditQuestion).where(AuditQuestion.clinic_id == actor.clinic_id)
    counted = select(AuditQuestion.state, func.count()).where(AuditQuestion.clinic_id == actor.clinic_id)
    known = {state: count for state, count in session().execute(counted.group_by(AuditQuestion.state))}
    shown = list(session().scalars(mine.where(AuditQuestion.state == view).order_by(AuditQuestion.asked_at)))
    named = people(actor, {each.patient_id for each in shown})
    audit.seen(actor, Event.QUEUE_SEEN, subject=f"audit_questions:{view}", patient_id=None)
    return [_row(each, named[each.patient_id]) for each in shown], {state: known.get(state, 0) for state in State}


def waiting(actor: Actor) -> int:
    """How many wait for the privacy officer."""
    mine = select(func.count()).where(AuditQuestion.clinic_id == actor.clinic_id, AuditQuestion.state == State.OPEN)
    return session().scalar(mine) or 0


def opened(actor: Actor, question_id: str, people: People) -> Row:
    """One conversation; NotFound outside the clinic. Audited."""
    found = _find(actor, question_id)
    audit.seen(actor, Event.AUDIT_QUESTION_SEEN, subject=f"audit_questions:{found.id}", patient_id=found.patient_id)
    return _row(found, people(actor, {found.patient_id})[found.patient_id])


def settle(actor: Actor, question_id: str, act: Act, text: str, seen: int) -> list[Issue]:
    """Answer or close. Conflict when something was written since `seen` steps were on the screen."""
    question, issues = _find(actor, question_id), _wording(text)
    if not issues:
        _move(actor, question, act, text, seen)
    return issues


EVENTS = {
    Act.ASKED: Event.AUDIT_ASKED,
    Act.ANSWERED: Event.AUDIT_ANSWERED,
    Act.CLOSED: Event.AUDIT_QUESTION_CLOSED,
}


def _move(actor: Actor, question: AuditQuestion, act: Act, text: str, seen: int) -> None:
    with transaction() as current:
        current.refresh(question, ["state"], with_for_update=True)
        current.refresh(question, ["steps"])
        if len(question.steps) != seen or act not in MOVES[State(question.state)]:
            raise Conflict
        question.state = AFTER[act].value
        _append(actor, question, act, text)


def _append(actor: Actor, question: AuditQuestion, act: Act, text: str) -> None:
    step = AuditQuestionStep(
        clinic_id=question.clinic_id,
        patient_id=question.patient_id,
        question_id=question.id,
        number=len(question.steps) + 1,
        act=act.value,
        at=now(),
        account_id=actor.account_id,
        document={"text": text.strip(), "by": actor.name},
    )
    question.steps.append(step)
    session().flush()
    subject = f"audit_questions:{question.id}"
    audit.record(actor, EVENTS[act], subject=subject, patient_id=question.patient_id, detail={"number": step.number})


def _wording(text: str) -> list[Issue]:
    if not text.strip():
        return [Issue("text", "required", "Write your words first")]
    if len(text) > LONGEST:
        return [Issue("text", "long", "Write no more than %(most)s characters", {"most": str(LONGEST)})]
    if any(ord(sign) < 32 and sign not in "\r\n\t" for sign in text):
        return [Issue("text", "odd", "There is a character in it that cannot be sent. Write it again.")]
    return []


def _find(actor: Actor, question_id: str) -> AuditQuestion:
    _officer(actor)
    wanted = select(AuditQuestion).where(AuditQuestion.id == question_id, AuditQuestion.clinic_id == actor.clinic_id)
    found = session().scalars(wanted).one_or_none()
    if found is None:
        raise NotFound
    return found


def _row(question: AuditQuestion, person: Mapping[str, Any]) -> Row:
    at = datetime.fromisoformat(question.document["at"])
    return Row(question, str(person["name"]), str(person.get("birthDate") or ""), at)


def _officer(actor: Actor) -> None:
    if not actor.may(Permission.ANSWER_AUDIT):
        raise NotAllowed


def _own(actor: Actor) -> str:
    if actor.patient_id is None:
        raise NotFound
    return actor.patient_id
