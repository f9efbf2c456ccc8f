"""What the tests of extraction share: responses, definitions, and what comes out."""

from __future__ import annotations

from typing import Any

from portal.questionnaire import extract, load
from tests.questionnaire.make import SDC, context, fhirpath, group, hl7, q

CORE = "http://hl7.org/fhir/StructureDefinition/"
HIDDEN = hl7("questionnaire-hidden", valueBoolean=True)


def bundle(raw: dict[str, Any], *items: dict[str, Any], **fields: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """(entries, troubles) of a response with these items."""
    registry = fields.pop("registry", {})
    response = {
        "resourceType": "QuestionnaireResponse",
        "id": "r",
        "status": "completed",
        "item": list(items),
        **fields,
    }
    made = extract(load(raw, registry=registry), response, context())
    return made.bundle.get("entry", []), [f"{one.link_id}: {one.reason}" for one in made.troubles]


def a(link_id: str, *answers: dict[str, Any]) -> dict[str, Any]:
    return {"linkId": link_id, "answer": list(answers)}


def g(link_id: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"linkId": link_id, "item": list(items)}


def text(value: str) -> dict[str, Any]:
    return {"valueString": value}


def definition(canonical: str, **parts: str) -> dict[str, Any]:
    """definitionExtract, its further parts as FHIRPath."""
    inner = [{"url": "definition", "valueCanonical": canonical}]
    return {"url": SDC + "definitionExtract", "extension": [*inner, *said(parts)]}


def said(parts: dict[str, str]) -> list[dict[str, Any]]:
    return [{"url": name, "valueString": expression} for name, expression in parts.items()]


def value_at(path: str, *, base: str = CORE, expression: str = "", **fixed: Any) -> dict[str, Any]:
    key, value = next(iter(fixed.items()), ("", None))
    how = (
        {"url": "expression", "valueExpression": fhirpath(expression)}
        if expression
        else {"url": "fixed-value", key: value}
    )
    where = {"url": "definition", "valueUri": f"{base}{path.split('.')[0]}#{path}"}
    return {"url": SDC + "definitionExtractValue", "extension": [where, how]}


def at(path: str) -> str:
    return f"{CORE}{path.split('.')[0]}#{path}"


NAMES = group(
    "names",
    q("family", definition=at("Patient.name.family")),
    q("given", repeats=True, definition=at("Patient.name.given")),
    definition=at("Patient.name"),
    repeats=True,
)
