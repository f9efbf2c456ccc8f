"""What has happened to a submission, as dated facts in words: from its steps, the decisions, the ties and the audit trail."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.delivery import service as delivery
from portal.delivery.states import State
from portal.intake import service as intake
from portal.review import claims
from portal.review.decisions import history
from portal.review.models import Claim, Decision, Hand, TieDecision, TieVerdict, Verdict

OPENED = "Opened"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Moment:
    """One line: `what` is an English msgid with %(title)s where it is about one thing. `kind` is that of a timeline entry."""

    at: datetime
    what: str
    who: str = ""
    title: str = ""
    detail: str = ""
    kind: str = "done"
    account_id: str = ""
    last: datetime = LONG_AGO
    """who opened it, and when they last did"""


STEPS = {
    intake.Status.SUBMITTED: "Sent by the patient",
    intake.Status.RETURNED: "Sent back to the patient with questions",
    intake.Status.ACCEPTED: "Review finished",
    intake.Status.WITHDRAWN: "Taken back by the patient",
    intake.Status.CHANGING: "Opened again by the patient to change something",
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


HANDS = {Hand.TAKE: "Taken to work on", Hand.LET_GO: "Let go"}
ON_THE_WAY: dict[Event, tuple[str, str]] = {
    Event.DELIVERY_QUEUED: DELIVERIES[State.WAITING],
    Event.DELIVERY_ATTEMPTED: ("Sent to the record", "waiting"),
    Event.DELIVERY_CONFIRMED: DELIVERIES[State.CONFIRMED],
    Event.DELIVERY_HELD: DELIVERIES[State.HELD],
    Event.DELIVERY_WITHHELD: DELIVERIES[State.WITHHELD],
    Event.DELIVERY_RESENT: ("Sent again by hand", "waiting"),
    Event.DELIVERY_CLOSED: DELIVERIES[State.CLOSED],
}


def story(
    actor: Actor, submission: intake.Submission, ties: list[TieDecision], standing: delivery.Status | None
) -> list[Moment]:
    """Every step, opening, decision and tie, who took it, and its way to the record; oldest first."""
    moments = [
        Moment(step.at, _step(step), step.why.get("by", "")) for step in submission.history if step.status in STEPS
    ]
    moments += [_decision(row) for row in history(submission) if row.submission_id == submission.id]
    moments += [
        Moment(row.at, TIES[TieVerdict(row.verdict)], row.detail["by"], detail=row.detail["reason"]) for row in ties
    ]
    moments += [_hand(row) for row in claims.history(submission)]
    moments += _openings(audit.about(actor, submission.patient_id, [f"submissions:{submission.id}"], SEEN))
    if standing is not None:
        sent = audit.about(actor, submission.patient_id, [f"outbox_items:{standing.item_id}"], ON_THE_WAY)
        moments += [Moment(each.at, *_way(each)) for each in sent]
        told = {moment.what for moment in moments}
        what, kind = DELIVERIES[standing.state]
        moments += [Moment(standing.since, what, kind=kind)] if what not in told else []
    return sorted(moments, key=lambda moment: moment.at)


SEEN = frozenset({Event.SUBMISSION_SEEN})


def _openings(found: list[audit.Happened]) -> list[Moment]:
    """The first time of each person; how often they came back is for the audit."""
    last = {each.account_id: each.at for each in found}
    first = {each.account_id: each for each in reversed(found)}
    return [
        Moment(each.at, OPENED, each.who, account_id=each.account_id, last=last[each.account_id])
        for each in first.values()
    ]


def _way(found: audit.Happened) -> tuple[str, str, str, str, str]:
    what, kind = ON_THE_WAY[found.event]
    return what, found.who, "", "", kind


def _hand(row: Claim) -> Moment:
    before = row.detail["from"]
    return Moment(row.at, HANDS[Hand(row.hand)], row.detail["by"], detail=f"Taken over from {before}" if before else "")


FOR_THE_PATIENT = {
    intake.Status.SUBMITTED: "Sent for the patient",
    intake.Status.WITHDRAWN: "Taken back for the patient",
    intake.Status.CHANGING: "Opened again for the patient to change something",
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
