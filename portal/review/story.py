"""What has happened to a submission, as dated facts in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.delivery import service as delivery
from portal.delivery.states import State
from portal.intake import service as intake
from portal.review.decisions import history
from portal.review.models import Decision, TieDecision, TieVerdict, Verdict


@dataclass(frozen=True)
class Moment:
    """One line: `what` is an English msgid with %(title)s where it is about one thing. `kind` is that of a timeline entry."""

    at: datetime
    what: str
    who: str = ""
    title: str = ""
    detail: str = ""
    kind: str = "done"


STEPS = {
    intake.Status.SUBMITTED: "Sent by the patient",
    intake.Status.RETURNED: "Sent back to the patient with questions",
    intake.Status.ACCEPTED: "Review finished",
    intake.Status.WITHDRAWN: "Taken back by the patient",
}
DECISIONS = {
    Verdict.ACCEPT: "Accepted: %(title)s",
    Verdict.EDIT: "Accepted in other words: %(title)s",
    Verdict.REJECT: "Rejected: %(title)s",
    Verdict.ASK: "Asked the patient: %(title)s",
    Verdict.REOPEN: "Decision taken back: %(title)s",
}
TIES = {
    TieVerdict.LINK: "Tied to one record",
    TieVerdict.NONE: "No record found that is this person",
    TieVerdict.UNDO: "The tie to a record was taken back",
    TieVerdict.MENDED: "The clinic has corrected the record they were wrongly tied to",
}
DELIVERIES = {
    State.WAITING: ("On its way to the record", "waiting"),
    State.NOT_CONFIRMED: ("Sent to the record, not confirmed yet", "waiting"),
    State.CONFIRMED: ("In the record, read back and checked", "done"),
    State.HELD: ("Delivery on hold", "held"),
    State.WITHHELD: ("Not sent: the patient's choice", "held"),
    State.CLOSED: ("Delivery closed by hand", "held"),
}


def story(submission: intake.Submission, ties: list[TieDecision], standing: delivery.Status | None) -> list[Moment]:
    """Every step, decision and tie, and where the delivery stands; oldest first."""
    moments = [
        Moment(step.at, _step(step), step.why.get("by", "")) for step in submission.history if step.status in STEPS
    ]
    moments += [_decision(row) for row in history(submission) if row.submission_id == submission.id]
    moments += [
        Moment(row.at, TIES[TieVerdict(row.verdict)], row.detail["by"], detail=row.detail["reason"]) for row in ties
    ]
    if standing is not None:
        what, kind = DELIVERIES[standing.state]
        moments.append(Moment(standing.since, what, kind=kind))
    return sorted(moments, key=lambda moment: moment.at)


FOR_THE_PATIENT = {
    intake.Status.SUBMITTED: "Sent for the patient",
    intake.Status.WITHDRAWN: "Taken back for the patient",
}


def _step(step: Any) -> str:
    """What happened, told apart by whether the patient did it."""
    status = intake.Status(step.status)
    return FOR_THE_PATIENT.get(status, STEPS[status]) if step.why.get("behalf") else STEPS[status]


def _decision(row: Decision) -> Moment:
    return Moment(
        row.at,
        DECISIONS[Verdict(row.verdict)],
        row.detail["by"],
        row.detail["title"],
        row.detail["reason"] or row.detail.get("made", ""),
    )
