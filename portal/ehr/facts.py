"""What the record says, as facts a person can confirm: one line each, in their words, with the resource it comes from. Pure."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from portal.ehr.reading import Kind
from portal.fhir import codes
from portal.fhir.dosage import dosage_text
from portal.fhir.resources import Json, at, key_of, object_at, objects_at, resolve, text_at, type_of, version_of
from portal.fhir.values import (
    Say,
    address_text,
    code_of,
    codes_of,
    concept_text,
    current,
    name_of,
    onset,
    plain,
    reference_text,
    telecom_kind,
    telecom_value,
)

Beside = dict[str, Json]


@dataclass(frozen=True)
class Source:
    """Where a fact stands: `reference` is `Type/id`."""

    reference: str
    version_id: str | None


@dataclass(frozen=True)
class Fact:
    """One thing the record says. `key` names it for as long as it says the same thing; `since` is a partial FHIR date or "".

    `absence` marks a fact that says something is not there ("No known allergies").
    """

    key: str
    kind: Kind
    label: str
    detail: str
    since: str
    source: Source
    resource: Json
    absence: bool = False

    def __repr__(self) -> str:
        return f"Fact({self.key})"


def facts(kind: Kind, resources: Iterable[Json], beside: Sequence[Json] = (), say: Say = plain) -> list[Fact]:
    """The facts of one kind of reading that hold now, in the record's order; what is over, refuted or in error is left out.

    `beside` are the reading's neighbours (medications, performers) that names are looked up in.
    """
    near = {key_of(each): each for each in beside}
    found: list[Fact] = []
    for resource in resources:
        made = MAKERS.get((kind, type_of(resource)))
        if made is not None and key_of(resource):
            found += made(resource, near, say)
    return _once(found) if kind is Kind.MEDICATIONS else found


Maker = Callable[[Json, Beside, Say], Iterator[Fact]]


def _fact(kind: Kind, resource: Json, label: str, detail: str, since: str, part: str = "") -> Fact:
    key = key_of(resource)
    return Fact(
        f"{key}#{part}" if part else key, kind, label, detail, since, Source(key, version_of(resource)), resource
    )


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
    return _fact(Kind.MEDICATIONS, resource, medicine_name(resource, near, say), dosage_text(resource, say), since)


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
    fact = _fact(
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
        yield _fact(
            Kind.CONDITIONS, resource, label, sites, onset(resource, "onsetDateTime", "onsetPeriod", "recordedDate")
        )


def _stands(resource: Json, statuses: frozenset[str]) -> bool:
    """Neither over nor withdrawn, by clinicalStatus and verificationStatus."""
    clinical, verified = code_of(resource.get("clinicalStatus")), code_of(resource.get("verificationStatus"))
    return clinical in statuses and verified not in codes.NOT_MEANT


def _coverage(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    if text_at(resource, "status") not in codes.CURRENT_COVERAGE:
        return
    payors = [reference_text(each, resolve(each, resource, near)) for each in objects_at(resource, "payor")]
    label = ", ".join(text for text in payors if text) or concept_text(resource.get("type")) or say("Insurance")
    plans = [text_at(each, "name") or text_at(each, "value") for each in objects_at(resource, "class")]
    detail = ", ".join(text for text in [*plans, text_at(resource, "subscriberId")] if text)
    yield _fact(Kind.COVERAGE, resource, label, detail, onset(resource, "period"))


def _related(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    if resource.get("active") is False:
        return
    relation = ", ".join(text for text in map(concept_text, objects_at(resource, "relationship")) if text)
    detail = ", ".join(text for text in (relation, telecom_value(resource, "phone", "sms")) if text)
    yield _fact(
        Kind.RELATED, resource, name_of(resource) or say("A person without a name"), detail, onset(resource, "period")
    )


def _immunization(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    if text_at(resource, "status") in ("completed", ""):
        label = concept_text(resource.get("vaccineCode")) or say("A vaccine without a name")
        when = onset(resource, "occurrenceDateTime") or text_at(resource, "occurrenceString")
        yield _fact(Kind.IMMUNIZATIONS, resource, label, "", when)


def _contact(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    """Each way to reach the patient. The key holds a fingerprint of the value, so that an answer to one never counts for another."""
    for telecom in current(objects_at(resource, "telecom")):
        value = text_at(telecom, "value")
        if value and text_at(telecom, "system") != "url":
            since = onset(telecom, "period")
            yield _fact(Kind.PATIENT, resource, telecom_kind(telecom, say), value, since, _part("telecom", value))
    for address in current(objects_at(resource, "address")):
        value = address_text(address)
        if value:
            yield _fact(
                Kind.PATIENT, resource, say("Address"), value, onset(address, "period"), _part("address", value)
            )


def _part(name: str, value: str) -> str:
    return f"{name}-{hashlib.sha256(value.encode()).hexdigest()[:8]}"


MAKERS: dict[tuple[Kind, str], Maker] = {
    (Kind.PATIENT, "Patient"): _contact,
    (Kind.MEDICATIONS, "MedicationRequest"): _request,
    (Kind.MEDICATIONS, "MedicationStatement"): _statement,
    (Kind.ALLERGIES, "AllergyIntolerance"): _allergy,
    (Kind.CONDITIONS, "Condition"): _condition,
    (Kind.COVERAGE, "Coverage"): _coverage,
    (Kind.RELATED, "RelatedPerson"): _related,
    (Kind.IMMUNIZATIONS, "Immunization"): _immunization,
}
