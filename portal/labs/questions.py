"""A patient asks about a result; the clinic answers or closes; both see the whole conversation, as far as consent reaches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from portal import conversations
from portal.accounts import service as accounts
from portal.actors import Actor, Permission, Role
from portal.audit import service as audit
from portal.audit.events import Event
from portal.consent import service as consent
from portal.conversations import MANY, MOST_OPEN, Act, Conversation, ConversationStep, Kind, State
from portal.db import transaction
from portal.ehr import service as ehr
from portal.errors import Issue, NotAllowed, NotFound
from portal.labs import service
from portal.labs.overview import Overview
from portal.labs.results import Report, Result

NEEDS: dict[Act, Permission] = {Act.ANSWERED: Permission.REVIEW_CLINICAL, Act.CLOSED: Permission.REVIEW}
"""A clinician answers; the front desk may close what was settled in another way."""


@dataclass(frozen=True)
class About:
    """The page on which a patient asks: the result, its report, what was asked before, whether the clinic could read it."""

    overview: Overview
    report: Report
    result: Result
    place: str
    asked: tuple[Conversation, ...]
    reaches: bool


@dataclass(frozen=True)
class Row:
    """One conversation on the desk."""

    question: Conversation
    name: str
    born: str


def about(actor: Actor, place: str, policy: consent.Policy, max_age: timedelta = ehr.FRESH) -> About:
    """What the asking page shows; NotFound when this patient has no such result."""
    overview, report, result = service.result(actor, place, max_age)
    asked = tuple(each for each in of_patient(actor) if each.about == place)
    return About(overview, report, result, place, asked, _reaches(actor, _stood(report, result), policy))


def of_patient(actor: Actor) -> list[Conversation]:
    """This patient's conversations, the newest first."""
    return conversations.of_patient(actor, Kind.RESULT)


def one(actor: Actor, question_id: str) -> Conversation:
    """One conversation of this patient; NotFound for anybody else's. Audited."""
    found = _find(actor, question_id)
    if found.patient_id != actor.patient_id:
        raise NotFound
    _seen(actor, found)
    return found


def ask(
    actor: Actor, place: str, text: str, policy: consent.Policy, max_age: timedelta = ehr.FRESH
) -> tuple[Conversation | None, list[Issue]]:
    """Put a question about a result into the clinic's queue. The same words sent twice are one question."""
    _overview, report, result = service.result(actor, place, max_age)
    stood, issues = _stood(report, result), conversations.wording(text)
    if not issues and not _reaches(actor, stood, policy):
        issues = [Issue("text", "consent", "You chose not to share this with the clinic, so they could not read it.")]
    if issues:
        return None, issues
    with transaction():
        accounts.patient(actor, conversations.own(actor))
        before = [each for each in of_patient(actor) if each.state == State.OPEN]
        again = next((each for each in before if each.about == place and each.last == text.strip()), None)
        if again:
            return again, []
        if len(before) >= MOST_OPEN:
            return None, [MANY]
        step = conversations.begin(actor, Kind.RESULT, place, stood, text)
        _told(actor, step)
    return conversations.find(actor, Kind.RESULT, step.conversation_id), []


def ask_more(actor: Actor, question_id: str, text: str, seen: int) -> tuple[Conversation, list[Issue]]:
    """The patient writes once more in a conversation that is not closed."""
    question = one(actor, question_id)
    issues = conversations.wording(text)
    return (question, issues) if issues else (_move(actor, question, Act.ASKED, text, seen), [])


def queue(actor: Actor, policy: consent.Policy, view: State = State.OPEN) -> tuple[list[Row], int]:
    """The clinic's conversations in one state, and how many wait for an answer; only those that the patient's choices let this
    person see are listed or counted. Audited."""
    _staff(actor, Permission.SEE_QUEUE)
    shown = _visible(actor, view, policy)
    count = len(shown) if view == State.OPEN else len(_visible(actor, State.OPEN, policy))
    people = accounts.patients(actor, {each.patient_id for each in shown})
    audit.seen(actor, Event.QUEUE_SEEN, subject=f"result-questions:{view}", patient_id=None)
    return [_row(each, people[each.patient_id].person) for each in shown], count


def waiting(actor: Actor) -> int:
    """How many wait for the clinic, for a number in the bar."""
    return conversations.waiting(actor, Kind.RESULT)


def opened(actor: Actor, question_id: str, policy: consent.Policy) -> Row:
    """One conversation on the desk; NotFound when consent does not let this person see it. Audited."""
    found = _for_staff(actor, question_id, policy)
    _seen(actor, found)
    return _row(found, accounts.patients(actor, {found.patient_id})[found.patient_id].person)


def settle(
    actor: Actor, question_id: str, act: Act, text: str, seen: int, policy: consent.Policy
) -> tuple[Conversation, list[Issue]]:
    """Answer or close. Conflict when something was written since `seen` steps were on the screen."""
    _staff(actor, NEEDS[act])
    question, issues = _for_staff(actor, question_id, policy), conversations.wording(text)
    return (question, issues) if issues else (_move(actor, question, act, text, seen), [])


def _move(actor: Actor, question: Conversation, act: Act, text: str, seen: int) -> Conversation:
    with transaction():
        _told(actor, conversations.move(actor, question, act, text, seen))
    return question


EVENTS = {
    Act.ASKED: Event.RESULT_ASKED,
    Act.ANSWERED: Event.RESULT_ANSWERED,
    Act.CLOSED: Event.RESULT_QUESTION_CLOSED,
}


def _told(actor: Actor, step: ConversationStep) -> None:
    """What was written goes into the trail, in the same transaction."""
    subject, detail = f"conversations:{step.conversation_id}", {"number": step.number}
    audit.record(actor, EVENTS[Act(step.act)], subject=subject, patient_id=step.patient_id, detail=detail)


def _stood(report: Report, result: Result) -> dict[str, Any]:
    """The result as it stands now, so that both sides speak of the same thing when it is corrected later."""
    return {
        "name": result.name,
        "value": result.value.spoken,
        "absent": not result.value.present,
        "when": result.when.text if result.when else "",
        "flag": result.flag.word if result.flag else "",
        "report": report.name,
        "reference": result.key,
        "labels": list(result.labels),
    }


def _communication(subject: Mapping[str, Any]) -> dict[str, Any]:
    """The question as FHIR would have it, with the labels of the result, for the gate."""
    marks = [dict(zip(("system", "code"), label.rsplit("|", 1), strict=True)) for label in subject["labels"]]
    about = [{"reference": subject["reference"]}]
    return {"resourceType": "Communication", "status": "completed", "about": about, "meta": {"security": marks}}


def _reaches(actor: Actor, subject: Mapping[str, Any], policy: consent.Policy) -> bool:
    """Whether a clinician of this clinic could read it."""
    reader = Actor(Role.CLINICIAN, actor.clinic_id)
    return consent.would_permit(
        reader, conversations.own(actor), _communication(subject), policy=policy, purpose="TREAT"
    )


def _visible(actor: Actor, state: State, policy: consent.Policy) -> list[Conversation]:
    return [
        each
        for each in conversations.in_state(actor, Kind.RESULT, state)
        if consent.would_permit(actor, each.patient_id, _communication(each.document), policy=policy)
    ]


def _for_staff(actor: Actor, question_id: str, policy: consent.Policy) -> Conversation:
    _staff(actor, Permission.SEE_QUEUE)
    found = _find(actor, question_id)
    document = _communication(found.document)
    if not consent.permits(actor, found.patient_id, document, policy=policy).permit:
        raise NotFound
    return found


def _find(actor: Actor, question_id: str) -> Conversation:
    return conversations.find(actor, Kind.RESULT, question_id)


def _row(question: Conversation, person: Mapping[str, Any]) -> Row:
    return Row(question, str(person["name"]), str(person.get("birthDate") or ""))


def _seen(actor: Actor, question: Conversation) -> None:
    subject = f"conversations:{question.id}"
    audit.seen(actor, Event.RESULT_QUESTION_SEEN, subject=subject, patient_id=question.patient_id)


def _staff(actor: Actor, needed: Permission) -> None:
    if not actor.may(needed):
        raise NotAllowed
