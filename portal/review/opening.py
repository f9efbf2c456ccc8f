"""One submission as it is reviewed: who, which visit, each proposal beside the record of today, the forms, what has happened."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from portal.accounts import service as accounts
from portal.actors import Actor, Permission
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.consent import service as consent
from portal.delivery import service as delivery
from portal.ehr import service as ehr
from portal.fhir.people import Stand
from portal.fhir.resources import Json, object_at, objects_at, text_at
from portal.intake import service as intake
from portal.review import claims
from portal.review.amending import arrived_at
from portal.review.answers import AnsweredForm, answered_forms
from portal.review.claims import Held
from portal.review.conflicts import Contradiction, contradictions
from portal.review.decisions import REVIEWABLE, Item, as_decided, items
from portal.review.extracted import Told
from portal.review.finishing import subject_of
from portal.review.models import TieDecision, Verdict
from portal.review.others import theirs
from portal.review.proposal import Proposal
from portal.review.proposing import Desk, made_of, released, sections_of, submission_of, told_by, visible
from portal.review.record import record_now
from portal.review.story import OPENED, Moment, story
from portal.review.together import WHOLE
from portal.review.tying import stand_of
from portal.review.untying import decided

KEPT_BACK = "An answer that you may not see needs a clinician today. If nobody here may see it, speak with the patient."
LATELY = timedelta(minutes=10)


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
    waits_for: str
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
    def one_by_one(self) -> str:
        """Why nothing of it is accepted together with others: an English msgid, or ""."""
        return next((each.proposal.alone for each in self.undecided if each.proposal.alone in WHOLE), "")

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
    said = told_by(actor, submission, desk)
    amends = submission.round > 1 and arrived_at(
        actor, submission
    )  # what was read before that arrived does not have it
    max_age = timedelta(0) if amends else desk.fresh
    readings = record_now(actor, submission.patient_id, max_age=max_age, more=sections_of(submission, said))
    audit.seen(actor, Event.SUBMISSION_SEEN, subject=f"submissions:{submission.id}", patient_id=submission.patient_id)
    return _opened(actor, submission, readings, said, desk)


def _opened(
    actor: Actor, submission: intake.Submission, readings: dict[str, ehr.Reading], said: Sequence[Told], desk: Desk
) -> Opened:
    patient = accounts.patient(actor, submission.patient_id)
    shown = visible(actor, submission, made_of(actor, submission, readings, said, desk), desk)
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
        waits_for=delivery.waits_for(standing) if standing else "",
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


def _forms(actor: Actor, submission: intake.Submission, desk: Desk) -> tuple[list[AnsweredForm], bool]:
    """The forms as this person may see them, and whether they may see any."""
    responses = released(actor, submission, desk)
    language = actor.language
    return answered_forms({**submission.document, "responses": responses}, language, now()), bool(responses)


def given_file(actor: Actor, submission_id: str, mark: str, desk: Desk) -> intake.Given:
    """A file of the submission, if the patient lets this person see the answer it was given in; audited."""
    submission = submission_of(actor, submission_id)
    found = _card(actor, submission, mark, desk) or intake.kept(mark, *released(actor, submission, desk))
    audit.seen(actor, Event.SUBMISSION_SEEN, subject=f"submissions:{submission.id}", patient_id=submission.patient_id)
    return found


def _card(actor: Actor, submission: intake.Submission, picture: str, desk: Desk) -> intake.Given | None:
    """A picture of an insurance card."""
    about = [{"resourceType": "DocumentReference", "id": picture}]
    held = intake.card_data(actor, submission, [picture])
    if not held or not consent.visible(actor, submission.patient_id, about, policy=consent.POLICIES[desk.policy]):
        return None
    return intake.Given(picture, "insurance card", "image/jpeg", held[picture])


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
