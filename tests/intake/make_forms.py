"""Small forms for tests: items in a line, extensions by their short names."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
CORE = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
ABSENT = "urn:previsit:absent-reason-option"
UNKNOWN: Json = {
    "url": ABSENT,
    "valueCodeableConcept": {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
                "code": "asked-unknown",
                "display": "I don't know",
            }
        ]
    },
}


def form(*items: Json, **more: Any) -> Json:
    return {
        "resourceType": "Questionnaire",
        "status": "active",
        "url": "https://clinic.example/forms/test",
        "version": "1",
        "title": "A test form",
        "item": list(items),
        **more,
    }


def item(link_id: str, kind: str, text: str = "", **more: Any) -> Json:
    return {"linkId": link_id, "type": kind, "text": text or f"Question {link_id}", **more}


def control(code: str) -> Json:
    coding = {"system": "http://hl7.org/fhir/questionnaire-item-control", "code": code}
    return {"url": f"{CORE}questionnaire-itemControl", "valueCodeableConcept": {"coding": [coding]}}


def coding(code: str, display: str = "") -> Json:
    return {"valueCoding": {"system": "https://clinic.example/codes", "code": code, "display": display or code.title()}}


def unit(code: str) -> Json:
    system = "http://unitsofmeasure.org"
    return {
        "url": f"{CORE}questionnaire-unitOption",
        "valueCoding": {"system": system, "code": code, "display": code},
    }
