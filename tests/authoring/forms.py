"""A few small forms, answers and records to try the commands on."""

from __future__ import annotations

from typing import Any

SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
HL7 = "http://hl7.org/fhir/StructureDefinition/"
URL = "https://example.org/Questionnaire/weight"
LIST = "https://example.org/ValueSet/colours"


QUERY = "Observation?code=29463-7&patient={{%patient.id}}&_sort=-date"


def expression(url: str, text: str, language: str = "text/fhirpath", **more: str) -> dict[str, Any]:
    return {"url": url, "valueExpression": {"language": language, "expression": text, **more}}


def launch(name: str, kind: str) -> dict[str, Any]:
    parts = [{"url": "name", "valueCoding": {"code": name}}, {"url": "type", "valueCode": kind}]
    return {"url": f"{SDC}launchContext", "extension": parts}


def weighted(code: str, weight: int) -> dict[str, Any]:
    return {
        "valueCoding": {
            "system": "urn:x",
            "code": code,
            "display": code.title(),
            "extension": [{"url": f"{HL7}ordinalValue", "valueDecimal": weight}],
        }
    }


FORM: dict[str, Any] = {
    "resourceType": "Questionnaire",
    "id": "weight",
    "url": URL,
    "version": "2",
    "status": "active",
    "extension": [
        launch("patient", "Patient"),
        expression(f"{HL7}variable", QUERY, "application/x-fhir-query", name="found"),
    ],
    "item": [
        {
            "linkId": "name",
            "text": "Name",
            "type": "string",
            "required": True,
            "extension": [expression(f"{SDC}initialExpression", "%patient.name.first().family")],
        },
        {
            "linkId": "kg",
            "text": "Weight",
            "type": "decimal",
            "code": [{"system": "http://loinc.org", "code": "29463-7"}],
            "extension": [
                {"url": f"{SDC}observationExtract", "valueBoolean": True},
                expression(f"{SDC}initialExpression", "%found.entry.resource.first().value.value"),
            ],
        },
        {"linkId": "mood", "text": "Mood", "type": "choice", "answerOption": [weighted("low", 3), weighted("fine", 0)]},
        {"linkId": "colour", "text": "Colour", "type": "choice", "answerValueSet": LIST},
        {
            "linkId": "double",
            "text": "Twice",
            "type": "decimal",
            "readOnly": True,
            "extension": [expression(f"{SDC}calculatedExpression", "%resource.item.where(linkId='kg').answer.value * 2")],
        },
    ],
}  # fmt: skip
COLOURS: dict[str, Any] = {
    "resourceType": "ValueSet",
    "url": LIST,
    "status": "active",
    "compose": {"include": [{"system": "urn:c", "concept": [{"code": "red", "display": "Red"}]}]},
}
PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Ní Bhroin"}]}


def observation(identity: str, patient: str, value: object, when: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "effectiveDateTime": when,
        "valueQuantity": {"value": value, "unit": "kg"},
    }


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def parameters(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(parts)}


def context(name: str, resource: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "context",
        "part": [{"name": "name", "valueString": name}, {"name": "content", "resource": resource}],
    }


def response(**answers: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "r1",
        "questionnaire": f"{URL}|2",
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "authored": "2026-11-21T10:00:00Z",
        "item": [{"linkId": key, "answer": [value]} for key, value in answers.items()],
    }
