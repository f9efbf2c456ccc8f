"""The small pieces that invented records are written with: codes, references and days counted from today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

Resource = dict[str, Any]

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
CVX = "http://hl7.org/fhir/sid/cvx"
UCUM = "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem"
MRN = "https://sandbox-clinic.example/mrn"


@dataclass(frozen=True)
class Days:
    """Days counted from today: 1 is tomorrow, -365 about a year ago. Times are UTC."""

    today: date

    def day(self, offset: int) -> str:
        return (self.today + timedelta(days=offset)).isoformat()

    def at(self, offset: int, time: str) -> str:
        return f"{self.day(offset)}T{time}:00Z"


def coding(system: str, code: str, display: str | None = None) -> Resource:
    return {"system": system, "code": code} | ({"display": display} if display else {})


def concept(text: str, *codings: Resource) -> Resource:
    return ({"coding": list(codings)} if codings else {}) | {"text": text}


def coded(system: str, code: str, text: str) -> Resource:
    """One code whose display is the text."""
    return concept(text, coding(system, code, text))


def status(name: str, code: str) -> Resource:
    """A status that R4 writes as a CodeableConcept, such as ("condition-clinical", "active")."""
    return {"coding": [coding(f"{HL7}/{name}", code)]}


def ref(path: str, display: str | None = None) -> Resource:
    return {"reference": path} | ({"display": display} if display else {})


def of(person_id: str) -> Resource:
    """The reference to a patient."""
    return ref(f"Patient/{person_id}")
