"""What a resource of the record says, line by line, in words a person can compare. Pure."""

from collections.abc import Callable

from portal.fhir.dosage import dosage_text
from portal.fhir.resources import Json, at, objects_at, text_at, type_of
from portal.fhir.values import code_of, concept_text, onset

Lines = dict[str, str]
"""English msgid of the line → the words, "" when the resource does not say."""


def lines(resource: Json | None, name: str = "") -> Lines:
    """The comparable lines of a medication, an allergy or a condition; {} for nothing and for other types. `name` stands in
    where the resource only refers to its medication."""
    read = LINES.get(type_of(resource))
    return read(resource, name) if read and resource else {}


def medicine(resource: Json) -> str:
    return concept_text(at(resource, "medicationCodeableConcept")) or text_at(
        resource, "medicationReference", "display"
    )


def _medication(resource: Json, name: str) -> Lines:
    return {
        "Medicine": medicine(resource) or name,
        "How to take it": dosage_text(resource),
        "Since": onset(resource, "effectivePeriod", "effectiveDateTime", "authoredOn", "dateAsserted")[:10],
        "Status": text_at(resource, "status"),
    }


def _allergy(resource: Json, name: str) -> Lines:
    signs = [
        concept_text(each)
        for reaction in objects_at(resource, "reaction")
        for each in objects_at(reaction, "manifestation")
    ]
    return {
        "Allergy or intolerance": concept_text(at(resource, "code")) or name,
        "Reaction": ", ".join(dict.fromkeys(filter(None, signs))),
        "Since": _since(resource),
        "Status": _statuses(resource),
    }


def _condition(resource: Json, name: str) -> Lines:
    return {
        "Condition": concept_text(at(resource, "code")) or name,
        "Since": _since(resource),
        "Status": _statuses(resource),
    }


def _since(resource: Json) -> str:
    return onset(resource, "onsetDateTime", "onsetPeriod")[:10] or text_at(resource, "onsetString")


def _statuses(resource: Json) -> str:
    held = [code_of(at(resource, name)) for name in ("clinicalStatus", "verificationStatus")]
    return ", ".join(filter(None, held))


LINES: dict[str, Callable[[Json, str], Lines]] = {
    "MedicationRequest": _medication,
    "MedicationStatement": _medication,
    "AllergyIntolerance": _allergy,
    "Condition": _condition,
}
