"""A tie taken back: the record is left, what was to go there is stopped, what is there is listed for the clinic to correct.

Nothing that is in a record is deleted or changed by an undo: a person has each thing corrected from here
(portal/review/correcting.py), or corrects it in the clinic's system with the list in hand, and says so. Until then it stands on the
page of corrections, which the privacy officer sees too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from portal.accounts import service as accounts
from portal.actors import STAFF, Actor, Permission
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.delivery import service as delivery
from portal.ehr import service as ehr
from portal.errors import Conflict, Issue, NotAllowed, NotFound
from portal.fhir.resources import Json, type_of
from portal.fhir.values import name_of
from portal.intake import service as intake
from portal.review import correcting, decisions, shapes
from portal.review.models import Decision, TieDecision, TieVerdict, Verdict

NEEDED = "Say how you know that this is not the same person"
MOST_WORDS = 1000
NOT_OURS = (
    "This person came with their record from the clinic's own appointments. If that is wrong, it is wrong in the clinic's "
    "system: correct the appointment there."
)
REOPENED = "The tie to a record was taken back: this was decided beside another person's record."


@dataclass(frozen=True)
class Correction:
    """One tie that was taken back after something had gone to the record, and whether the clinic has corrected that."""

    tie_id: str
    patient_id: str
    name: str
    record: str
    at: datetime
    by: str
    reason: str
    written: list[correcting.Left]
    mended: TieDecision | None


def decided(actor: Actor, patient_id: str) -> list[TieDecision]:
    """What people (and rules) said before about who this is, oldest first."""
    wanted = select(TieDecision).where(TieDecision.patient_id == patient_id, TieDecision.clinic_id == actor.clinic_id)
    return list(session().scalars(wanted.order_by(TieDecision.at)))


def standing_tie(said: Sequence[TieDecision]) -> TieDecision | None:
    """The tie that holds now of what was decided; None where there is none, or it came with an appointment."""
    last = next((each for each in reversed(said) if each.verdict in (TieVerdict.LINK, TieVerdict.UNDO)), None)
    return last if last is not None and last.verdict == TieVerdict.LINK else None


def undo(actor: Actor, patient_id: str, reason: str) -> list[Issue]:
    """Take a tie back, all or nothing: no record is theirs any more, everything accepted under it is to be reviewed anew."""
    if not actor.may(Permission.MATCH):
        raise NotAllowed
    if not reason.strip():
        return [Issue("undo-reason", "required", NEEDED)]
    if len(reason) > MOST_WORDS:
        return [Issue("undo-reason", "too-long", "Use %(most)s characters or fewer", {"most": MOST_WORDS})]
    with transaction() as current:
        row = accounts.patient(actor, patient_id)
        current.refresh(row, with_for_update=True)
        if not row.fhir_id:
            raise Conflict("This person is not tied to a record any more.")
        tie = standing_tie(decided(actor, patient_id))
        if tie is None:
            return [Issue("undo-reason", "not-ours", NOT_OURS)]
        touched = delivery.touched(actor, patient_id)
        current.add(
            _undone(actor, tie, reason, _told(actor, patient_id, row.connection_id, delivery.stop(actor, patient_id)))
        )
        readings = ehr.read_several(actor, patient_id, ehr.Kind, fetch=False).values()
        theirs = [each for reading in readings for each in reading.resources]
        accounts.untie(actor, patient_id)
        ehr.forget(actor, patient_id)
        intake.forget_facts(actor, patient_id, theirs)
        _review_anew(actor, patient_id, touched)
    return []


def _told(
    actor: Actor, patient_id: str, connection_id: str | None, written: Sequence[delivery.Written]
) -> list[dict[str, Any]]:
    """What is needed to find each thing in the clinic's system and to correct it there; a Provenance goes with what it tells of."""
    documents = [each.document for each in intake.submitted(actor, patient_id=patient_id)]
    found: dict[str, dict[str, Any]] = {}
    for place, each in enumerate(written):
        if type_of(each.resource) != "Provenance":
            one = _one(each, documents) | {"connection": connection_id}
            before = found.get(each.reference) if each.reference else None
            kept = {name: before[name] for name in ("made", "base", "before") if name in before} if before else {}
            found[each.reference or str(place)] = one | kept
    return list(found.values())


def _one(written: delivery.Written, documents: Sequence[Json]) -> dict[str, Any]:
    resource = written.resource
    what = name_of(resource) if type_of(resource) == "Patient" else shapes.name_of(resource)
    told = {"type": type_of(resource), "reference": written.reference, "made": written.made, "what": what}
    if written.made:
        return {**told, "version": written.version}
    base = correcting.base_in(documents, written.reference, written.base)
    before = correcting.before_of(base, resource, correcting.lines_of) if base else ""
    return {**told, "version": written.version, "base": base, "after": resource, "before": before}


def _undone(actor: Actor, tie: TieDecision, reason: str, written: list[dict[str, Any]]) -> TieDecision:
    detail = tie.detail
    return TieDecision(
        clinic_id=tie.clinic_id,
        patient_id=tie.patient_id,
        verdict=TieVerdict.UNDO.value,
        at=now(),
        account_id=actor.account_id,
        left=len(written),
        detail={
            "by": actor.name,
            "reason": reason.strip(),
            "record": detail["record"],
            "fields": detail["fields"],
            "seen": detail["seen"],
            "written": written,
        },
    )


def _review_anew(actor: Actor, patient_id: str, touched: set[str]) -> None:
    """What was accepted under the tie comes back to the desk; what is being reviewed starts again."""
    for each in intake.submitted(actor, patient_id=patient_id):
        if each.status == intake.Status.ACCEPTED and each.id in touched:
            intake.move(actor, each, intake.Status.IN_REVIEW, {"untied": True})
        if intake.Status(each.status) in decisions.REVIEWABLE:
            _reopen(actor, each)


def _reopen(actor: Actor, submission: intake.Submission) -> None:
    assert actor.account_id is not None  # staff have accounts
    last: dict[str, Decision] = {}
    own: dict[str, int] = {}
    for row in decisions.history(submission):
        last[row.proposal_key] = row
        own[row.proposal_key] = own.get(row.proposal_key, 0) + (row.submission_id == submission.id)
    for key, row in last.items():
        if row.verdict != Verdict.REOPEN:
            session().add(
                Decision(
                    clinic_id=submission.clinic_id,
                    patient_id=submission.patient_id,
                    visit_id=submission.visit_id,
                    submission_id=submission.id,
                    proposal_key=key,
                    round=own[key] + 1,
                    verdict=Verdict.REOPEN.value,
                    at=now(),
                    account_id=actor.account_id,
                    detail={**row.detail, "by": actor.name, "role": actor.role.value, "reason": REOPENED},
                )
            )


def undone(actor: Actor, patient_id: str) -> int:
    """How often a tie of this person was taken back."""
    return sum(1 for each in _rows(actor, TieVerdict.UNDO) if each.patient_id == patient_id)


def corrections(actor: Actor) -> list[Correction]:
    """What the clinic has to correct in its records because of wrong ties, those that are open first. Audited."""
    if actor.role not in STAFF:
        raise NotAllowed
    audit.seen(actor, Event.QUEUE_SEEN, subject="queue:corrections", patient_id=None)
    mended = {each.mends: each for each in _rows(actor, TieVerdict.MENDED)}
    rows = [each for each in _rows(actor, TieVerdict.UNDO) if each.left]
    people, at = accounts.patients(actor, {each.patient_id for each in rows}), correcting.standing(rows)
    made = [_correction(each, str(people[each.patient_id].person["name"]), mended.get(each.id), at) for each in rows]
    return sorted(made, key=lambda each: (each.mended is not None, each.at))


def to_correct(actor: Actor) -> int:
    """How many wait. Counted for every staff page, so nothing sealed is opened for it."""
    mended = select(TieDecision.mends).where(
        TieDecision.clinic_id == actor.clinic_id, TieDecision.verdict == TieVerdict.MENDED.value
    )
    waiting = select(func.count()).where(
        TieDecision.clinic_id == actor.clinic_id,
        TieDecision.verdict == TieVerdict.UNDO.value,
        TieDecision.left > 0,
        TieDecision.id.not_in(mended),
    )
    return session().scalar(waiting) or 0


def correct(actor: Actor, tie_id: str, place: int, *, anyway: bool = False) -> list[Issue]:
    """Have one thing that is in a wrong record corrected there (portal/review/correcting.py)."""
    return correcting.correct(actor, _open(actor, tie_id), place, anyway=anyway)


def leave(actor: Actor, tie_id: str, place: int) -> list[Issue]:
    """Leave one thing as somebody changed it in the clinic's system since (portal/review/correcting.py)."""
    return correcting.leave(actor, _open(actor, tie_id), place)


def _open(actor: Actor, tie_id: str) -> TieDecision:
    if not actor.may(Permission.MATCH):
        raise NotAllowed
    row = next((each for each in _rows(actor, TieVerdict.UNDO) if each.id == tie_id), None)
    if row is None:
        raise NotFound
    if any(each.mends == tie_id for each in _rows(actor, TieVerdict.MENDED)):
        raise Conflict(correcting.NO_LONGER_ASKED)
    return row


def mend(actor: Actor, tie_id: str, reason: str) -> list[Issue]:
    """Somebody of the clinic has corrected the record, and says how; once."""
    if not actor.may(Permission.MATCH):
        raise NotAllowed
    row = next((each for each in _rows(actor, TieVerdict.UNDO) if each.id == tie_id), None)
    if row is None:
        raise NotFound
    if not reason.strip():
        return [Issue(f"mended-{tie_id}", "required", "Say what was done in the clinic's system")]
    if any(each.mends == tie_id for each in _rows(actor, TieVerdict.MENDED)):
        raise Conflict("Somebody has said already that this is corrected.")
    with transaction() as current:
        detail = {
            "by": actor.name,
            "reason": reason.strip()[:MOST_WORDS],
            "record": row.detail["record"],
        }
        current.add(
            TieDecision(
                clinic_id=row.clinic_id,
                patient_id=row.patient_id,
                verdict=TieVerdict.MENDED.value,
                at=now(),
                account_id=actor.account_id,
                mends=tie_id,
                detail={**detail, "fields": {}, "seen": []},
            )
        )
        audit.record(actor, Event.RECORD_MENDED, subject=f"patients:{row.patient_id}", patient_id=row.patient_id)
    return []


def _rows(actor: Actor, *verdicts: TieVerdict) -> list[TieDecision]:
    wanted = select(TieDecision).where(
        TieDecision.clinic_id == actor.clinic_id, TieDecision.verdict.in_([each.value for each in verdicts])
    )
    return list(session().scalars(wanted.order_by(TieDecision.at)))


def _correction(
    row: TieDecision, name: str, mended: TieDecision | None, at: Mapping[tuple[str, int], delivery.Status]
) -> Correction:
    said, left = row.detail, correcting.left(row, at)
    return Correction(row.id, row.patient_id, name, said["record"], row.at, said["by"], said["reason"], left, mended)
