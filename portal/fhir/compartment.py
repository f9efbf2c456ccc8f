"""Whose a resource is: the elements that name its patient, and whether all of them name this one."""

from collections.abc import Iterator
from typing import Any

from portal.fhir.resources import Json, at, id_of, objects_at, parse_reference, points_to, type_of

PATIENT_IN: dict[str, tuple[str, ...]] = {
    "AllergyIntolerance": ("patient",),
    "Appointment": ("participant.actor",),
    "CarePlan": ("subject",),
    "CareTeam": ("subject",),
    "Condition": ("subject",),
    "Consent": ("patient",),
    "Coverage": ("beneficiary",),
    "DiagnosticReport": ("subject",),
    "DocumentReference": ("subject",),
    "Encounter": ("subject",),
    "FamilyMemberHistory": ("patient",),
    "Immunization": ("patient",),
    "MedicationRequest": ("subject",),
    "MedicationStatement": ("subject",),
    "Observation": ("subject",),
    "Procedure": ("subject",),
    "QuestionnaireResponse": ("subject",),
    "RelatedPerson": ("patient",),
    "ServiceRequest": ("subject",),
    "Specimen": ("subject",),
    "Task": ("for",),
}
"""R4 elements (dotted) of which at least one must name the patient, and none another."""

NOBODYS = frozenset(
    {
        "HealthcareService",
        "Location",
        "Medication",
        "Organization",
        "Practitioner",
        "PractitionerRole",
        "Questionnaire",
        "Schedule",
        "Slot",
        "Substance",
    }
)
"""Types that describe the clinic or the world, never one patient."""

_ANY = ("subject", "patient", "beneficiary", "for", "individual")


def belongs(resource: Json, patient: str, base: str) -> bool:
    """Whether `resource` is about the patient `Patient/<id>` of the server at `base`, contained parts included.

    True only when that can be proved: a resource without a subject, with a subject we cannot resolve, or of a type we do
    not know is nobody's, and so not theirs.
    """
    kind = type_of(resource)
    if kind == "Patient":
        return f"Patient/{id_of(resource)}" == patient
    if kind in NOBODYS:
        return _parts_are_harmless(resource, patient, base)
    if kind not in PATIENT_IN:
        return False
    named = list(_named(resource, kind))
    ours = [reference for reference in named if points_to(reference, patient, base)]
    return bool(ours) and len(ours) == len(named) and _parts_are_harmless(resource, patient, base)


def names_another(resource: Json, patient: str, base: str) -> bool:
    """Whether a resource positively names a different patient (rather than none that we could prove)."""
    kind = type_of(resource)
    if kind == "Patient":
        return f"Patient/{id_of(resource)}" != patient
    return any(not points_to(reference, patient, base) for reference in _named(resource, kind))


def names_nobody(resource: Json) -> bool:
    """Whether it is of a type that has a patient, and says in no way that could be followed who that is."""
    kind = type_of(resource)
    if kind not in PATIENT_IN:
        return False
    return all(parse_reference(at(reference, "reference")) is None for reference in _named(resource, kind))


def _named(resource: Json, kind: str) -> Iterator[Any]:
    """The references that stand where `kind` names its patient; of participants only those that are patients."""
    for path in PATIENT_IN.get(kind, _ANY):
        first, _, rest = path.partition(".")
        held = at(resource, first)
        if not rest:
            if held is not None:
                yield held
            continue
        for part in objects_at(resource, first):
            if part.get(rest) is not None and _may_be_a_patient(part[rest]):
                yield part[rest]


def _may_be_a_patient(reference: Any) -> bool:
    ref = parse_reference(at(reference, "reference"))
    if ref is not None:
        return ref.type == "Patient"
    return at(reference, "type") in (None, "Patient") and at(reference, "reference") is not None


def _parts_are_harmless(resource: Json, patient: str, base: str) -> bool:
    """No contained part is a patient's, or names a patient other than this one."""
    return all(
        type_of(part) != "Patient" and not names_another(part, patient, base)
        for part in objects_at(resource, "contained")
    )
