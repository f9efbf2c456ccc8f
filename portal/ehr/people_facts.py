"""Who belongs to a patient, as facts: people to call, the pharmacy, the care team. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from portal.ehr.fact import Beside, Fact, made, part_of
from portal.ehr.reading import Kind
from portal.fhir import codes
from portal.fhir.resources import Json, at, object_at, objects_at, resolve, text_at
from portal.fhir.values import Say, concept_text, name_of, name_text, onset, reference_text, telecom_value

NOT_NEXT_OF_KIN = frozenset({"C", "E", "F", "I", "N", "S", "U"})
"""v2-0131 roles of a contact: what they are for, not who they are to the patient."""


def related(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    """A RelatedPerson who is still one."""
    if resource.get("active") is not False:
        named = name_of(resource) or say("A person without a name")
        yield _person(resource, named, resource, objects_at(resource, "relationship"), Kind.RELATED)


def contacts(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    """The people in Patient.contact; an organisation is no person to call."""
    for held in objects_at(resource, "contact"):
        name = name_text(object_at(held, "name"))
        number = telecom_value(held, "phone", "sms")
        if name or number:
            fingerprint = part_of("contact", f"{name}|{number}")
            label = name or say("A person without a name")
            yield _person(resource, label, held, objects_at(held, "relationship"), Kind.PATIENT, fingerprint)


def _person(resource: Json, label: str, held: Json, relations: list[Json], kind: Kind, part: str = "") -> Fact:
    relation, number = relation_text(relations), telecom_value(held, "phone", "sms")
    detail = ", ".join(text for text in (relation, number) if text)
    fact = made(kind, resource, label, detail, onset(held, "period"), part)
    over = text_at(held, "period", "end")[:10]
    return replace(fact, parts={"name": label, "relation": relation, "phone": number}, over=over)


def relation_text(relations: list[Json]) -> str:
    """Who somebody is to the patient; the role of an emergency contact is no relation."""
    told = [each for each in relations if text_at(each, "text") or not _is_role(each)]
    return ", ".join(dict.fromkeys(text for text in map(concept_text, told) if text))


def _is_role(concept: Json) -> bool:
    return all(
        text_at(each, "system").endswith("v2-0131") and text_at(each, "code") in NOT_NEXT_OF_KIN
        for each in objects_at(concept, "coding")
    )


def pharmacies(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    """The preferred pharmacy where the record has HL7's extension for it."""
    for place in objects_at(resource, "extension"):
        if text_at(place, "url") == codes.PREFERRED_PHARMACY:
            yield from _pharmacy(resource, pharmacy_of(place), near, Kind.PATIENT, "pharmacy")


def pharmacy_of(extension: Json) -> Json:
    """The Reference to the pharmacy in the extension."""
    inner = [each for each in objects_at(extension, "extension") if text_at(each, "url") == "pharmacy"]
    return object_at(inner[0], "valueReference") if inner else {}


def dispensers(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    """Where the record sends a prescription that is in use: R4's own place for a pharmacy."""
    if text_at(resource, "status") in codes.CURRENT_REQUEST:
        held = object_at(resource, "dispenseRequest", "performer")
        yield from _pharmacy(resource, held, near, Kind.MEDICATIONS, "dispenser")


def _pharmacy(resource: Json, held: Json, near: Beside, kind: Kind, part: str) -> Iterator[Fact]:
    name = reference_text(held, resolve(held, resource, near))
    if name:
        yield replace(made(kind, resource, name, "", "", part_of(part, name)), parts={"text": name})


def team(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    """Everybody in a CareTeam that is at work, the patient's own entry left out."""
    if text_at(resource, "status") not in ("active", "proposed", ""):
        return
    for held in objects_at(resource, "participant"):
        reference = object_at(held, "member")
        name = reference_text(reference, resolve(reference, resource, near))
        if name and not text_at(reference, "reference").startswith("Patient/"):
            role = ", ".join(text for text in map(concept_text, objects_at(held, "role")) if text)
            fact = made(Kind.TEAM, resource, name, role, onset(held, "period"), part_of("member", f"{name}|{role}"))
            yield replace(fact, over=text_at(held, "period", "end")[:10])


def own_doctors(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    """Patient.generalPractitioner."""
    for reference in objects_at(resource, "generalPractitioner"):
        name = reference_text(reference, resolve(reference, resource, near))
        if name:
            yield made(Kind.PATIENT, resource, name, say("Your regular doctor"), "", part_of("doctor", name))


def once(found: list[Fact]) -> list[Fact]:
    """Somebody, or a place, that stands in two parts of the record is one: the first that is named so stays."""
    kept: dict[str, Fact] = {}
    for fact in found:
        kept.setdefault(" ".join(fact.label.casefold().split()), fact)
    return list(kept.values())


def covers(resource: Json, near: Beside, say: Say) -> Iterator[Fact]:
    """Insurance that the record has in force; whether its time is over is said, not decided here."""
    if text_at(resource, "status") not in codes.CURRENT_COVERAGE:
        return
    payors = [reference_text(each, resolve(each, resource, near)) for each in objects_at(resource, "payor")]
    insurer = ", ".join(text for text in payors if text)
    label = insurer or concept_text(at(resource, "type")) or say("Insurance")
    plans = [text_at(each, "name") or text_at(each, "value") for each in objects_at(resource, "class")]
    plan, member = ", ".join(text for text in plans if text), text_at(resource, "subscriberId")
    detail = ", ".join(text for text in (plan, member) if text)
    fact = made(Kind.COVERAGE, resource, label, detail, onset(resource, "period"))
    parts = {"insurer": insurer, "plan": plan, "member": member}
    yield replace(fact, parts=parts, over=text_at(resource, "period", "end")[:10])
