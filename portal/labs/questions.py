"""A patient asks about a result; the clinic answers or closes; both see the whole conversation, as far as consent reaches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from portal.accounts import service as accounts
from portal.actors import Actor, Permission, Role
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.consent import service as consent
from portal.db import session, transaction
from portal.ehr import service as ehr
from portal.errors import Conflict, Issue, NotAllowed, NotFound
from portal.labs import service
from portal.labs.models import AFTER, MOVES, Act, ResultQuestion, ResultQuestionStep, State
from portal.labs.overview import Overview
from portal.labs.results import Report, Result

LONGEST = 2000
MOST_OPEN = 20
NEEDS: dict[Act, Permission] = {Act.ANSWERED: Permission.REVIEW_CLINICAL, Act.CLOSED: Permission.REVIEW}
"""A clinician answers; the front desk may close what was settled in another way."""


@dataclass(frozen=True)
class About:
    """The page on which a patient asks: the result, its report, what was asked before, whether the clinic could read it."""

    overview: Overview
    report: Report
    result: Result
    place: str
    asked: tuple[ResultQuestion, ...]
    reaches: bool


@dataclass(frozen=True)
class Row:
    """One conversation on the desk."""

    question: ResultQuestion
    name: str
    born: str


def about(actor: Actor, place: str, policy: consent.Policy, max_age: timedelta = ehr.FRESH) -> About:
    """What the asking page shows; NotFound when this patient has no such result."""
    overview, report, result = service.result(actor, place, max_age)
    asked = tuple(each for each in of_patient(actor) if each.place == place)
    return About(overview, report, result, place, asked, _reaches(actor, _subject(report, result), policy))


def of_patient(actor: Actor) -> list[ResultQuestion]:
    """This patient's conversations, the newest first."""
    wanted = select(ResultQuestion).where(
        ResultQuestion.clinic_id == actor.clinic_id, ResultQuestion.patient_id == _own(actor)
    )
    return list(session().scalars(wanted.order_by(ResultQuestion.asked_at.desc())))


def one(actor: Actor, question_id: str) -> ResultQuestion:
    """One conversation of this patient; NotFound for anybody else's. Audited."""
    found = _find(actor, question_id)
    if found.patient_id != actor.patient_id:
        raise NotFound
    _seen(actor, found)
    return found


def owner(actor: Actor, question_id: str) -> str | None:
    """Whose conversation with this clinic it is."""
    wanted = select(ResultQuestion.patient_id)
    return session().scalar(wanted.where(ResultQuestion.id == question_id, ResultQuestion.clinic_id == actor.clinic_id))


def ask(
    actor: Actor, place: str, text: str, policy: consent.Policy, max_age: timedelta = ehr.FRESH
) -> tuple[ResultQuestion | None, list[Issue]]:
    """Put a question about a result into the clinic's queue. The same words sent twice are one question."""
    _overview, report, result = service.result(actor, place, max_age)
    subject, issues = _subject(report, result), _wording(text)
    if not issues and not _reaches(actor, subject, policy):
        issues = [Issue("text", "consent", "You chose not to share this with the clinic, so they could not read it.")]
    if issues:
        return None, issues
    with transaction():
        accounts.patient(actor, _own(actor))
        before = [each for each in of_patient(actor) if each.state == State.OPEN]
        again = next((each for each in before if each.place == place and _last(each) == text.strip()), None)
        if again:
            return again, []
        if len(before) >= MOST_OPEN:
            return None, [Issue("text", "many", "You have many open questions. Please call the clinic.")]
        made = ResultQuestion(
            clinic_id=actor.clinic_id,
            patient_id=_own(actor),
            place=place,
            asked_at=now(),
            state=State.OPEN.value,
            document=subject,
        )
        session().add(made)
        session().flush()
        _append(actor, made, Act.ASKED, text.strip())
    return made, []


def ask_more(actor: Actor, question_id: str, text: str, seen: int) -> tuple[ResultQuestion, list[Issue]]:
    """The patient writes once more in a conversation that is not closed."""
    question = one(actor, question_id)
    issues = _wording(text)
    return (question, issues) if issues else (_move(actor, question, Act.ASKED, text, seen), [])


def queue(actor: Actor, policy: consent.Policy, view: str = State.OPEN) -> tuple[list[Row], dict[str, int]]:
    """The clinic's conversations in one state, the oldest first, and how many there are in each; only those that the patient's
    choices let this person see are listed or counted. Audited."""
    _staff(actor, Permission.SEE_QUEUE)
    rows = session().scalars(select(ResultQuestion).where(ResultQuestion.clinic_id == actor.clinic_id))
    open_to = [each for each in rows if _visible(actor, each, policy)]
    counts = {state.value: sum(each.state == state for each in open_to) for state in State}
    shown = sorted((each for each in open_to if each.state == view), key=lambda each: each.asked_at)
    people = accounts.patients(actor, {each.patient_id for each in shown})
    audit.seen(actor, Event.QUEUE_SEEN, subject=f"result-questions:{view}", patient_id=None)
    return [_row(each, people[each.patient_id].person) for each in shown], counts


def waiting(actor: Actor) -> int:
    """How many wait for the clinic, for a number in the bar."""
    wanted = select(func.count()).where(ResultQuestion.clinic_id == actor.clinic_id, ResultQuestion.state == State.OPEN)
    return session().scalar(wanted) or 0


def opened(actor: Actor, question_id: str, policy: consent.Policy) -> Row:
    """One conversation on the desk; NotFound when consent does not let this person see it. Audited."""
    found = _for_staff(actor, question_id, policy)
    _seen(actor, found)
    return _row(found, accounts.patients(actor, {found.patient_id})[found.patient_id].person)


def settle(
    actor: Actor, question_id: str, act: Act, text: str, seen: int, policy: consent.Policy
) -> tuple[ResultQuestion, list[Issue]]:
    """Answer or close. Conflict when something was written since `seen` steps were on the screen."""
    _staff(actor, NEEDS[act])
    question, issues = _for_staff(actor, question_id, policy), _wording(text)
    return (question, issues) if issues else (_move(actor, question, act, text, seen), [])


def _move(actor: Actor, question: ResultQuestion, act: Act, text: str, seen: int) -> ResultQuestion:
    with transaction() as current:
        current.refresh(question, ["state"], with_for_update=True)
        current.refresh(question, ["steps"])
        if len(question.steps) != seen or act not in MOVES[State(question.state)]:
            raise Conflict
        question.state = AFTER[act].value
        _append(actor, question, act, text.strip())
    return question


EVENTS = {
    Act.ASKED: Event.RESULT_ASKED,
    Act.ANSWERED: Event.RESULT_ANSWERED,
    Act.CLOSED: Event.RESULT_QUESTION_CLOSED,
}


def _append(actor: Actor, question: ResultQuestion, act: Act, text: str) -> None:
    step = ResultQuestionStep(
        clinic_id=question.clinic_id,
        patient_id=question.patient_id,
        question_id=question.id,
        number=len(question.steps) + 1,
        act=act.value,
        at=now(),
        account_id=actor.account_id,
        document={"text": text, "by": actor.name},
    )
    question.steps.append(step)
    session().flush()
    audit.record(
        actor,
        EVENTS[act],
        subject=f"result_questions:{question.id}",
        patient_id=question.patient_id,
        detail={"number": step.number},
    )


def _subject(report: Report, result: Result) -> dict[str, Any]:
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


def _wording(text: str) -> list[Issue]:
    if not text.strip():
        return [Issue("text", "required", "Write your words first")]
    if len(text) > LONGEST:
        return [Issue("text", "long", "Write no more than %(most)s characters", {"most": str(LONGEST)})]
    if any(ord(sign) < 32 and sign not in "\r\n\t" for sign in text):
        return [Issue("text", "odd", "There is a character in it that cannot be sent. Write it again.")]
    return []


def _communication(subject: Mapping[str, Any]) -> dict[str, Any]:
    """The question as FHIR would have it, with the labels of the result, for the gate."""
    marks = [dict(zip(("system", "code"), label.rsplit("|", 1), strict=True)) for label in subject["labels"]]
    about = [{"reference": subject["reference"]}]
    return {"resourceType": "Communication", "status": "completed", "about": about, "meta": {"security": marks}}


def _reaches(actor: Actor, subject: Mapping[str, Any], policy: consent.Policy) -> bool:
    """Whether a clinician of this clinic could read it."""
    reader = Actor(Role.CLINICIAN, actor.clinic_id)
    return consent.would_permit(reader, _own(actor), _communication(subject), policy=policy, purpose="TREAT")


def _visible(actor: Actor, question: ResultQuestion, policy: consent.Policy) -> bool:
    return consent.would_permit(actor, question.patient_id, _communication(question.document), policy=policy)


def _for_staff(actor: Actor, question_id: str, policy: consent.Policy) -> ResultQuestion:
    _staff(actor, Permission.SEE_QUEUE)
    found = _find(actor, question_id)
    document = _communication(found.document)
    if not consent.permits(actor, found.patient_id, document, policy=policy).permit:
        raise NotFound
    return found


def _find(actor: Actor, question_id: str) -> ResultQuestion:
    wanted = select(ResultQuestion).where(ResultQuestion.id == question_id, ResultQuestion.clinic_id == actor.clinic_id)
    found = session().scalars(wanted).one_or_none()
    if found is None:
        raise NotFound
    return found


def _row(question: ResultQuestion, person: Mapping[str, Any]) -> Row:
    return Row(question, str(person["name"]), str(person.get("birthDate") or ""))


def _last(question: ResultQuestion) -> str:
    return str(question.steps[-1].document["text"]) if question.steps else ""


def _seen(actor: Actor, question: ResultQuestion) -> None:
    subject = f"result_questions:{question.id}"
    audit.seen(actor, Event.RESULT_QUESTION_SEEN, subject=subject, patient_id=question.patient_id)


def _staff(actor: Actor, needed: Permission) -> None:
    if not actor.may(needed):
        raise NotAllowed


def _own(actor: Actor) -> str:
    if actor.patient_id is None:
        raise NotFound
    return actor.patient_id
