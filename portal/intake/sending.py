"""Check and send: what is still missing, the frozen submission, and where it is now."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from portal import attention
from portal.accounts import service as accounts
from portal.actors import Actor, Scope
from portal.attention import Rules
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.consent import service as consent
from portal.db import transaction
from portal.delivery import service as delivery
from portal.errors import Conflict
from portal.intake import (
    cards,
    confirming,
    differing,
    drafts,
    filling,
    library,
    noticing,
    pace,
    problems,
    visits,
    withdrawing,
)
from portal.intake.models import MOVES, Status, Submission, SubmissionStatus, Visit
from portal.questionnaire import Issue as Finding
from portal.questionnaire import extract, signing

_LETTERS = "23456789BCDFGHJKMNPQRSTVWXYZ"
IDENTIFIER_SYSTEM = "urn:previsit:response"


class TaskState(StrEnum):
    NOT_STARTED = "not-started"
    STARTED = "started"
    DONE = "done"
    NOT_YET = "not-yet"


@dataclass(frozen=True)
class Task:
    """One line of the hub. `kind` is facts, form, consent or send; `slug` names a form."""

    kind: str
    title: str
    state: TaskState
    slug: str = ""
    saved_at: datetime | None = None
    required: bool = True
    confirmed_at: datetime | None = None
    """when it was confirmed for another visit, where that still counts"""

    @property
    def settled(self) -> bool:
        """Whether it does not stand in the way of sending."""
        return self.state is TaskState.DONE or (not self.required and self.state is TaskState.NOT_STARTED)


def tasks(actor: Actor, visit: Visit, language: str = "") -> list[Task]:
    """What this visit asks, in order, each with its state, in a language (else the account's). The last one opens when the
    others are done."""
    rows = drafts.of_visit(visit)
    facts = rows.get(confirming.TASK)
    if visits.closed(visit):
        return []
    asked = _facts(confirming.plan(actor, visit, facts.document if facts else None), facts)
    for entry in library.entries(actor, visit, rows):
        row = rows.get(library.task(entry.slug))
        begun = row is not None and (entry.required or filling.is_begun(row))
        state = _form_state(visit, entry, row) if row and begun else TaskState.NOT_STARTED
        title, saved = entry.form.title(language or actor.language), row.saved_at if row else None
        asked.append(Task("form", title, state, entry.slug, saved, entry.required))
    if actor.behalf is None or actor.allows(Scope.CONSENTS):
        chosen = consent.task_state(actor, visit.id)
        state = TaskState.DONE if chosen.done else TaskState.NOT_STARTED
        asked.append(Task("consent", "Choose what may be shared", state))
    ready = all(task.settled for task in asked)
    return [
        *asked,
        Task("send", "Check your answers and send them", TaskState.NOT_STARTED if ready else TaskState.NOT_YET),
    ]


def _facts(asks: confirming.Plan, row: drafts.Kept | None) -> list[Task]:
    """Nothing where the clinic asks nothing; done from the start where it was all confirmed a short while ago."""
    done, total = confirming.progress(asks)
    lately = max((each.at for each in asks.before.values()), default=None) if row is None and done else None
    saved = row.saved_at if row else None
    task = Task("facts", "Check what the clinic has on record", _state(done, total), "", saved, confirmed_at=lately)
    return [task] if total else []


def _state(done: int, total: int) -> TaskState:
    return TaskState.DONE if done == total else TaskState.STARTED if done else TaskState.NOT_STARTED


def _form_state(visit: Visit, entry: library.Entry, row: drafts.Kept) -> TaskState:
    return TaskState.DONE if filling.is_complete(visit, entry, row) else TaskState.STARTED


def form_summaries(
    actor: Actor, visit: Visit, language: str, max_age: timedelta
) -> list[tuple[library.Entry, list[Any]]]:
    """Each form with its rows for "check your answers"."""
    works = filling.works(actor, visit, language, max_age)
    found = [(each.entry, list(each.filling.summary(language))) for each in works]
    for each in works:
        filling.put_away(each)
    return found


def consent_summary(actor: Actor, visit: Visit) -> Any:
    return consent.task_state(actor, visit.id)


@dataclass(frozen=True)
class Missing:
    """Something to mend before sending: a task that is not done, or a finding on one page of a form."""

    task: Task
    page_key: str = ""
    name: str = ""
    question: str = ""
    finding: Finding | None = None


@dataclass(frozen=True)
class Sent:
    """The submission, or what stands in its way."""

    submission: Submission | None
    missing: list[Missing]


def submit(actor: Actor, visit_id: str, language: str, max_age: timedelta, rules: Rules | None = None) -> Sent:
    """Send once: a second try, from any tab or device, gets the same submission. `rules`: of answers that cannot wait."""
    rules = rules or attention.rules(None, "")
    asked = visits.visit(actor, visit_id)
    prepared = [] if visits.closed(asked) else _prepare(actor, asked, language, max_age, rules)
    with transaction() as current:
        visit = visits.visit(actor, visit_id, lock=True)
        before = drafts.latest_submission(visit)
        if before is not None and before.status not in drafts.REOPENED:
            return Sent(before, [])
        if visits.closed(visit):
            raise Conflict("This visit asks nothing any more. What you wrote is kept.")
        if not isinstance(prepared, dict):
            return Sent(None, prepared)
        made = Submission(
            clinic_id=visit.clinic_id,
            visit_id=visit.id,
            patient_id=visit.patient_id,
            round=before.round + 1 if before else 1,
            reference=_reference(),
            sent_at=now(),
            status=Status.SUBMITTED.value,
            document=prepared,
        )
        current.add(made)
        current.flush()
        _append(made, actor, Status.SUBMITTED, {})
        confirming.keep(actor, visit, made)
        audit.record(actor, Event.SUBMITTED, subject=f"submissions:{made.id}", patient_id=visit.patient_id)
        return Sent(made, [])


def _prepare(
    actor: Actor, visit: Visit, language: str, max_age: timedelta, rules: Rules
) -> dict[str, Any] | list[Missing]:
    """The document to freeze, or what is still missing; read outside the write lock, as it may look at the record."""
    asked = tasks(actor, visit, language)
    works = filling.works(actor, visit, language, max_age)
    missing = [Missing(task) for task in asked if not task.settled and task.kind not in {"send", "form"}]
    missing += [found for task in asked if task.kind == "form" for found in _missing_in_form(task, works)]
    if missing:
        return missing
    rows = drafts.of_visit(visit)
    facts_row = rows.get(confirming.TASK)
    asks = confirming.plan(actor, visit, facts_row.document if facts_row else None)
    facts, sections = confirming.submitted(asks)
    responses = [_response(visit, each) for each in works]
    told = [entry for each, response in zip(works, responses, strict=True) for entry in _told(each, response)]
    return {
        "visit": {
            "id": visit.id,
            "starts_at": visit.starts_at.isoformat(),
            "appointment": f"Appointment/{visit.appointment_id}" if visit.appointment_id else None,
            **visit.detail,
        },
        "person": accounts.patient(actor, visit.patient_id).person,
        "by": {"name": actor.name, "account_id": actor.account_id, "language": language, **_behalf(actor)},
        "facts": facts,
        "sections": sections,
        "responses": responses,
        "told": len(told),
        "says": sorted({each["resourceType"] for each in told}),
        "withdrawn": withdrawing.standing(rows, works),
        "looks": noticing.to_look_at(told, facts, rules),
        "questionnaires": {each.entry.form.canonical: each.entry.form.raw for each in works},
        "urgent": noticing.for_staff(works, rules),
        "cards": cards.told(visit, facts, asks.entries),
        "conflicts": [*(differing.found(facts_row.document) if facts_row else ()), *consent.contradictions(actor)],
        pace.NOTE: {task: row.document[pace.NOTE] for task, row in rows.items() if pace.NOTE in row.document},
        "consent_version_id": consent.task_state(actor, visit.id).version_id,
    }


def _behalf(actor: Actor) -> dict[str, Any]:
    """As whom somebody answers who is not the patient."""
    if actor.behalf is None:
        return {}
    return {"behalf": {"relation": actor.behalf.relation, "reference": actor.behalf.reference}}


def _missing_in_form(task: Task, works: list[filling.Work]) -> list[Missing]:
    if task.state is TaskState.NOT_STARTED:
        return [Missing(task)] if task.required else []
    work = next(each for each in works if each.entry.slug == task.slug)
    filled = work.filling
    if filling.to_sign(work):
        return [Missing(task)]
    wrong: dict[str, list[Finding]] = {}
    for found in filled.check(None):
        if found.severity == "error":
            wrong.setdefault(filled.page_of(found.name) or filled.pages[0].key, []).append(found)
    titles = {page.key: page.title for page in filled.pages}
    return [
        Missing(task, page_key, each.issue.name, each.question, each.issue)
        for page_key, found_there in wrong.items()
        for each in problems.in_order(filled.nodes(page_key), found_there, titles.get(page_key, ""))
    ]


def _response(visit: Visit, work: filling.Work) -> dict[str, Any]:
    identifier = {
        "system": IDENTIFIER_SYSTEM,
        "value": str(uuid5(NAMESPACE_URL, f"{visit.id}/{work.entry.form.url}")),
    }
    made = work.filling.response("completed", authored=now().isoformat(timespec="seconds"), identifier=identifier)
    return signing.attached(made, work.entry.form, work.signed) if work.signed else made


def _told(work: filling.Work, response: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries that the author of a form has made of the answers: staff decide about each."""
    made = extract(work.entry.form, response, work.filling.context)
    return [entry["resource"] for entry in made.bundle.get("entry", ())]


def _reference() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"PV-{letters[:4]}-{letters[4:]}"


def move(actor: Actor, submission: Submission, to: Status, why: dict[str, Any] | None = None) -> None:
    """The next step of a submission, appended in the caller's transaction; Conflict when it has been moved already."""
    with transaction() as current:
        current.refresh(submission, ["status"], with_for_update=True)
        if to not in MOVES[Status(submission.status)]:
            raise Conflict
        submission.status = to.value
        _append(submission, actor, to, why or {})


def _append(submission: Submission, actor: Actor, status: Status, why: dict[str, Any]) -> None:
    submission.history.append(
        SubmissionStatus(
            clinic_id=submission.clinic_id,
            submission_id=submission.id,
            patient_id=submission.patient_id,
            step=len(submission.history) + 1,
            status=status.value,
            at=now(),
            account_id=actor.account_id,
            why={"by": actor.name, **_behalf(actor), **why},
        )
    )


@dataclass(frozen=True)
class Where:
    """Where the answers are, in the eight states of bar 3.3, with the time it became so."""

    state: str
    since: datetime | None
    questions: list[dict[str, str]]


def where(visit: Visit) -> Where:
    """Derived from stored rows only: draft, submitted, returned, waiting, not-confirmed, confirmed, held, withheld, closed."""
    return places([visit])[visit.id]


def places(of: list[Visit]) -> dict[str, Where]:
    """Where the answers of each of these visits are, by visit id; asked for all at once."""
    sent = drafts.latest_submissions(of)
    saved = drafts.saved_at([visit for visit in of if visit.id not in sent])
    at_record = delivery.statuses_of([each.id for each in sent.values() if each.status == Status.ACCEPTED])
    return {
        visit.id: _sent_to(sent[visit.id], at_record.get(sent[visit.id].id))
        if visit.id in sent
        else Where("draft", saved.get(visit.id), [])
        for visit in of
    }


def _sent_to(sent: Submission, at_record: delivery.Status | None) -> Where:
    last = sent.history[-1]
    if sent.status == Status.RETURNED:
        return Where("returned", last.at, last.why.get("questions", []))
    if sent.status in (Status.WITHDRAWN, Status.CHANGING):
        return Where(sent.status, last.at, [])
    if sent.status != Status.ACCEPTED:
        return Where("submitted", sent.sent_at, [])
    if at_record is None:  # there was nothing to be added to the record
        return Where("closed", last.at, [])
    return Where(at_record.state.value, at_record.since, [])
