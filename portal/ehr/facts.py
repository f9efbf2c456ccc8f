"""What the record says, as facts a person can confirm: one line each, in their words, with the resource it comes from. Pure.

Readings are of kinds of resource; what a person is asked about is a topic, and some topics stand in several places of the
record: people to call in Patient.contact and in RelatedPerson. `TOPICS` says which.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from portal.ehr.fact import Beside, Fact, Maker, made, part_of
from portal.ehr.history_facts import immunization, procedure, relative
from portal.ehr.people_facts import contacts, covers, dispensers, once, own_doctors, pharmacies, related, team
from portal.ehr.reading import Kind, Reading
from portal.fhir import codes
from portal.fhir.dosage import dosage_text
from portal.fhir.resources import Json, at, key_of, object_at, objects_at, resolve, text_at, type_of
from portal.fhir.values import (
    Say,
    address_text,
    code_of,
    codes_of,
    concept_text,
    current,
    onset,
    plain,
    telecom_kind,
)


def facts(kind: Kind, resources: Iterable[Json], beside: Sequence[Json] = (), say: Say = plain) -> list[Fact]:
    """The facts of one kind of reading that hold now, in the record's order; what is over, refuted or in error is left out.

    `beside` are the reading's neighbours (medications, performers) that names are looked up in.
    """
    near = {key_of(each): each for each in beside}
    found: list[Fact] = []
    for resource in resources:
        maker = MAKERS.get((kind, type_of(resource)))
        if maker is not None and key_of(resource):
            found += maker(resource, near, say)
    return _once(found) if kind is Kind.MEDICATIONS else found


def _request(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    counts = (
        text_at(resource, "status") in codes.CURRENT_REQUEST and text_at(resource, "intent") in codes.REQUEST_INTENTS
    )
    if counts and resource.get("doNotPerform") is not True:
        yield _medicine(resource, near, say, onset(resource, "authoredOn"))


def _statement(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    if text_at(resource, "status") in codes.CURRENT_STATEMENT:
        yield _medicine(resource, near, say, onset(resource, "effectivePeriod", "effectiveDateTime", "dateAsserted"))


def _medicine(resource: Json, near: Beside, say: Say, since: str) -> Fact:
    directions = dosage_text(resource, say)
    fact = made(Kind.MEDICATIONS, resource, medicine_name(resource, near, say), directions, since)
    return replace(fact, parts={"text": directions})


def medicine_name(resource: Json, near: Beside, say: Say = plain) -> str:
    """What the medicine is called, wherever its name stands."""
    reference = object_at(resource, "medicationReference")
    found = resolve(reference, resource, near)
    return (
        concept_text(at(resource, "medicationCodeableConcept"))
        or concept_text(at(found, "code"))
        or text_at(reference, "display")
        or say("A medicine without a name")
    )


def _once(found: list[Fact]) -> list[Fact]:
    """A statement that is drawn from a request which is here too is the same medicine."""
    keys = {fact.key for fact in found}
    return [fact for fact in found if not _drawn_from(fact.resource) & keys]


def _drawn_from(resource: Json) -> set[str]:
    sources = [*objects_at(resource, "basedOn"), *objects_at(resource, "derivedFrom")]
    return {text_at(each, "reference") for each in sources} if type_of(resource) == "MedicationStatement" else set()


def _allergy(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    if not _stands(resource, codes.CURRENT_ALLERGY):
        return
    none = any(
        system == codes.SNOMED and code in codes.NO_KNOWN_ALLERGY for system, code in codes_of(resource.get("code"))
    )
    label = concept_text(resource.get("code")) or _substances(resource) or say("An allergy without a name")
    fact = made(
        Kind.ALLERGIES,
        resource,
        label,
        _reactions(resource, say),
        onset(resource, "onsetDateTime", "onsetPeriod", "recordedDate"),
    )
    yield replace(fact, absence=none)


def _substances(resource: Json) -> str:
    named = [concept_text(each.get("substance")) for each in objects_at(resource, "reaction")]
    return ", ".join(dict.fromkeys(text for text in named if text))


def _reactions(resource: Json, say: Say) -> str:
    parts = []
    for reaction in objects_at(resource, "reaction"):
        signs = ", ".join(text for text in map(concept_text, objects_at(reaction, "manifestation")) if text)
        severity = codes.SEVERITY.get(text_at(reaction, "severity"))
        shown = signs or text_at(reaction, "description")
        parts.append(f"{shown} ({say(severity)})" if shown and severity else shown)
    danger = codes.CRITICALITY.get(text_at(resource, "criticality"))
    return "; ".join(part for part in [*dict.fromkeys(parts), say(danger) if danger else ""] if part)


def _condition(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    if _stands(resource, codes.CURRENT_CONDITION):
        label = concept_text(resource.get("code")) or say("A condition without a name")
        sites = ", ".join(text for text in map(concept_text, objects_at(resource, "bodySite")) if text)
        yield made(
            Kind.CONDITIONS, resource, label, sites, onset(resource, "onsetDateTime", "onsetPeriod", "recordedDate")
        )


def _stands(resource: Json, statuses: frozenset[str]) -> bool:
    """Neither over nor withdrawn, by clinicalStatus and verificationStatus."""
    clinical, verified = code_of(resource.get("clinicalStatus")), code_of(resource.get("verificationStatus"))
    return clinical in statuses and verified not in codes.NOT_MEANT


def _contact(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    """Each way to reach the patient. The key holds a fingerprint of the value, so that an answer to one never counts for another."""
    for telecom in current(objects_at(resource, "telecom")):
        value = text_at(telecom, "value")
        if value and text_at(telecom, "system") != "url":
            since = onset(telecom, "period")
            fact = made(Kind.PATIENT, resource, telecom_kind(telecom, say), value, since, part_of("telecom", value))
            yield replace(fact, parts={"text": value})
    for address in current(objects_at(resource, "address")):
        value = address_text(address)
        if value:
            since = onset(address, "period")
            fact = made(Kind.PATIENT, resource, say("Address"), value, since, part_of("address", value))
            yield replace(fact, parts={"text": value})


MAKERS: dict[tuple[Kind, str], Maker] = {
    (Kind.PATIENT, "Patient"): _contact,
    (Kind.MEDICATIONS, "MedicationRequest"): _request,
    (Kind.MEDICATIONS, "MedicationStatement"): _statement,
    (Kind.ALLERGIES, "AllergyIntolerance"): _allergy,
    (Kind.CONDITIONS, "Condition"): _condition,
    (Kind.COVERAGE, "Coverage"): covers,
    (Kind.RELATED, "RelatedPerson"): related,
    (Kind.IMMUNIZATIONS, "Immunization"): immunization,
    (Kind.PROCEDURES, "Procedure"): procedure,
    (Kind.FAMILY, "FamilyMemberHistory"): relative,
    (Kind.TEAM, "CareTeam"): team,
}


@dataclass(frozen=True)
class Topic:
    """What a person is asked about: the kinds of reading it stands in, the first of them its own, and its makers.

    `once`: the same name in two places is one thing. `ends`: what ended before today is no fact any more.
    """

    kinds: tuple[Kind, ...]
    makers: Mapping[str, Maker]
    once: bool = False
    ends: bool = False


def _own(kind: Kind) -> Topic:
    return Topic((kind,), {name: maker for (of, name), maker in MAKERS.items() if of is kind})


TOPICS: dict[str, Topic] = {
    "contact": _own(Kind.PATIENT),
    "person": Topic(
        (Kind.RELATED, Kind.PATIENT), {"RelatedPerson": related, "Patient": contacts}, once=True, ends=True
    ),
    "medication": _own(Kind.MEDICATIONS),
    "pharmacy": Topic(
        (Kind.PATIENT, Kind.MEDICATIONS), {"Patient": pharmacies, "MedicationRequest": dispensers}, once=True
    ),
    "allergy": _own(Kind.ALLERGIES),
    "condition": _own(Kind.CONDITIONS),
    "procedure": _own(Kind.PROCEDURES),
    "immunization": _own(Kind.IMMUNIZATIONS),
    "family": _own(Kind.FAMILY),
    "coverage": _own(Kind.COVERAGE),
    "careteam": Topic((Kind.TEAM, Kind.PATIENT), {"CareTeam": team, "Patient": own_doctors}, once=True, ends=True),
}


def about(topic: str, readings: Mapping[Kind, Reading], today: str = "", say: Say = plain) -> list[Fact]:
    """The facts of one topic, from every place of the record where it stands; `today` (ISO) tells what is over."""
    told = TOPICS[topic]
    found: list[Fact] = []
    for kind in told.kinds:
        near = {key_of(each): each for each in readings[kind].beside}
        for resource in readings[kind].resources:
            maker = told.makers.get(type_of(resource))
            if maker is not None and key_of(resource):
                found += maker(resource, near, say)
    if topic == "medication":
        found = _once(found)
    kept = [_dated(fact, today) for fact in found]
    kept = [fact for fact in kept if not (told.ends and fact.over)]
    return once(kept) if told.once else kept


def _dated(fact: Fact, today: str) -> Fact:
    """With its end only where that has passed."""
    return fact if fact.over and fact.over < today else replace(fact, over="")
