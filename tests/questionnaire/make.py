"""Builders for small forms: q("name", "string", required=True) and so on."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from portal.questionnaire import Context, Filling, Form, Node, load

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
HL7 = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"


def q(link_id: str, kind: str = "string", *items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An item; `ext` is a list of extensions, `text` defaults to the linkId."""
    extension = fields.pop("ext", [])
    made = {"linkId": link_id, "type": kind, "text": fields.pop("text", link_id), **fields}
    if extension:
        made["extension"] = extension
    if items:
        made["item"] = list(items)
    return made


def group(link_id: str, *items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return q(link_id, "group", *items, **fields)


def raw_form(*items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "Questionnaire",
        "url": "https://example.org/form",
        "version": "1",
        "status": "active",
        "title": "A form",
        "item": list(items),
        **fields,
    }


def form(*items: dict[str, Any], **fields: Any) -> Form:
    return load(raw_form(*items, **fields))


def context(**fields: Any) -> Context:
    return Context(**{"now": NOW, "language": "en-GB", **fields})


def filling(made: Form, response: dict[str, Any] | None = None, **fields: Any) -> Filling:
    return Filling(made, response, context(**fields))


def when(question: str, operator: str = "=", **answer: Any) -> dict[str, Any]:
    return {"question": question, "operator": operator, **answer}


def option(code: str, display: str = "", **fields: Any) -> dict[str, Any]:
    return {"valueCoding": {"system": "https://example.org/cs", "code": code, "display": display or code}, **fields}


def fhirpath(text: str, name: str = "") -> dict[str, Any]:
    return {"language": "text/fhirpath", "expression": text, **({"name": name} if name else {})}


def sdc(name: str, text: str, variable: str = "") -> dict[str, Any]:
    return {"url": SDC + name, "valueExpression": fhirpath(text, variable)}


def variable(name: str, text: str) -> dict[str, Any]:
    return {"url": HL7 + "variable", "valueExpression": fhirpath(text, name)}


def hl7(name: str, **value: Any) -> dict[str, Any]:
    return {"url": HL7 + name, **value}


def control(code: str) -> dict[str, Any]:
    return hl7("questionnaire-itemControl", valueCodeableConcept={"coding": [{"code": code}]})


def every(filling: Filling) -> dict[str, Node]:
    """Every node of every page by linkId (of repetitions, the last)."""
    found: dict[str, Node] = {}
    stack = [node for page in filling.pages for node in filling.nodes(page.key)][::-1]
    while stack:
        node = stack.pop()
        found[node.link_id] = node
        stack.extend(reversed(node.children))
    return found


def answered(filling: Filling, **answers: Any) -> Filling:
    """Answer by linkId with plain values."""
    nodes = every(filling)
    return filling.answer({nodes[link_id].name: fhir(nodes[link_id].type, value) for link_id, value in answers.items()})


KEYS = {
    "boolean": "Boolean", "integer": "Integer", "decimal": "Decimal", "date": "Date", "dateTime": "DateTime",
    "time": "Time", "url": "Uri", "choice": "Coding", "quantity": "Quantity", "reference": "Reference",
}  # fmt: skip


def fhir(kind: str, value: Any) -> list[dict[str, Any]]:
    values = value if isinstance(value, list) else [value]
    return [
        one
        if isinstance(one, dict) and any(k.startswith("value") for k in one if k != "value")
        else {f"value{KEYS.get(kind, 'String')}": one}
        for one in values
    ]


def values(response: dict[str, Any]) -> dict[str, Any]:
    """linkId -> the values of its answers, of a response or draft, at any depth."""
    found: dict[str, Any] = {}
    stack = [response]
    while stack:
        current = stack.pop()
        for item in current.get("item", []):
            stack.append(item)
            for answer in item.get("answer", []):
                stack.append(answer)
                plain = [v for k, v in answer.items() if k.startswith("value")]
                found.setdefault(item["linkId"], []).extend(plain)
    return found


def codes(issues: Any) -> list[tuple[str, str]]:
    return [(issue.link_id, issue.code) for issue in issues]


ONE = Decimal("1.10")
