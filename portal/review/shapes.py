"""The types of resource that a form may say and this desk writes, each as the patient's own report. A table. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from portal.fhir.resources import Json, objects_at, text_at
from portal.fhir.values import codes_of, concept_text, onset
from portal.review import words
from portal.review.alike import plain
from portal.review.medication import OVER as NOT_TAKEN
from portal.review.ruling import named_in, status


@dataclass(frozen=True)
class Shape:
    """One type of resource. `kind` names it for people and permissions, `patient` is the element that says whose it is,
    `section` where the record is looked at; `fixed` is always so, `else_` is filled in where the form says nothing,
    `added` goes with what it says."""

    kind: str
    patient: str
    effect: str
    section: Callable[[Json], str]
    fixed: Callable[[Json, str], Json]
    else_: Callable[[Json, str], Json]
    same: Callable[[Json, Json], bool]
    stands: Callable[[Json], bool] = lambda _: True
    added: Callable[[Json], Json] = lambda _: {}


def _unconfirmed(system: str) -> Callable[[Json, str], Json]:
    return lambda who, _: {"verificationStatus": status(system, "unconfirmed"), "asserter": who}


def _active(system: str) -> Callable[[Json, str], Json]:
    return lambda _, at: {"clinicalStatus": status(system, "active"), "recordedDate": at}


def _category(resource: Json) -> str:
    held = {code for each in objects_at(resource, "category") for _, code in codes_of(each)}
    return "vitals" if "vital-signs" in held else "labs" if "laboratory" in held else "surveys"


def _found_again(resource: Json) -> Json:
    """With the category `survey` where it has none that the record is searched by: what is answered is a survey's, and an answer
    that is amended must find the one it amends."""
    held = list(objects_at(resource, "category"))
    known = {code for each in held for _, code in codes_of(each)}
    return {} if known & _SEARCHED else {"category": [*held, _SURVEY]}


_SEARCHED = frozenset({"survey", "social-history", "vital-signs", "laboratory"})
_SURVEY = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "survey",
            "display": "Survey",
        }
    ]
}


def _same_name(told: Json, held: Json) -> bool:
    """The same code, or the same name letter by letter."""
    concepts = [told.get("code"), told.get("medicationCodeableConcept")]
    theirs = [held.get("code"), held.get("medicationCodeableConcept")]
    ours = {code for each in concepts if each for code in codes_of(each)}
    if ours & {code for each in theirs if each for code in codes_of(each)}:
        return True
    return named_in(name_of(told), (held,)) is not None


def _same_result(told: Json, held: Json) -> bool:
    """The same result of the same day; of what a person is (social history), also of an earlier one."""
    if not codes_of(told.get("code")) & codes_of(held.get("code")) or words.result(told) != words.result(held):
        return False
    social = any("social-history" in {code for _, code in codes_of(each)} for each in objects_at(told, "category"))
    return social or text_at(told, "effectiveDateTime")[:10] == text_at(held, "effectiveDateTime")[:10]


def name_of(resource: Json) -> str:
    """What an entry is called; of a relative also what they had, for each may have had several things."""
    named = words.medicine(resource) or concept_text(resource.get("code")) or concept_text(resource.get("vaccineCode"))
    return named or ": ".join(filter(None, [concept_text(resource.get("relationship")), words.had(resource)]))


def _same_time(element: str, *dates: str) -> Callable[[Json, Json], bool]:
    """The same thing done on the same day, as far as both say the day."""

    def same(told: Json, held: Json) -> bool:
        ours, theirs = codes_of(told.get(element)), codes_of(held.get(element))
        named = plain(concept_text(told.get(element))) == plain(concept_text(held.get(element)))
        days = (onset(told, *dates)[:10], onset(held, *dates)[:10])
        return (bool(ours & theirs) or named) and (
            "" in days or days[0].startswith(days[1]) or days[1].startswith(days[0])
        )

    return same


def _same_relative(told: Json, held: Json) -> bool:
    return plain(name_of(told)) == plain(name_of(held))


def _done(resource: Json) -> bool:
    return text_at(resource, "status") not in ("not-done", "entered-in-error", "health-unknown")


def _stands(resource: Json) -> bool:
    over = {"inactive", "resolved", "remission", "refuted", "entered-in-error"}
    held = [resource.get(name) for name in ("clinicalStatus", "verificationStatus")]
    return not over & {code for each in held if each for _, code in codes_of(each)}


SHAPES: dict[str, Shape] = {
    "Observation": Shape(
        kind="observation",
        patient="subject",
        effect="Adds this result to the record, as told by the patient.",
        section=_category,
        fixed=lambda who, _: {"status": "final", "performer": [who]},
        else_=lambda _, at: {"effectiveDateTime": at},
        same=_same_result,
        stands=lambda held: text_at(held, "status") not in ("entered-in-error", "cancelled"),
        added=_found_again,
    ),
    "Condition": Shape(
        kind="condition",
        patient="subject",
        effect="Adds a condition as told by the patient: unconfirmed.",
        section=lambda _: "condition",
        fixed=_unconfirmed("condition-ver-status"),
        else_=_active("condition-clinical"),
        same=_same_name,
        stands=_stands,
    ),
    "AllergyIntolerance": Shape(
        kind="allergy",
        patient="patient",
        effect="Adds an allergy or intolerance as told by the patient: unconfirmed.",
        section=lambda _: "allergy",
        fixed=_unconfirmed("allergyintolerance-verification"),
        else_=_active("allergyintolerance-clinical"),
        same=_same_name,
        stands=_stands,
    ),
    "MedicationStatement": Shape(
        kind="medication",
        patient="subject",
        effect="Adds a medicine the patient takes, as told by them.",
        section=lambda _: "medication",
        fixed=lambda who, _: {"informationSource": who},
        else_=lambda _, at: {"status": "active", "dateAsserted": at},
        same=_same_name,
        stands=lambda held: text_at(held, "status") not in NOT_TAKEN,
    ),
    "Immunization": Shape(
        kind="immunization",
        patient="patient",
        effect="Adds a vaccination as told by the patient, not as given here.",
        section=lambda _: "immunization",
        fixed=lambda _, __: {"primarySource": False},
        else_=lambda _, __: {"status": "completed", "occurrenceString": "Not said when"},
        same=_same_time("vaccineCode", "occurrenceDateTime"),
        stands=_done,
    ),
    "Procedure": Shape(
        kind="procedure",
        patient="subject",
        effect="Adds something that was done, as told by the patient.",
        section=lambda _: "procedure",
        fixed=lambda who, _: {"asserter": who},
        else_=lambda _, __: {"status": "completed"},
        same=_same_time("code", "performedDateTime", "performedPeriod"),
        stands=_done,
    ),
    "FamilyMemberHistory": Shape(
        kind="family",
        patient="patient",
        effect="Adds what a relative had, as told by the patient.",
        section=lambda _: "family",
        fixed=lambda _, __: {},
        else_=lambda _, at: {"status": "partial", "date": at},
        same=_same_relative,
        stands=_done,
    ),
}
