"""One submission as it is reviewed: who, which visit, each proposal beside the record of today, the forms, what has happened."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from portal.accounts import service as accounts
from portal.actors import Actor, Permission, system
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.consent import service as consent
from portal.delivery import service as delivery
from portal.ehr import service as ehr
from portal.errors import NotAllowed
from portal.fhir.people import Stand
from portal.fhir.resources import Json, object_at, objects_at, text_at
from portal.intake import service as intake
from portal.review import claims
from portal.review.answers import AnsweredForm, answered_forms
from portal.review.claims import Held
from portal.review.conflicts import Contradiction, contradictions
from portal.review.decisions import REVIEWABLE, Item, as_decided, items
from portal.review.extracted import Told, told
from portal.review.finishing import instant, subject_of
from portal.review.models import TieDecision, Verdict
from portal.review.others import theirs
from portal.review.proposal import Proposal
from portal.review.proposals import kinds, proposals
from portal.review.record import as_record, record_now
from portal.review.section import KNOWN, Record, Section
from portal.review.story import OPENED, Moment, story
from portal.review.taking_over import section_of
from portal.review.tying import own_records, stand_of
from portal.review.untying import decided

KEPT_BACK = "An answer that you may not see needs a clinician today. If nobody here may see it, speak with the patient."
UNTIED = "Patient/unknown"
LATELY = timedelta(minutes=10)


@dataclass(frozen=True)
class Desk:
    """What the desk needs to know of the installation: how fresh a reading must be, and what holds without a consent."""

    fresh: timedelta
    policy: str


@dataclass(frozen=True)
class Opened:
    """Everything the page shows. `items` are to decide, `confirmed` need nobody. `subject` is None while not tied."""

    submission: intake.Submission
    status: intake.Status
    person: Json
    subject: str | None
    items: list[Item]
    confirmed: list[Proposal]
    forms: list[AnsweredForm]
    shared: bool
    readings: dict[str, ehr.Reading]
    consent: Json | None
    delivery: delivery.Status | None
    ties: list[TieDecision]
    story: list[Moment]
    urgent: list[str]
    actor: Actor
    held: Held | None = None
    """somebody has taken it to work on"""

    @property
    def reviewable(self) -> bool:
        """Whether anything can still be decided here."""
        return self.status in REVIEWABLE and self.subject is not None

    @property
    def stand(self) -> Stand:
        """Whether the record they are tied to is still in use, as it was read last."""
        return stand_of(self.readings["contact"])

    @property
    def hidden(self) -> int:
        """How many facts are not shown because they were read from a record that is not theirs."""
        own = {self.subject, *(each.detail.get("followed") for each in self.ties)}
        return int(theirs(self.submission.document, {each for each in own if each}).get("hidden", 0))

    @property
    def contradictions(self) -> list[Contradiction]:
        """What people who answer for this patient said differently."""
        return contradictions(self.submission.document)

    @property
    def answered_for(self) -> tuple[str, str] | None:
        """(name, relation) of somebody who answered for the patient; None when they did themself."""
        by = object_at(self.submission.document, "by")
        relation = text_at(by, "behalf", "relation")
        return (text_at(by, "name"), relation) if relation else None

    @property
    def undecided(self) -> list[Item]:
        return [item for item in self.items if item.settled is None]

    @property
    def may_review(self) -> bool:
        return self.reviewable and self.actor.may(Permission.REVIEW)

    @property
    def others(self) -> list[Moment]:
        """Who else has opened it just now."""
        recent = [each for each in self.story if each.what == OPENED and each.last > now() - LATELY]
        return [replace(each, at=each.last) for each in recent if each.account_id != self.actor.account_id]

    @property
    def bulk(self) -> list[Item]:
        """What this person may accept in one go: unremarkable and not decided yet."""
        return [item for item in self.undecided if item.may_decide and item.proposal.unremarkable]

    @property
    def read(self) -> list[tuple[list[str], ehr.Reading]]:
        """The sections of the record, those read in one go together."""
        grouped: dict[object, tuple[list[str], ehr.Reading]] = {}
        for name, reading in self.readings.items():
            minute = reading.read_at.replace(second=0, microsecond=0) if reading.read_at else None
            grouped.setdefault((reading.state, reading.reason, minute), ([], reading))[0].append(name)
        return list(grouped.values())

    @property
    def consent_at(self) -> datetime:
        """When the patient made the choices that were in force at sending."""
        return datetime.fromisoformat(text_at(self.consent, "dateTime"))

    @property
    def consent_text(self) -> str:
        """The words as they were shown, with a mark at what was chosen."""
        data = text_at(self.consent, "sourceAttachment", "data")
        return b64decode(data).decode() if data else ""

    @property
    def asked(self) -> list[Item]:
        return [item for item in self.items if item.settled is Verdict.ASK]


def open_submission(actor: Actor, submission_id: str, desk: Desk) -> Opened:
    """Read it, and the record beside it, for this person; audited before anything leaves. NotFound for another clinic's."""
    submission = submission_of(actor, submission_id)
    said = _told(actor, submission, desk)
    readings = record_now(actor, submission.patient_id, max_age=desk.fresh, more=_sections(submission, said))
    audit.seen(actor, Event.SUBMISSION_SEEN, subject=f"submissions:{submission.id}", patient_id=submission.patient_id)
    return _opened(actor, submission, readings, said, desk)


def current_proposals(actor: Actor, submission_id: str, desk: Desk) -> tuple[intake.Submission, list[Proposal]]:
    """The proposals this person may see, against the record as it was read last (nothing is asked of the clinic)."""
    submission, made = every_proposal(actor, submission_id, desk)
    return submission, _visible(actor, submission, made, desk)


def every_proposal(actor: Actor, submission_id: str, desk: Desk) -> tuple[intake.Submission, list[Proposal]]:
    """All of them, also those this person may not see: finishing waits for each."""
    submission = submission_of(actor, submission_id)
    said = _told(actor, submission, desk)
    more = _sections(submission, said)
    readings = record_now(actor, submission.patient_id, max_age=desk.fresh, fetch=False, more=more)
    return submission, _proposals(actor, submission, readings, said)


def _sections(submission: intake.Submission, said: Sequence[Told]) -> set[str]:
    """The sections of the record that this submission says something about."""
    return kinds(submission.document) | set(map(section_of, said))


def submission_of(actor: Actor, submission_id: str) -> intake.Submission:
    """The submission, for those who may see the queue."""
    if not actor.may(Permission.SEE_QUEUE):
        raise NotAllowed
    return intake.submission(actor, submission_id)


def _opened(
    actor: Actor, submission: intake.Submission, readings: dict[str, ehr.Reading], said: Sequence[Told], desk: Desk
) -> Opened:
    patient = accounts.patient(actor, submission.patient_id)
    shown = _visible(actor, submission, _proposals(actor, submission, readings, said), desk)
    forms, shared = _forms(actor, submission, desk)
    standing = delivery.status_of(submission.id)
    ties = decided(actor, submission.patient_id)
    return Opened(
        submission=submission,
        status=intake.Status(submission.status),
        person=patient.person,
        subject=subject_of(actor, submission.patient_id),
        items=_items(actor, submission, shown),
        confirmed=[each for each in shown if not each.open],
        forms=forms,
        shared=shared,
        readings=readings,
        consent=_consent(actor, submission),
        delivery=standing,
        ties=ties,
        story=story(actor, submission, ties, standing),
        urgent=_urgent(actor, submission, desk),
        actor=actor,
        held=claims.of(submission) if intake.Status(submission.status) in REVIEWABLE else None,
    )


def _items(actor: Actor, submission: intake.Submission, shown: list[Proposal]) -> list[Item]:
    """To decide on the record of today; once closed, as it was decided, of what this person may see."""
    if intake.Status(submission.status) in REVIEWABLE:
        return items(actor, submission, [each for each in shown if each.open])
    keys = {each.key for each in shown}
    return [item for item in as_decided(submission) if item.proposal.key in keys]


def _as_it_was(document: Json) -> Record:
    """The record as it was read for the patient: a closed submission is not compared with what came after it."""
    held: dict[str, list[Json]] = {}
    for fact in objects_at(document, "facts"):
        resource = object_at(fact, "source", "resource")
        if resource and resource not in held.setdefault(text_at(fact, "kind"), []):
            held[text_at(fact, "kind")].append(resource)
    return {kind: Section(KNOWN, tuple(resources)) for kind, resources in held.items()}


def _proposals(
    actor: Actor, submission: intake.Submission, readings: dict[str, ehr.Reading], said: Sequence[Told]
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
    )


def _told(actor: Actor, submission: intake.Submission, desk: Desk) -> list[Told]:
    """What the forms say, of the answers that may go to the record: nobody decides about what is kept back."""
    return told(
        submission.document,
        released(system(actor.clinic_id), submission, desk, purpose="TREAT"),
        patient=_patient(submission.document),
        subject=subject_of(actor, submission.patient_id) or UNTIED,
        at=submission.sent_at,
    )


def _patient(document: Json) -> Json:
    """The Patient as it was read for the patient, for forms that ask about it (age, sex)."""
    sources = [object_at(fact, "source", "resource") for fact in objects_at(document, "facts")]
    return next((each for each in sources if each.get("resourceType") == "Patient"), {})


def _visible(actor: Actor, submission: intake.Submission, made: Sequence[Proposal], desk: Desk) -> list[Proposal]:
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


def _forms(actor: Actor, submission: intake.Submission, desk: Desk) -> tuple[list[AnsweredForm], bool]:
    """The forms as this person may see them, and whether they may see any."""
    responses = released(actor, submission, desk)
    language = actor.language
    return answered_forms({**submission.document, "responses": responses}, language, now()), bool(responses)


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


def given_file(actor: Actor, submission_id: str, mark: str, desk: Desk) -> intake.Given:
    """A file of the submission, if the patient lets this person see the answer it was given in; audited."""
    submission = submission_of(actor, submission_id)
    found = intake.kept(mark, *released(actor, submission, desk))
    audit.seen(actor, Event.SUBMISSION_SEEN, subject=f"submissions:{submission.id}", patient_id=submission.patient_id)
    return found


def _urgent(actor: Actor, submission: intake.Submission, desk: Desk) -> list[str]:
    """Why to look today, as this person may know it; that there is something is never kept from them."""
    met = objects_at(submission.document, "urgent")
    about = [
        {"resourceType": "QuestionnaireResponse", "id": str(place), **_labelled(each)} for place, each in enumerate(met)
    ]
    known = consent.visible(actor, submission.patient_id, about, policy=consent.POLICIES[desk.policy])
    told = [text_at(met[int(text_at(each, "id"))], "words") for each in known]
    return [*dict.fromkeys(told), *([KEPT_BACK] if len(known) < len(met) else [])]


def _labelled(met: Json) -> Json:
    pairs = [str(label).rpartition("|") for label in met.get("labels") or ()]
    return {"meta": {"security": [{"system": system, "code": code} for system, _, code in pairs]}} if pairs else {}


def _consent(actor: Actor, submission: intake.Submission) -> Json | None:
    version = submission.document.get("consent_version_id")
    return consent.resource_for_delivery(actor, version) if version else None
