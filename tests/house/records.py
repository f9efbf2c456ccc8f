"""What a clinic's server says about one synthetic person: every kind of reading, with a mark in every string that a page may show."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

from portal.ehr.reading import Kind

Json = dict[str, Any]
NEVER = (
    Kind.COVERAGE,
    Kind.RELATED,
    Kind.APPOINTMENTS,
    Kind.VITALS,
    Kind.IMMUNIZATIONS,
    Kind.PROCEDURES,
    Kind.FAMILY,
)
"""What this person has none of."""


def readings(fhir_id: str, mark: str, many: int = 1) -> dict[Kind, list[Json]]:
    """`many` of everything there can be more than one of; one more report, so that there is a history."""
    numbers = range(1, many + 1)
    subject = {"reference": f"Patient/{fhir_id}"}
    return {
        Kind.PATIENT: [_patient(fhir_id, mark)],
        Kind.MEDICATIONS: [_medication(subject, mark, number) for number in numbers],
        Kind.ALLERGIES: [_allergy(subject, mark, number) for number in numbers],
        Kind.CONDITIONS: [_condition(subject, mark, number) for number in numbers],
        Kind.LABS: [each for number in range(1, many + 2) for each in _report(subject, mark, number)],
        **{kind: [] for kind in NEVER},
    }


def _patient(fhir_id: str, mark: str) -> Json:
    return {
        "resourceType": "Patient",
        "id": fhir_id,
        "meta": {"versionId": "1"},
        "name": [{"family": f"{mark}-family", "given": [f"{mark}-given"]}],
        "telecom": [{"system": "phone", "use": "mobile", "value": f"{mark}-phone"}],
        "address": [{"use": "home", "line": [f"{mark}-line"], "city": f"{mark}-city", "postalCode": "12345"}],
        "birthDate": "1985-03-27",
    }


def _medication(subject: Json, mark: str, number: int) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": f"m{number}",
        "meta": {"versionId": "1"},
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": f"{mark}-medicine-{number}"},
        "subject": subject,
        "dosageInstruction": [{"text": f"{mark}-dose"}],
        "note": [{"text": f"{mark}-note"}],
    }


def _allergy(subject: Json, mark: str, number: int) -> Json:
    return {
        "resourceType": "AllergyIntolerance",
        "id": f"a{number}",
        "meta": {"versionId": "1"},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"text": f"{mark}-allergen-{number}"},
        "patient": subject,
        "reaction": [{"manifestation": [{"text": f"{mark}-reaction"}]}],
    }


def _condition(subject: Json, mark: str, number: int) -> Json:
    return {
        "resourceType": "Condition",
        "id": f"c{number}",
        "meta": {"versionId": "1"},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"text": f"{mark}-condition-{number}"},
        "subject": subject,
    }


def _packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _report(subject: Json, mark: str, number: int) -> list[Json]:
    at = f"20{26 - number // 12:02}-{number % 12 + 1:02}-02T08:10:00Z"
    return [
        {
            "resourceType": "DiagnosticReport",
            "id": f"r{number}",
            "status": "final",
            "category": [{"coding": [{"code": "LAB"}]}],
            "code": {"text": f"{mark}-panel"},
            "subject": subject,
            "effectiveDateTime": at,
            "conclusion": f"{mark}-conclusion",
            "presentedForm": [
                {"contentType": "text/plain", "data": _packed(f"{mark}-document"), "title": f"{mark}-title"}
            ],
            "result": [{"reference": f"Observation/o{number}"}, {"reference": f"Observation/t{number}"}],
        },
        _observation(subject, f"o{number}", mark, at, valueQuantity=_quantity(f"{4 + number / 10}")),
        _observation(subject, f"t{number}", mark, at, code=f"{mark}-words", valueString=f"{mark}-value"),
    ]


def _observation(subject: Json, own: str, mark: str, at: str, code: str = "2823-3", **value: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": own,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": f"{mark}-analyte-{code}"},
        "subject": subject,
        "effectiveDateTime": at,
        "referenceRange": [{"low": _quantity("3.5"), "high": _quantity("5.1"), "text": f"{mark}-range"}],
        "note": [{"text": f"{mark}-comment"}],
        **value,
    }


def _quantity(number: str) -> Json:
    return {"value": Decimal(number), "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"}
