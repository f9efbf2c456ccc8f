"""Extraction: repeated answers keep an element each, numbers their units; templates fill lists, extensions and contexts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.questionnaire.extracting import CORE, SDC, a, at, bundle, definition, g, text, value_at
from tests.questionnaire.make import group, hl7, q, raw_form

CONTACT = group(
    "contact",
    q("name", definition=at("Patient.contact.name.text")),
    q("phone", repeats=True, definition=at("Patient.contact.telecom.value")),
    definition=at("Patient.contact"),
    repeats=True,
)
FIXED = [value_at("Patient.telecom.system", valueCode="phone"), value_at("Patient.telecom.use", valueCode="home")]
REPEATED: list[tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]] = [
    (
        [q("t", repeats=True, definition=at("Patient.telecom.value"))],
        [a("t", text("1"), text("2"))],
        {"telecom": [{"value": "1"}, {"value": "2"}]},
    ),
    (
        [q("t", repeats=True, definition=at("Patient.telecom.value"), ext=FIXED)],
        [a("t", text("1"), text("2"))],
        {"telecom": [{"value": number, "system": "phone", "use": "home"} for number in "12"]},
    ),
    (
        [CONTACT],
        [g("contact", a("name", text("A")), a("phone", text("1"), text("2"))), g("contact", a("phone", text("3")))],
        {
            "contact": [
                {"name": {"text": "A"}, "telecom": [{"value": "1"}, {"value": "2"}]},
                {"telecom": [{"value": "3"}]},
            ]
        },
    ),
    (
        [q("g", repeats=True, definition=at("Patient.name.given"))],
        [a("g", text("1"), text("2"))],
        {"name": [{"given": ["1", "2"]}]},
    ),
]


@pytest.mark.parametrize(("items", "answers", "made"), REPEATED)
def test_every_answer_of_a_question_that_repeats_reaches_the_record(
    items: list[dict[str, Any]], answers: list[dict[str, Any]], made: dict[str, Any]
) -> None:
    (entry,), troubles = bundle(raw_form(*items, extension=[definition(CORE + "Patient")]), *answers)
    assert (entry["resource"], troubles) == ({"resourceType": "Patient", **made}, [])


KILO = {"system": "http://unitsofmeasure.org", "code": "kg", "display": "kilo"}
KG = {"unit": "kilo", "system": KILO["system"], "code": "kg"}
UNITS: list[tuple[str, str, dict[str, Any], Any]] = [
    ("decimal", "Observation.value[x]", {"valueDecimal": Decimal("70.50")}, {"value": Decimal("70.50"), **KG}),
    ("integer", "Observation.value[x]", {"valueInteger": 70}, {"value": 70, **KG}),
    ("integer", "Patient.multipleBirth[x]", {"valueInteger": 2}, 2),
    ("quantity", "Patient.contact.telecom.rank", {"valueQuantity": {"value": 2, "unit": "kilo"}}, [{"telecom": [{"rank": 2}]}]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "answer", "value"), UNITS)
def test_a_number_takes_its_unit_along_where_there_is_a_place_for_it(
    kind: str, path: str, answer: dict[str, Any], value: Any
) -> None:
    item = q("a", kind, definition=at(path), ext=[hl7("questionnaire-unit", valueCoding=KILO)])
    form = raw_form(item, extension=[definition(CORE + path.split(".", maxsplit=1)[0])])
    (entry,), troubles = bundle(form, a("a", answer))
    assert troubles == []
    assert [held for name, held in entry["resource"].items() if name != "resourceType"] == [value]


def says(expression: str, name: str = "Value") -> dict[str, Any]:
    return {"url": f"{SDC}templateExtract{name}", "valueString": expression}


def of(link_id: str) -> str:
    return f"item.where(linkId = '{link_id}').answer.value"


MALE = {"extension": [says(f"{of('male')}.where($this)", "Context")]}
RACE = {
    "url": "http://example.org/race",
    "extension": [{"url": "text", "_valueString": {"extension": [says(of("race"))]}}],
}
TEMPLATE: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "t",
    "extension": [RACE, {"url": "http://example.org/fixed", "valueBoolean": True}],
    "name": [{"given": ["Dr", "?"], "_given": [None, {"extension": [says(of("given"))]}]}],
    "gender": "male",
    "_gender": MALE,
    "birthDate": "1900",
    "_birthDate": {"extension": [says(of("born")), hl7("patient-birthTime", valueDateTime="2000-01-01")]},
}
FILLED: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
    ([], {"extension": TEMPLATE["extension"][1:], "name": [{"given": ["Dr"]}]}),
    (
        [a("given", text("A"), text("B")), a("male", {"valueBoolean": True}), a("race", text("R"))],
        {
            "extension": [
                {"url": RACE["url"], "extension": [{"url": "text", "valueString": "R"}]},
                TEMPLATE["extension"][1],
            ],
            "name": [{"given": ["Dr", "A", "B"]}],
            "gender": "male",
        },
    ),
    ([a("male", {"valueBoolean": False})], {"extension": TEMPLATE["extension"][1:], "name": [{"given": ["Dr"]}]}),
    (
        [a("born", {"valueDate": "1990-05"})],
        {
            "extension": TEMPLATE["extension"][1:],
            "name": [{"given": ["Dr"]}],
            "birthDate": "1990-05",
            "_birthDate": {"extension": [hl7("patient-birthTime", valueDateTime="2000-01-01")]},
        },
    ),
]


@pytest.mark.parametrize(("answers", "made"), FILLED)
def test_a_template_is_filled_in_every_corner_and_keeps_none_of_its_instructions(
    answers: list[dict[str, Any]], made: dict[str, Any]
) -> None:
    asked = {"url": SDC + "templateExtract", "extension": [{"url": "template", "valueReference": {"reference": "#t"}}]}
    questions = [q("given", repeats=True), q("male", "boolean"), q("race"), q("born", "date")]
    entries, troubles = bundle(raw_form(*questions, contained=[TEMPLATE], extension=[asked]), *answers)
    assert [(entry["resource"], troubles) for entry in entries] == [({"resourceType": "Patient", **made}, [])]
