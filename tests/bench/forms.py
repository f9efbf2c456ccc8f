"""Forms to measure on: one made up like the public health check that the peers were measured with, smaller or larger at will."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

Json = dict[str, Any]
CORE = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
ENABLE = f"{SDC}sdc-questionnaire-enableWhenExpression"
CALCULATED = f"{SDC}sdc-questionnaire-calculatedExpression"
INITIAL = f"{SDC}sdc-questionnaire-initialExpression"
VARIABLE = f"{CORE}variable"
CODES = "https://clinic.example/codes"
TYPES = ("boolean", "choice", "integer", "decimal", "string", "date")

# How real forms write their conditions (counted over the public ones): x and y are questions.
SHAPES = [
    "%resource.repeat(item).where(linkId='{x}').answer.first().value = true",
    "%resource.repeat(item).where(linkId='{x}').answer.value = true",
    "%resource.descendants().where(linkId='{x}').answer.value.exists()",
    "%resource.repeat(item).where(linkId='{n}').answer.first().empty()",
    "iif(%resource.repeat(item).where(linkId='{x}').answer.exists(), %{v} > 2, false)",
    "%resource.repeat(item).where(linkId='{x}').answer.value = true or %resource.repeat(item).where(linkId='{y}').answer.value = true",
    "%resource.repeat(item).where(linkId='{n}').answer.where(value > 3).exists()",
    "%{v} > 3",
]
# And what is filled in before the patient comes.
KNOWN = {
    "boolean": "%patient.active",
    "string": "%patient.name.where(use='official').given.first()",
    "date": "%patient.birthDate",
    "integer": "%patient.telecom.count()",
    "decimal": "%patient.name.given.count() / 2.0",
}
PATIENT: Json = {
    "resourceType": "Patient",
    "id": "p1",
    "active": True,
    "birthDate": "1979-04-12",
    "gender": "female",
    "name": [{"use": "official", "family": "Morales", "given": ["Ana", "Lucía"]}],
    "telecom": [{"system": "phone", "value": "020 7946 0000"}, {"system": "email", "value": "ana@example.org"}],
}


def fhirpath(url: str, text: str, name: str = "") -> Json:
    expression = {"language": "text/fhirpath", "expression": text, **({"name": name} if name else {})}
    return {"url": url, "valueExpression": expression}


def large(sections: int = 20, blocks: int = 4) -> Json:
    """20 sections of 4 blocks of 6 questions make 808 items: 480 questions, 86 enableWhen, 291 enableWhenExpressions, 43
    calculations, 97 variables."""
    form: Json = {
        "resourceType": "Questionnaire",
        "id": "large",
        "url": f"https://clinic.example/forms/large-{sections}-{blocks}",
        "version": "1",
        "status": "active",
        "title": "Health check",
        "subjectType": ["Patient"],
        "extension": [launched()],
        "item": [section(number, sections, blocks) for number in range(sections)],
    }
    return form


def launched() -> Json:
    name = {
        "url": "name",
        "valueCoding": {"system": "http://hl7.org/fhir/uv/sdc/CodeSystem/launchContext", "code": "patient"},
    }
    return {
        "url": f"{SDC}sdc-questionnaire-launchContext",
        "extension": [name, {"url": "type", "valueCode": "Patient"}],
    }


def section(number: int, sections: int, blocks: int) -> Json:
    made = [block(number * blocks + place, sections * blocks) for place in range(blocks)]
    variables = [variable(f"s{number}", f"b{number * blocks}.2")] if number < sections * 17 // 20 else []
    return {
        "linkId": f"s{number}",
        "type": "group",
        "text": f"Part {number + 1} of your health check",
        "extension": [*variables],
        "item": made,
    }


def variable(name: str, link_id: str) -> Json:
    return fhirpath(VARIABLE, f"%resource.repeat(item).where(linkId='{link_id}').answer.value", name)


def block(serial: int, blocks: int) -> Json:
    name = f"b{serial}"
    questions = [question(name, at, kind, serial, blocks) for at, kind in enumerate(TYPES)]
    notes = [note(name, at, serial, blocks) for at in range(3 if serial % 20 < 17 else 2)]
    return {
        "linkId": name,
        "type": "group",
        "text": f"About topic {serial + 1}",
        "extension": [variable(f"v{serial}", f"{name}.2")],
        "item": [*questions, *notes],
    }


def question(block_name: str, at: int, kind: str, serial: int, blocks: int) -> Json:
    made: Json = {
        "linkId": f"{block_name}.{at}",
        "type": kind,
        "text": f"Question {serial * 6 + at + 1} about topic {serial + 1}?",
    }
    extensions = []
    if kind == "choice":
        made["answerOption"] = [
            {"valueCoding": {"system": CODES, "code": code, "display": display}}
            for code, display in (("n", "Never"), ("s", "Sometimes"), ("o", "Often"), ("a", "Always"))
        ]
    if kind == "string":
        made["enableWhen"] = [{"question": f"{block_name}.0", "operator": "=", "answerBoolean": True}]
    elif kind == "choice" and serial % 14 == 0:
        made["enableWhen"] = [{"question": f"{block_name}.2", "operator": ">", "answerInteger": -1}]
    if kind == "decimal" and serial * 43 % 80 < 43:
        made["readOnly"] = True
        extensions.append(fhirpath(CALCULATED, f"%v{serial} * 2.5 + 1.10"))
    elif kind in KNOWN and kind != "decimal" and serial % 4 == 0:
        extensions.append(fhirpath(INITIAL, KNOWN[kind]))
    if kind == "date" and serial * 63 % 80 < 63:
        extensions.append(fhirpath(ENABLE, condition(serial, at, blocks)))
    return {**made, **({"extension": extensions} if extensions else {})}


def note(block_name: str, at: int, serial: int, blocks: int) -> Json:
    return {
        "linkId": f"{block_name}.n{at}",
        "type": "display",
        "text": f"Note {at + 1}: what you say here helps us to choose what to ask about topic {serial + 1}.",
        "extension": [fhirpath(ENABLE, condition(serial, at, blocks))],
    }


def condition(serial: int, at: int, blocks: int) -> str:
    """Looks at this topic and at one elsewhere in the form."""
    there = (serial * 53 + 7 * at) % blocks
    return SHAPES[(serial * 3 + at) % len(SHAPES)].format(
        x=f"b{serial}.0", y=f"b{there}.0", n=f"b{there}.2", v=f"v{serial}"
    )


# -- what forms hold, and answers to them


def items(form: Json) -> Iterator[Json]:
    waiting = list(form.get("item") or ())
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, dict):
            yield item
            waiting[:0] = item.get("item") or ()


def expressions(form: Json) -> list[tuple[str, str]]:
    """(name of the variable or "", FHIRPath) of every variable, condition and calculation, variables first."""
    found: list[tuple[str, str]] = []
    for holder in (form, *items(form)):
        for extension in holder.get("extension") or ():
            stated = (extension or {}).get("valueExpression") or {}
            if (
                stated
                and extension.get("url") in (VARIABLE, ENABLE, CALCULATED)
                and stated.get("language") == "text/fhirpath"
            ):
                found.append(
                    (stated.get("name", "") if extension["url"] == VARIABLE else "", stated.get("expression", ""))
                )
    return sorted(found, key=lambda pair: not pair[0])


ANSWERS: dict[str, Json] = {
    "boolean": {"valueBoolean": True},
    "integer": {"valueInteger": 4},
    "decimal": {"valueDecimal": Decimal("1.5")},
    "string": {"valueString": "A few words"},
    "text": {"valueString": "A few words"},
    "date": {"valueDate": "2026-03-04"},
    "dateTime": {"valueDateTime": "2026-03-04T10:00:00Z"},
    "time": {"valueTime": "10:00:00"},
    "url": {"valueUri": "https://clinic.example"},
    "quantity": {
        "valueQuantity": {"value": Decimal("70.5"), "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
    },
}


def filled(form: Json) -> Json:
    """A response in which every question has an answer that its type allows."""
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "in-progress",
        "questionnaire": "|".join(filter(None, (form.get("url", ""), form.get("version", "")))),
        "subject": {"reference": "Patient/p1"},
        "item": [made for item in form.get("item") or () if (made := answered(item))],
    }


def answered(item: Json) -> Json | None:
    below = [made for inner in item.get("item") or () if (made := answered(inner))]
    options = item.get("answerOption") or ()
    answer = dict(options[0]) if options else ANSWERS.get(item.get("type", ""))
    if item.get("type") in ("group", "display") or answer is None:
        return {"linkId": item["linkId"], "item": below} if below else None
    said = {key: value for key, value in answer.items() if key.startswith("value")}
    return {"linkId": item["linkId"], "answer": [{**said, **({"item": below} if below else {})}]}
