"""The proposals of one submission, on the record as it was read: all of them, or those that one person may see."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from portal import attention
from portal.accounts import service as accounts
from portal.actors import Actor, Permission, system
from portal.attention.results import Finding
from portal.consent import service as consent
from portal.ehr import service as ehr
from portal.errors import NotAllowed
from portal.fhir.resources import Json, object_at, objects_at, text_at
from portal.intake import service as intake
from portal.review.amending import rounds
from portal.review.decisions import REVIEWABLE
from portal.review.extracted import Told, told
from portal.review.finishing import subject_of
from portal.review.matching import certain
from portal.review.others import theirs
from portal.review.proposal import Proposal
from portal.review.proposals import kinds, proposals
from portal.review.provenance import instant
from portal.review.record import as_record, record_now
from portal.review.section import KNOWN, Record, Section
from portal.review.taking_over import section_of
from portal.review.together import AGAIN, TIE_IN_DOUBT, Around
from portal.review.tying import own_records
from portal.review.untying import decided, standing_tie

UNTIED = "Patient/unknown"


@dataclass(frozen=True)
class Desk:
    """What the desk needs to know of the installation and the clinic: how fresh a reading must be, what holds without a
    consent, and which results are unremarkable."""

    fresh: timedelta
    policy: str
    rules: attention.Rules = field(default_factory=partial(attention.rules, None, ""))


def submission_of(actor: Actor, submission_id: str) -> intake.Submission:
    """The submission, for those who may see the queue."""
    if not actor.may(Permission.SEE_QUEUE):
        raise NotAllowed
    return intake.submission(actor, submission_id)


def current_proposals(actor: Actor, submission_id: str, desk: Desk) -> tuple[intake.Submission, list[Proposal]]:
    """The proposals this person may see, against the record as it was read last (nothing is asked of the clinic)."""
    submission, made = every_proposal(actor, submission_id, desk)
    return submission, visible(actor, submission, made, desk)


def every_proposal(actor: Actor, submission_id: str, desk: Desk) -> tuple[intake.Submission, list[Proposal]]:
    """All of them, also those this person may not see: finishing waits for each."""
    submission = submission_of(actor, submission_id)
    said = told_by(actor, submission, desk)
    more = sections_of(submission, said)
    readings = record_now(actor, submission.patient_id, max_age=desk.fresh, fetch=False, more=more)
    return submission, made_of(actor, submission, readings, said, desk)


def sections_of(submission: intake.Submission, said: Sequence[Told]) -> set[str]:
    """The sections of the record that this submission says something about."""
    return kinds(submission.document) | set(map(section_of, said))


def made_of(
    actor: Actor, submission: intake.Submission, readings: dict[str, ehr.Reading], said: Sequence[Told], desk: Desk
) -> list[Proposal]:
    closed = intake.Status(submission.status) not in REVIEWABLE
    return proposals(
        theirs(submission.document, own_records(actor, submission.patient_id)),
        _as_it_was(submission.document) if closed else as_record(readings),
        subject=subject_of(actor, submission.patient_id) or UNTIED,
        said_at=instant(submission.sent_at),
        told=said,
        writable=ehr.writable(actor.clinic_id or ""),
        authority=intake.asked(actor.clinic_id).authority,
        rounds=rounds(actor, submission) if not closed and submission.round > 1 else {},
        around=Around(_whole(actor, submission), _finding(submission, desk)),
    )


def _whole(actor: Actor, submission: intake.Submission) -> str:
    """Why nothing of it is accepted together with others, or ""."""
    tie = standing_tie(decided(actor, submission.patient_id))
    if tie is not None and not certain(tie.detail["fields"]):
        return TIE_IN_DOUBT
    return AGAIN if submission.round > 1 else ""


def _finding(submission: intake.Submission, desk: Desk) -> Callable[[Json], Finding]:
    return partial(desk.rules.finding, patient=_patient(submission.document), at=submission.sent_at)


def _as_it_was(document: Json) -> Record:
    """The record as it was read for the patient: a closed submission is not compared with what came after it."""
    held: dict[str, list[Json]] = {}
    for fact in objects_at(document, "facts"):
        resource = object_at(fact, "source", "resource")
        if resource and resource not in held.setdefault(text_at(fact, "kind"), []):
            held[text_at(fact, "kind")].append(resource)
    return {kind: Section(KNOWN, tuple(resources)) for kind, resources in held.items()}


def told_by(actor: Actor, submission: intake.Submission, desk: Desk) -> list[Told]:
    """What the forms say, of the answers that may go to the record: nobody decides about what is kept back.

    The moment is told in the clinic's zone, so that a result of the evening is of that day and not of the next one.
    """
    zone = ZoneInfo(accounts.clinic(actor.clinic_id).timezone)
    may_go = released(system(actor.clinic_id), submission, desk, purpose="TREAT")
    return told(
        submission.document,
        [_of_the_day(response, zone) for response in may_go],
        patient=_patient(submission.document),
        subject=subject_of(actor, submission.patient_id) or UNTIED,
        at=submission.sent_at.astimezone(zone),
    )


def _of_the_day(response: Json, zone: ZoneInfo) -> Json:
    authored = text_at(response, "authored")
    if "T" not in authored:
        return response
    return {**response, "authored": datetime.fromisoformat(authored).astimezone(zone).isoformat()}


def _patient(document: Json) -> Json:
    """The Patient as it was read for the patient, for forms that ask about it (age, sex)."""
    sources = [object_at(fact, "source", "resource") for fact in objects_at(document, "facts")]
    return next((each for each in sources if each.get("resourceType") == "Patient"), {})


def visible(actor: Actor, submission: intake.Submission, made: Sequence[Proposal], desk: Desk) -> list[Proposal]:
    """Only what the patient lets this person see (bar 92)."""
    documents = {id(each): _about(submission, each) for each in made}
    policy = consent.POLICIES[desk.policy]
    kept = consent.visible(actor, submission.patient_id, documents.values(), policy=policy)
    keys = {text_at(each, "id") for each in kept}
    return [each for each in made if each.key in keys]


def _about(submission: intake.Submission, proposal: Proposal) -> Json:
    """What the patient told, as a resource the consent rules can judge: the fact's type and security labels, our key as id."""
    if proposal.form:
        meta = {"meta": {"security": list(proposal.labels)}} if proposal.labels else {}
        return {"resourceType": "QuestionnaireResponse", "id": proposal.key, **meta}
    facts = {text_at(each, "key"): each for each in objects_at(submission.document, "facts")}
    source = facts.get(proposal.fact, {}).get("source") or {}
    resource: Json = source.get("resource") or (proposal.change.resource if proposal.change else {})
    told: Json = {"resourceType": resource.get("resourceType", "QuestionnaireResponse"), "id": proposal.key}
    return (
        {**told, "meta": {"security": resource["meta"]["security"]}}
        if resource.get("meta", {}).get("security")
        else told
    )


def released(actor: Actor, submission: intake.Submission, desk: Desk, purpose: str | None = None) -> list[Json]:
    """The responses of the submission that the patient lets this actor use, without the answers they keep back."""
    forms = submission.document.get("questionnaires") or {}
    policy = consent.POLICIES[desk.policy]
    made = [
        consent.redacted(
            actor,
            submission.patient_id,
            response,
            forms.get(text_at(response, "questionnaire"), {}),
            policy=policy,
            purpose=purpose,
        )
        for response in objects_at(submission.document, "responses")
    ]
    return [each for each in made if each is not None]
