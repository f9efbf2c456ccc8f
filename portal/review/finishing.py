"""Finish a submission: everything decided, then either back to the patient with questions, or one delivery; all or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.accounts import service as accounts
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.consent import service as consent
from portal.db import transaction
from portal.delivery import service as delivery
from portal.errors import Conflict, Issue
from portal.fhir.resources import Json
from portal.intake import service as intake
from portal.review import claims, editing, payload
from portal.review.amending import Amended, arrived_at, consent_there
from portal.review.decisions import REVIEWABLE, Item, items
from portal.review.models import Verdict
from portal.review.proposal import Proposal
from portal.review.provenance import Person, instant
from portal.review.renaming import renamed
from portal.review.untying import undone

Status = intake.Status


@dataclass(frozen=True)
class Finished:
    """Where the submission went, or what is still in the way (`issues`, or somebody else who `held` it; then nothing happened)."""

    to: Status | None = None
    issues: list[Issue] = field(default_factory=list)
    held: claims.Held | None = None


def finish(
    actor: Actor, submission: intake.Submission, proposals: Sequence[Proposal], subject: str, told: Amended
) -> Finished:
    """Decisions, payload, outbox row, status and audit row in one transaction (bar 65).

    `proposals` are built on the record as it was read last; a decision on one that looks different now must be made again.
    `told` is what the patient lets go to the record, as far as it is not there already.
    Conflict when somebody else has finished it meanwhile.
    """
    with transaction() as current:
        current.refresh(submission, ["status"], with_for_update=True)
        if Status(submission.status) not in REVIEWABLE:
            raise Conflict
        held = claims.in_the_way(actor, submission)
        if held:
            return Finished(held=held)
        decided = items(actor, submission, proposals)
        issues = undecided(decided)
        if issues:
            return Finished(issues=issues)
        asked = [item for item in decided if item.settled is Verdict.ASK]
        if asked:
            return _send_back(actor, submission, decided, asked)
        return _accept(actor, submission, decided, subject, told)


def undecided(decided: Sequence[Item]) -> list[Issue]:
    """One issue for each proposal that still needs a person."""
    return [
        Issue(item.proposal.key, "undecided", UNDECIDED[item.standing is not None], {"what": item.proposal.title})
        for item in decided
        if item.proposal.open and item.settled is None
    ]


UNDECIDED = {
    False: "Decide about: %(what)s",
    True: "The record was changed after this was decided. Decide again about: %(what)s",
}


def _send_back(actor: Actor, submission: intake.Submission, decided: Sequence[Item], asked: Sequence[Item]) -> Finished:
    questions = [{"key": item.proposal.fact, "title": item.proposal.title, "question": _reason(item)} for item in asked]
    intake.move(actor, submission, Status.RETURNED, {"questions": questions, "rejected": _rejected(decided)})
    audit.record(
        actor, Event.SUBMISSION_RETURNED, subject=f"submissions:{submission.id}", patient_id=submission.patient_id
    )
    return Finished(Status.RETURNED)


def _accept(
    actor: Actor, submission: intake.Submission, decided: Sequence[Item], subject: str, told: Amended
) -> Finished:
    bundle = _bundle(actor, submission, decided, subject, told)
    if bundle["entry"]:
        delivery.enqueue(
            actor,
            clinic_id=submission.clinic_id,
            patient_id=submission.patient_id,
            submission_id=submission.id,
            bundle=renamed(bundle, str(wrong)) if (wrong := undone(actor, submission.patient_id)) else bundle,
            consent_basis={"version": submission.document.get("consent_version_id")},
            round=delivery.next_round(submission.id),
        )
    counts = {
        verdict.value: sum(1 for item in decided if item.settled is verdict)
        for verdict in (Verdict.ACCEPT, Verdict.EDIT, Verdict.REJECT)
    }
    audit.record(
        actor,
        Event.SUBMISSION_ACCEPTED,
        subject=f"submissions:{submission.id}",
        patient_id=submission.patient_id,
        detail=counts,
    )
    intake.move(actor, submission, Status.ACCEPTED, {"rejected": _rejected(decided), "changed": _changed(decided)})
    return Finished(Status.ACCEPTED)


def _bundle(actor: Actor, submission: intake.Submission, decided: Sequence[Item], subject: str, told: Amended) -> Json:
    document, arrived = submission.document, arrived_at(actor, submission)
    accepted = [
        payload.Accepted(
            item.final,
            Person(item.standing.by, account_id=item.standing.account_id),
            editing.said(item.proposal) if item.settled is Verdict.EDIT else "",
        )
        for item in decided
        if item.standing and item.accepted and not (arrived and item.standing.at <= arrived)  # that is there already
    ]
    return payload.build(
        payload.Sending(
            submission_id=submission.id,
            subject=subject,
            said_at=instant(submission.sent_at),
            recorded=instant(now()),
            author=author_of(document, subject),
            finished_by=Person(actor.name, account_id=actor.account_id or ""),
            responses=told.responses,
            consent=_consent(actor, submission, arrived),
            accepted=accepted,
            superseded=_superseded(submission),
            there=told.there,
            pictures=intake.card_data(actor, submission, [each.proposal.picture for each in accepted]),
            insured=told.insured,
            replaced=told.replaced,
        )
    )


def _superseded(submission: intake.Submission) -> list[tuple[Json, str | None]]:
    version = submission.document.get("consent_version_id")
    return consent.superseded(submission.clinic_id, submission.patient_id, version) if version else []


def _consent(actor: Actor, submission: intake.Submission, arrived: datetime | None) -> Json | None:
    """The choices in force, unless the record has them since the round before."""
    version = submission.document.get("consent_version_id")
    if version and arrived and consent_there(submission, version):
        return None
    return consent.resource_for_delivery(actor, version) if version else None


def author_of(document: Json, subject: str) -> Person:
    """Who answered: the patient, or somebody on their behalf."""
    by: dict[str, Any] = document.get("by") or {}
    behalf, name = by.get("behalf"), str(by.get("name", ""))
    if behalf is None:
        return Person(name, reference=subject)
    known = str(behalf.get("reference") or "")
    return Person(name, reference=known, account_id=str(by.get("account_id") or ""), for_patient=subject)


def _reason(item: Item) -> str:
    return item.standing.reason if item.standing else ""


def _rejected(decided: Sequence[Item]) -> list[dict[str, str]]:
    """What was not taken over and why, for the patient."""
    return [
        {"key": item.proposal.fact, "title": item.proposal.title, "reason": _reason(item)}
        for item in decided
        if item.settled is Verdict.REJECT
    ]


def _changed(decided: Sequence[Item]) -> list[dict[str, str]]:
    """What was accepted in other words than the patient's, for the patient."""
    return [
        {
            "key": item.proposal.fact,
            "title": item.proposal.title,
            "said": editing.said(item.proposal),
            "now": editing.said(item.final),
        }
        for item in decided
        if item.settled is Verdict.EDIT
    ]


def subject_of(actor: Actor, patient_id: str) -> str | None:
    """The reference of the one Patient this person is tied to, or None: then nothing may be finished."""
    row = accounts.patient(actor, patient_id)
    return f"Patient/{row.fhir_id}" if row.fhir_id and row.connection_id else None
