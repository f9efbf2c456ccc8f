"""Which record a person is: candidates beside what we know, a person's decision with its reason, and the tie made by rule alone."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import IntegrityError

from portal.accounts import service as accounts
from portal.actors import Actor, Permission
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import transaction
from portal.ehr import service as ehr
from portal.errors import Conflict, Issue, NotAllowed, NotFound
from portal.fhir.people import Stand, Standing, standing
from portal.fhir.resources import Json, key_of, objects_at, text_at
from portal.fhir.values import address_text
from portal.intake import service as intake
from portal.review.identity import of_person
from portal.review.matching import Match, Scored, Verdict, match
from portal.review.models import TieDecision, TieVerdict
from portal.review.untying import decided, standing_tie

OUT_OF_USE = frozenset({Standing.REPLACED, Standing.INACTIVE})
TAKEN = (
    "Another entry of this portal is tied to that record already, perhaps the one that came with an appointment. "
    "Look in the list of visits and make the link there, or ask an administrator."
)


class RecordTaken(Conflict):
    """Two people of the portal would be one record."""

    sentence = TAKEN


@dataclass(frozen=True)
class Tied:
    """The record that somebody is tied to now: what it says, whether it is still in use, and who decided so (None: the
    appointment they came with)."""

    record: str
    patient: Json | None
    stand: Stand
    by: TieDecision | None


@dataclass(frozen=True)
class Candidates:
    """What we know of a person, and the records that could be theirs. `looked` is False when the clinic could not be asked."""

    person: dict[str, str | None]
    found: Match
    looked: bool
    reason: str | None
    decided: list[TieDecision]
    cut: list[str]
    """by what there is more than was shown"""
    asked_match: bool
    """whether the clinic's own matching had its say"""
    tied: Tied | None = None

    @property
    def settled(self) -> bool:
        """Whether there is nothing to choose: they are tied, and that record is in use."""
        return self.tied is not None and self.tied.stand.standing not in OUT_OF_USE


def candidates(actor: Actor, patient_id: str) -> Candidates:
    """Ask the clinic's server who this could be; for those who may match. Audited, as it shows other people's names."""
    _allowed(actor)
    row = accounts.patient(actor, patient_id)
    person, record = row.person, f"Patient/{row.fhir_id}" if row.fhir_id else ""
    own = _read_now(actor, patient_id) if record else None
    reading = ehr.candidates(actor, actor.clinic_id, _asked(person))
    audit.seen(actor, Event.CANDIDATES_SEEN, subject=f"patients:{patient_id}", patient_id=patient_id)
    said = decided(actor, patient_id)
    return Candidates(
        person=person,
        found=_matched(person, reading),
        looked=reading.looked,
        reason=reading.reading.sentence,
        decided=said,
        cut=[each.key.value for each in reading.cut],
        asked_match=reading.asked_match,
        tied=_tied(record, own, said) if own else None,
    )


def _read_now(actor: Actor, patient_id: str) -> ehr.Reading:
    """Now, so that a merge of today is seen."""
    return ehr.read(actor, patient_id, ehr.Kind.PATIENT, max_age=timedelta(0))


def _tied(record: str, reading: ehr.Reading, said: list[TieDecision]) -> Tied:
    return Tied(record, reading.find(record), stand_of(reading), standing_tie(said))


def stand_of(reading: ehr.Reading) -> Stand:
    """Whether a record is in use, by its Patient as it was read; one that is gone counts as set aside, one not read as in use."""
    if reading.reason is ehr.Reason.GONE:
        return Stand(Standing.INACTIVE)
    return standing(reading.resources[0]) if reading.resources else Stand(Standing.ACTIVE)


def in_use(actor: Actor, patient_id: str) -> bool:
    """Whether the record they are tied to is in use, as it was read last; nothing is asked of the clinic."""
    reading = ehr.read(actor, patient_id, ehr.Kind.PATIENT, fetch=False)
    return stand_of(reading).standing not in OUT_OF_USE


def own_records(actor: Actor, patient_id: str) -> set[str]:
    """The record they are tied to, and those of theirs that were merged into it (by a person's word)."""
    row = accounts.patient(actor, patient_id)
    own = {f"Patient/{row.fhir_id}"} if row.fhir_id else set()
    for each in reversed(decided(actor, patient_id)):
        if each.verdict == TieVerdict.UNDO:
            break
        own |= {each.detail["followed"]} if each.detail.get("followed") else set()
    return own


def link(actor: Actor, patient_id: str, record: str, reason: str) -> list[Issue]:
    """Tie the person to one of the candidates (`record`: "Patient/7"), asked again now. NotFound for any other record."""
    _allowed(actor)
    if not reason.strip():
        return [Issue("reason", "required", "Say how you know that this is the same person")]
    known = candidates(actor, patient_id)
    if known.settled:
        raise Conflict("This person has been tied to a record meanwhile.")
    chosen = next((each for each in known.found.candidates if key_of(each.patient) == record), None)
    if chosen is None:
        raise NotFound
    if chosen.against:
        return [
            Issue("record", "not-current", "This record cannot be used: %(why)s", {"why": " ".join(chosen.against)})
        ]
    try:
        _tie(actor, patient_id, chosen, known.found, reason, instead=known.tied.record if known.tied else None)
    except RecordTaken:
        return [Issue("record", "taken", TAKEN)]
    return []


def none_of_these(actor: Actor, patient_id: str, reason: str) -> list[Issue]:
    """No candidate is this person: nothing is sent until the clinic has a record for them and somebody looks again."""
    _allowed(actor)
    if not reason.strip():
        return [Issue("reason", "required", "Say how you know that none of them is this person")]
    known = candidates(actor, patient_id)
    if not known.looked:
        return [Issue("reason", "not-looked", "The clinic's system could not be asked just now. Try again later.")]
    with transaction() as current:
        current.add(_decision(actor, patient_id, TieVerdict.NONE, reason, None, known.found))
        audit.record(actor, Event.PATIENT_NOT_MATCHED, subject=f"patients:{patient_id}", patient_id=patient_id)
    return []


def settle(actor: Actor, patient_id: str) -> Verdict:
    """Tie the person when the rules alone are sure of exactly one record; otherwise leave it to a person."""
    if accounts.patient(actor, patient_id).fhir_id:
        return Verdict.ONE
    person = accounts.patient(actor, patient_id).person
    reading = ehr.candidates(actor, actor.clinic_id, _asked(person))
    found = _matched(person, reading)
    if not reading.complete:
        return Verdict.MAYBE
    if found.verdict is Verdict.ONE:
        try:
            _tie(actor, patient_id, found.candidates[0], found, "Name, birth date and another detail agree")
        except RecordTaken:
            return Verdict.MAYBE
    return found.verdict


def details_of(patient: Json) -> dict[str, str]:
    """What a candidate's record says, by the fields that are compared."""
    names, telecoms = objects_at(patient, "name"), objects_at(patient, "telecom")
    said = {
        "given": [" ".join(each.get("given", [])) for each in names],
        "family": [text_at(each, "family") for each in names],
        "birth_date": [text_at(patient, "birthDate")],
        "gender": [text_at(patient, "gender")],
        "phone": [text_at(each, "value") for each in telecoms if text_at(each, "system") in ("phone", "sms")],
        "email": [text_at(each, "value") for each in telecoms if text_at(each, "system") == "email"],
        "address": [address_text(each) for each in objects_at(patient, "address")],
    }
    return {name: ", ".join(dict.fromkeys(filter(None, held))) for name, held in said.items()}


def _tie(
    actor: Actor, patient_id: str, chosen: Scored, found: Match, reason: str, *, instead: str | None = None
) -> None:
    """`instead`: the record they were tied to before, which is no longer in use; it stays theirs."""
    connection = ehr.connection_for(actor.clinic_id)
    if connection is None:
        raise Conflict("The clinic's connection is not in use now. Try again later.")
    try:
        with transaction() as current:
            row = accounts.patient(actor, patient_id)
            current.refresh(row, with_for_update=True)
            if row.fhir_id and f"Patient/{row.fhir_id}" != instead:
                raise Conflict("This person has been tied to a record meanwhile.")
            made = _decision(actor, patient_id, TieVerdict.LINK, reason, chosen, found)
            made.detail = {**made.detail, "followed": instead}
            current.add(made)
            fhir_id = str(chosen.patient["id"])
            listed = accounts.holder(actor, connection.id, fhir_id)
            silent = listed.id if listed and not intake.anything_from(actor, listed.id) else None
            accounts.tie(actor, patient_id, connection.id, fhir_id, instead_of=silent)
            current.flush()
    except IntegrityError as taken:
        raise RecordTaken from taken


def _decision(
    actor: Actor, patient_id: str, verdict: TieVerdict, reason: str, chosen: Scored | None, found: Match | None
) -> TieDecision:
    return TieDecision(
        clinic_id=actor.clinic_id,
        patient_id=patient_id,
        verdict=verdict.value,
        at=now(),
        account_id=actor.account_id,
        detail={
            "by": actor.name,
            "reason": reason.strip(),
            "record": key_of(chosen.patient) if chosen else None,
            "fields": dict(chosen.fields) if chosen else {},
            "grade": chosen.grade if chosen else "",
            "seen": [key_of(each.patient) for each in found.candidates] if found else [],
        },
    )


def _matched(person: Json, found: ehr.Candidates) -> Match:
    grades = {key: opinion.grade for key, opinion in found.opinions.items()}
    return match(of_person(person), found.resources, grades)


def _asked(person: Json) -> ehr.Person:
    """The question for the server: the last word of the name as the family name, and what else is known."""
    given, _, family = str(person.get("name") or "").strip().rpartition(" ")
    said = {name: str(person.get(name) or "").strip() for name in ("birthDate", "phone", "email", "gender")}
    return ehr.Person(family, given, said["birthDate"], (), said["phone"], said["email"], said["gender"])


def _allowed(actor: Actor) -> None:
    if not actor.may(Permission.MATCH):
        raise NotAllowed
