"""A patient asks about an entry of "who looked"; the privacy officer answers or closes; both see the whole conversation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal import conversations
from portal.actors import Actor, Permission
from portal.audit import service as audit
from portal.audit.events import PLAIN, Event
from portal.audit.models import AuditRow
from portal.conversations import MANY, MOST_OPEN, Act, Conversation, ConversationStep, Kind, State
from portal.db import session, transaction
from portal.errors import Issue, NotAllowed, NotFound

People = Callable[[Actor, set[str]], Mapping[str, Mapping[str, Any]]]
"""patient ids → what is known of them; passed in by the application, because accounts stands above this room"""


@dataclass(frozen=True)
class Row:
    """One conversation as the privacy officer sees it."""

    question: Conversation
    name: str
    born: str
    at: datetime
    """when it happened that they ask about"""


def of_patient(actor: Actor) -> list[Conversation]:
    """This patient's conversations, the newest first."""
    return conversations.of_patient(actor, Kind.ENTRY)


def about(actor: Actor, entry_id: str) -> audit.Entry:
    """The entry that a patient wants to ask about; NotFound unless it is about them and on their page. Audited."""
    wanted = select(AuditRow).where(
        AuditRow.id == entry_id, AuditRow.clinic_id == actor.clinic_id, AuditRow.patient_id == conversations.own(actor)
    )
    found = session().scalars(wanted).one_or_none()
    if found is None or Event(found.event) not in PLAIN:
        raise NotFound
    audit.seen(actor, Event.AUDIT_QUESTION_SEEN, subject=f"audit_events:{entry_id}", patient_id=actor.patient_id)
    return audit.entry(found)


def asked(actor: Actor, entry_id: str) -> Conversation | None:
    """What this patient asked about this entry before."""
    return next((each for each in of_patient(actor) if each.about == entry_id), None)


def ask(actor: Actor, entry_id: str, text: str, seen: int = 0) -> list[Issue]:
    """Ask about an entry, or go on asking. Conflict when something was written since `seen` steps were on the screen."""
    entry, issues = about(actor, entry_id), conversations.wording(text)
    if issues:
        return issues
    with transaction():
        question = asked(actor, entry_id)
        if question is not None:
            _told(actor, conversations.move(actor, question, Act.ASKED, text, seen))
            return []
        if sum(each.state == State.OPEN for each in of_patient(actor)) >= MOST_OPEN:
            return [MANY]
        stood = {"at": entry.at.isoformat(), "who": entry.who, "role": entry.role.value, "sentence": entry.sentence}
        _told(actor, conversations.begin(actor, Kind.ENTRY, entry_id, stood, text))
    return []


def queue(actor: Actor, view: State, people: People) -> tuple[list[Row], int]:
    """The clinic's conversations in one state, and how many wait for an answer. Audited."""
    _officer(actor)
    shown = conversations.in_state(actor, Kind.ENTRY, view)
    named = people(actor, {each.patient_id for each in shown})
    audit.seen(actor, Event.QUEUE_SEEN, subject=f"audit_questions:{view}", patient_id=None)
    return [_row(each, named[each.patient_id]) for each in shown], waiting(actor)


def waiting(actor: Actor) -> int:
    """How many wait for the privacy officer."""
    return conversations.waiting(actor, Kind.ENTRY)


def opened(actor: Actor, question_id: str, people: People) -> Row:
    """One conversation; NotFound outside the clinic. Audited."""
    found = _find(actor, question_id)
    audit.seen(actor, Event.AUDIT_QUESTION_SEEN, subject=_subject(found.id), patient_id=found.patient_id)
    return _row(found, people(actor, {found.patient_id})[found.patient_id])


def settle(actor: Actor, question_id: str, act: Act, text: str, seen: int) -> list[Issue]:
    """Answer or close. Conflict when something was written since `seen` steps were on the screen."""
    question, issues = _find(actor, question_id), conversations.wording(text)
    if not issues:
        with transaction():
            _told(actor, conversations.move(actor, question, act, text, seen))
    return issues


EVENTS = {
    Act.ASKED: Event.AUDIT_ASKED,
    Act.ANSWERED: Event.AUDIT_ANSWERED,
    Act.CLOSED: Event.AUDIT_QUESTION_CLOSED,
}


def _told(actor: Actor, step: ConversationStep) -> None:
    """What was written goes into the trail, in the same transaction."""
    subject, detail = _subject(step.conversation_id), {"number": step.number}
    audit.record(actor, EVENTS[Act(step.act)], subject=subject, patient_id=step.patient_id, detail=detail)


def _subject(conversation_id: str) -> str:
    return f"conversations:{conversation_id}"


def _find(actor: Actor, question_id: str) -> Conversation:
    _officer(actor)
    return conversations.find(actor, Kind.ENTRY, question_id)


def _row(question: Conversation, person: Mapping[str, Any]) -> Row:
    at = datetime.fromisoformat(question.document["at"])
    return Row(question, str(person["name"]), str(person.get("birthDate") or ""), at)


def _officer(actor: Actor) -> None:
    if not actor.may(Permission.ANSWER_AUDIT):
        raise NotAllowed
