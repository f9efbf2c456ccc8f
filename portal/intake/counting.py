"""What patients did, for the measures: how much was asked, how long it took, where it was left. Counts, never an answer."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select

from portal.accounts.counting import Line
from portal.db import session
from portal.intake.models import Draft, Status, Submission, SubmissionStatus, Visit, VisitState
from portal.intake.pace import NOTE
from portal.intake.sections import ANSWERS
from portal.sealing import SealBroken

UNTIMED = "untimed"
BETWEEN = "-"
"""Where somebody stopped who had finished one thing and did not begin the next."""


def first(clinic_id: str) -> datetime | None:
    """When the first visit of a clinic was."""
    return session().scalar(select(func.min(Visit.starts_at)).where(Visit.clinic_id == clinic_id))


def lines(clinic_id: str, start: datetime, end: datetime) -> Iterator[Line]:
    """What was sent in this time for the first time, and what became of the visits that were in this time."""
    sent = select(Submission).where(
        Submission.clinic_id == clinic_id,
        Submission.round == 1,
        Submission.sent_at >= start,
        Submission.sent_at < end,
    )
    for row in session().scalars(sent).unique():
        yield ("sent", "", "", row.id)
        try:
            yield from [*_facts(row), *_notes(row)]
        except SealBroken:
            yield ("unread", "sent", "", row.id)
    yield from _visits(clinic_id, start, end)


def _facts(row: Submission) -> Iterator[Line]:
    for fact in row.document["facts"]:
        if fact["answer"] in ANSWERS:
            yield ("facts", fact["kind"], fact["answer"], row.id)
    for kind, section in row.document["sections"].items():
        if section.get("before"):
            yield ("again", kind, "", row.id)


def _notes(row: Submission) -> Iterator[Line]:
    notes = row.document.get(NOTE, {})
    yield ("form", "", _time(_whole(spent for note in notes.values() for spent in note["pages"].values())), row.id)
    for task, note in notes.items():
        times = note["pages"]
        yield ("form", task, _time(_whole(times.values())), row.id)
        yield from (("page", f"{task}/{page}", _time(spent), row.id) for page, spent in times.items())
        yield from (("given", f"{task}/{field}", said, row.id) for field, said in note["given"].items())
        for field, times_mended in note["mended"].items():
            yield from [("mended", f"{task}/{field}", "", row.id)] * times_mended


def _whole(times: Iterable[float | None]) -> float | None:
    """All of them together; None when one is not known, or there are none."""
    known = list(times)
    return None if None in known or not known else sum(filter(None, known))


def _time(seconds: float | None) -> str:
    return UNTIMED if seconds is None else str(int(seconds))


def _visits(clinic_id: str, start: datetime, end: datetime) -> Iterator[Line]:
    """Each visit that took place in this time: sent, left at a page, or never begun."""
    asked = select(Visit.id).where(
        Visit.clinic_id == clinic_id,
        Visit.state == VisitState.EXPECTED.value,
        Visit.starts_at >= start,
        Visit.starts_at < end,
    )
    ids = set(session().scalars(asked))
    sent = set(session().scalars(select(Submission.visit_id).where(Submission.visit_id.in_(ids))))
    rows = session().scalars(select(Draft).where(Draft.visit_id.in_(ids - sent)).order_by(Draft.saved_at))
    last = {row.visit_id: row for row in rows}
    for visit_id in ids:
        left = visit_id not in sent and visit_id in last
        yield ("visits", "", "sent" if visit_id in sent else "left" if left else "not-begun", visit_id)
        if left:
            yield ("left", _place(last[visit_id]), "", visit_id)


def _place(row: Draft) -> str:
    """The task and the page that would have come next."""
    try:
        note = row.document.get(NOTE) or {}
    except SealBroken:
        note = {}
    return f"{row.task}/{note.get('next') or BETWEEN}"


@dataclass(frozen=True)
class Finished:
    """A submission that staff finished: when it was sent, when that was, and whether it went back to the patient."""

    sent_at: datetime
    at: datetime
    returned: bool


def finished(clinic_id: str, start: datetime, end: datetime) -> dict[str, Finished]:
    """The submissions that staff were first done with in this time."""
    done = (Status.ACCEPTED.value, Status.RETURNED.value)
    first_done = func.min(SubmissionStatus.at)
    lately = _moved(clinic_id, done, start).where(SubmissionStatus.at < end)
    rows = session().execute(
        select(Submission.id, Submission.sent_at, first_done, func.min(SubmissionStatus.status))
        .join(SubmissionStatus, SubmissionStatus.submission_id == Submission.id)
        .where(Submission.clinic_id == clinic_id, Submission.id.in_(lately), SubmissionStatus.status.in_(done))
        .group_by(Submission.id, Submission.sent_at)
        .having(first_done >= start, first_done < end)
    )
    return {key: Finished(sent, at, status == Status.RETURNED) for key, sent, at, status in rows}


def accepted(clinic_id: str, submission_ids: Collection[str]) -> dict[str, tuple[datetime, datetime]]:
    """When these were sent, and first accepted."""
    rows = session().execute(
        select(Submission.id, Submission.sent_at, func.min(SubmissionStatus.at))
        .join(SubmissionStatus, SubmissionStatus.submission_id == Submission.id)
        .where(
            Submission.clinic_id == clinic_id,
            Submission.id.in_(submission_ids),
            SubmissionStatus.status == Status.ACCEPTED.value,
        )
        .group_by(Submission.id, Submission.sent_at)
    )
    return {key: (sent, at) for key, sent, at in rows}


def waiting(clinic_id: str, at: datetime) -> list[datetime]:
    """When everything was sent that waited for staff at a moment."""
    settled = (Status.ACCEPTED.value, Status.RETURNED.value, Status.WITHDRAWN.value)
    still = Submission.status.in_((Status.SUBMITTED.value, Status.IN_REVIEW.value))
    before = select(SubmissionStatus.id).where(
        SubmissionStatus.submission_id == Submission.id,
        SubmissionStatus.status.in_(settled),
        SubmissionStatus.at < at,
    )
    # asked for twice, each by its own index: what waits now, and what was settled since
    ours = select(Submission.id, Submission.sent_at).where(
        Submission.clinic_id == clinic_id, Submission.sent_at < at, ~before.exists()
    )
    since = Submission.id.in_(_moved(clinic_id, settled, at))
    return [sent for _, sent in {*session().execute(ours.where(still)), *session().execute(ours.where(since))}]


def _moved(clinic_id: str, into: Collection[str], since: datetime) -> Select[str]:
    """What came into one of these states since then."""
    return select(SubmissionStatus.submission_id).where(
        SubmissionStatus.clinic_id == clinic_id, SubmissionStatus.status.in_(into), SubmissionStatus.at >= since
    )
