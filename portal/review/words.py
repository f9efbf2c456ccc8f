"""What a resource of the record says, line by line, in words a person can compare. Pure."""

from collections.abc import Callable

from portal.fhir.dosage import dosage_text
from portal.fhir.resources import Json, at, objects_at, text_at, type_of
from portal.fhir.values import code_of, concept_text, name_of, number_text, onset, quantity_text, reference_text

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


def _observation(resource: Json, name: str) -> Lines:
    return {"Result": result(resource), "Date": onset(resource, "effectiveDateTime", "effectivePeriod", "issued")[:10]}


def result(resource: Json) -> str:
    """What an Observation found, its parts included; a score carries no unit."""
    parts = [f"{concept_text(at(each, 'code'))}: {_value(each)}" for each in objects_at(resource, "component")]
    return "; ".join(filter(None, [_value(resource), *parts]))


def had(resource: Json) -> str:
    """What a relative had."""
    told = [concept_text(at(each, "code")) for each in objects_at(resource, "condition")]
    return ", ".join(filter(None, told))


def _relative(resource: Json, name: str) -> Lines:
    return {"Relative": concept_text(at(resource, "relationship")), "Had": had(resource)}


def _procedure(resource: Json, name: str) -> Lines:
    when = onset(resource, "performedDateTime", "performedPeriod")[:10] or text_at(resource, "performedString")
    return {"Procedure": concept_text(at(resource, "code")), "Date": when}


def _vaccine(resource: Json, name: str) -> Lines:
    when = onset(resource, "occurrenceDateTime")[:10] or text_at(resource, "occurrenceString")
    return {"Vaccine": concept_text(at(resource, "vaccineCode")), "Date": when}


def _person(resource: Json, name: str) -> Lines:
    return {
        "Name": name_of(resource),
        "Date of birth": text_at(resource, "birthDate"),
        "Sex": text_at(resource, "gender"),
    }


def _coverage(resource: Json, name: str) -> Lines:
    member = text_at(resource, "subscriberId")
    return {**insurance(insurer(resource) or name, plan(resource), member), "Status": text_at(resource, "status")}


def insurance(insurer: str, plan: str, member: str) -> Lines:
    return {"Insurer": insurer, "Plan": plan, "Member number": member}


def insurer(resource: Json) -> str:
    return ", ".join(filter(None, (reference_text(each) for each in objects_at(resource, "payor"))))


def plan(resource: Json) -> str:
    held = [each for each in objects_at(resource, "class") if is_plan(each)]
    return ", ".join(text_at(each, "name") or text_at(each, "value") for each in held)


def is_plan(held: Json) -> bool:
    """Of the classes of a Coverage, the plan."""
    return any(text_at(each, "code") == "plan" for each in objects_at(held, "type", "coding"))


def _value(resource: Json) -> str:
    quantity, answer = at(resource, "valueQuantity"), at(resource, "valueBoolean")
    if quantity:
        return number_text(at(quantity, "value")) if _bare(quantity) else quantity_text(quantity)
    if isinstance(answer, bool):
        return "Yes" if answer else "No"
    texts = [text_at(resource, name) for name in ("valueString", "valueDateTime", "valueTime")]
    told = concept_text(at(resource, "valueCodeableConcept")) or number_text(at(resource, "valueInteger"))
    return told or next(filter(None, texts), "") or concept_text(at(resource, "dataAbsentReason"))


def _bare(quantity: Json) -> bool:
    return text_at(quantity, "code").startswith("{") or text_at(quantity, "code") == "1"


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
    "Observation": _observation,
    "Patient": _person,
    "Coverage": _coverage,
    "Immunization": _vaccine,
    "Procedure": _procedure,
    "FamilyMemberHistory": _relative,
}
