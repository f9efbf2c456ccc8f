"""The bundled forms filled by linkId, as a person would page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from portal.bundled import bundled
from portal.questionnaire import Context, Filling, Form, Node, load, populate

Json = dict[str, Any]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RAW: dict[str, Json] = {raw["url"].rpartition(":")[2]: raw for raw in bundled()}
SLUGS = sorted(RAW)
ADULT: Json = {
    "resourceType": "Patient",
    "id": "7",
    "birthDate": "1950-01-01",
    "gender": "female",
    "name": [{"given": ["Ana"], "family": "Diaz"}],
}


@cache
def form(slug: str) -> Form:
    return load(RAW[slug])


def context(patient: Json | None = None, language: str = "en") -> Context:
    return Context(now=NOW, launch={"patient": patient} if patient else {}, language=language)


def begun(slug: str, patient: Json | None = None, language: str = "en") -> Filling:
    """As it is before anybody has answered, with what the form fills in beforehand."""
    asked = context(patient, language)
    return Filling(form(slug), populate(form(slug), asked), asked)


def flat(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from flat(node.children)


def nodes(filling: Filling) -> list[Node]:
    return [node for page in filling.pages for node in flat(filling.nodes(page.key))]


def said(filling: Filling, answers: Mapping[str, Any]) -> Filling:
    """Answers by linkId: the number of an option (or several), or a FHIR answer; given again while they bring new questions."""
    for _ in range(3):
        found = {node.name: _answer(node, answers[node.link_id]) for node in nodes(filling) if node.link_id in answers}
        filling = filling.answer(found)
    return filling


def _answer(node: Node, wanted: Any) -> list[Json]:
    if isinstance(wanted, dict):
        return [wanted]
    return [dict(node.options[place].value) for place in (wanted if isinstance(wanted, list) else [wanted])]


VALUES: dict[str, Json] = {
    "boolean": {"valueBoolean": True},
    "string": {"valueString": "abc"},
    "text": {"valueString": "abc\ndef"},
    "integer": {"valueInteger": 5},
    "date": {"valueDate": "2019-03"},
}


SIZES = {"birth-weight": 3, "height": 170}


def everything(filling: Filling, option: int) -> Filling:
    """Every question that can be seen answered, choices with the option of this place (0 the first, -1 the last)."""
    for _ in range(3):
        asked = [node for node in nodes(filling) if node.item.is_question and not node.read_only and not node.answers]
        filling = filling.answer({node.name: [_any(node, option)] for node in asked})
    return filling


def _any(node: Node, option: int) -> Json:
    if node.options:
        return dict(node.options[option].value)
    if node.type == "quantity":
        unit = {name: node.units[0].value["valueCoding"][name] for name in ("system", "code")}
        return {"valueQuantity": {"value": SIZES.get(node.link_id, 60), "unit": unit["code"], **unit}}
    return VALUES[node.type]


def codes(filling: Filling) -> dict[str, list[Any]]:
    """linkId to what the response says: codes of choices, else the values."""
    found: dict[str, list[Any]] = {}
    stack: list[Json] = list(filling.response("completed").get("item", []))
    while stack:
        item = stack.pop()
        for answer in item.get("answer", []):
            value = next(held for name, held in answer.items() if name.startswith("value"))
            found.setdefault(item["linkId"], []).append(value.get("code", value) if isinstance(value, dict) else value)
            stack.extend(answer.get("item", []))
        stack.extend(item.get("item", []))
    return found
