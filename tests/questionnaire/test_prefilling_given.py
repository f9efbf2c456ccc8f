"""Population from what is given along ($populate): several things under one name, batches, searches with any kind of value;
and what does not fit its question."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portal.questionnaire import context_of, populated
from portal.questionnaire.searching import Records
from tests.questionnaire.make import HL7, NOW, SDC, context, form, hl7, option, q, sdc, values

UCUM = "http://unitsofmeasure.org"
ASTHMA = {"system": "urn:illnesses", "code": "J45", "display": "Asthma"}
GOUT = {"system": "urn:illnesses", "code": "M10"}


def condition(identity: str, *codings: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": identity, "code": {"coding": list(codings)}}


def asked(name: str, *contents: dict[str, Any]) -> dict[str, Any]:
    parts = [{"name": "name", "valueString": name}, *({"name": "content", **one} for one in contents)]
    return {"name": "context", "part": parts}


def filled(made: Any, *parameters: dict[str, Any], records: Records | None = None) -> tuple[dict[str, Any], list[str]]:
    given = context_of({"parameter": list(parameters)}, NOW, fetch=records.fetch if records else None)
    draft, troubles = populated(made, given)
    return values(draft), [f"{one.link_id}: {one.reason}" for one in troubles]


def initial(text: str) -> list[dict[str, Any]]:
    return [sdc("initialExpression", text)]


@pytest.mark.parametrize(
    ("kind", "repeats", "codes"),
    [("choice", False, ["M10"]), ("choice", True, ["M10"]), ("open-choice", True, ["J45", "M10"])],
)
def test_of_what_is_found_a_choice_takes_what_it_offers(kind: str, repeats: bool, codes: list[str]) -> None:
    made = form(q("ill", kind, repeats=repeats, ext=initial("%c.code.coding"), answerOption=[{"valueCoding": GOUT}]))
    found, troubles = filled(made, asked("c", {"resource": condition("1", ASTHMA, GOUT)}))
    assert ([coding["code"] for coding in found["ill"]], troubles) == (codes, [])


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (q("x", "choice", ext=initial("%c.code.coding"), answerOption=[option("a")]), "a code that is not offered"),
        (
            q("x", "choice", ext=initial("%c.amount"), answerOption=[option("a")]),
            "a quantity with the code of an option",
        ),
        (q("x", "date", ext=initial("'soon'")), "no date"),
        (q("x", "integer", ext=initial("2.5")), "no whole number"),
        (q("x", "boolean", ext=initial("%c.id")), "neither yes nor no"),
    ],
)
def test_a_result_that_is_no_answer_to_its_question_is_told(item: dict[str, Any], text: str) -> None:
    amount = {"value": 1, "system": option("a")["valueCoding"]["system"], "code": "a"}
    given = asked("c", {"resource": {**condition("1", ASTHMA), "amount": amount}})
    found, troubles = filled(form(item, q("y", ext=initial("'z'"))), given)
    assert (found, troubles) == ({"y": ["z"]}, ["x: it gives no answer to this"]), text


@pytest.mark.parametrize("text", ["''", "{}"])
def test_nothing_is_no_trouble(text: str) -> None:
    assert filled(form(q("x", ext=initial(text)))) == ({}, [])


def test_an_expression_that_cannot_be_read_is_told_and_the_rest_is_filled_in() -> None:
    made = form(q("x", ext=initial("first(")), q("y", ext=initial("'z'")))
    found, [trouble] = filled(made)
    assert (found, trouble.partition(":")[0]) == ({"y": ["z"]}, "x")


@pytest.mark.parametrize("ahead", [False, True])
def test_the_parts_of_each_answer_are_filled_in(ahead: bool) -> None:
    text = "%resource.item.where(linkId='words').answer.value" if ahead else "'a' | 'b'"
    made = form(
        q("each", "string", q("part", ext=initial("'p'")), repeats=True, ext=initial(text)),
        q("words", repeats=True, ext=initial("'a' | 'b'")),
    )
    assert filled(made) == ({"each": ["a", "b"], "part": ["p", "p"], "words": ["a", "b"]}, [])


def test_several_contents_of_one_name_are_a_collection() -> None:
    made = form(q("ids", repeats=True, ext=initial("%conditions.id")))
    reference = {"valueReference": {"reference": "Condition/2"}}
    records = Records([condition("2", GOUT)])
    given = asked("conditions", {"resource": condition("1", ASTHMA)}, reference)
    assert filled(made, given, records=records) == ({"ids": ["1", "2"]}, [])


@pytest.mark.parametrize("names", [["one"], ["one", "two"]])
def test_the_answers_to_a_batch_may_be_given_as_source_queries(names: list[str]) -> None:
    batches = [
        {"resourceType": "Bundle", "id": name, "type": "batch", "entry": [{"request": {"method": "GET", "url": "A/1"}}]}
        for name in names
    ]
    made = form(
        *(q(name, ext=initial(f"%{name}.entry.resource.id")) for name in names),
        contained=batches,
        extension=[{"url": SDC + "sourceQueries", "valueReference": {"reference": f"#{name}"}} for name in names],
    )
    answered = [{"resource": {"resourceType": "Bundle", "entry": [{"resource": condition(name)}]}} for name in names]
    assert filled(made, asked("sourceQueries", *answered)) == ({name: [name] for name in names}, [])


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("%p.active", "true"),
        ("%p.code", "urn:illnesses|J45,urn:illnesses|M10"),
        ("%p.code.coding.first()", "urn:illnesses|J45"),
        ("%p.code.coding.code", "J45,M10"),
        ("%p.identifier", "urn:mrn|7"),
        ("%p.subject", "Patient/9"),
        ("%p.value", f"5.40|{UCUM}|mmol/L"),
        ("%p.issued", "2026-03-27T10:00:00%2B01:00"),
        ("%p.birthDate", "1980-02"),
    ],
)
def test_a_search_is_asked_with_values_as_searches_have_them(text: str, search: str) -> None:
    thing = {
        "resourceType": "Basic",
        "active": True,
        "code": {"coding": [ASTHMA, GOUT]},
        "identifier": {"system": "urn:mrn", "value": "7"},
        "subject": {"reference": "Patient/9"},
        "value": {"value": Decimal("5.40"), "unit": "mmol/l", "system": UCUM, "code": "mmol/L"},
        "issued": "2026-03-27T10:00:00+01:00",
        "birthDate": "1980-02",
    }
    query = {"language": "application/x-fhir-query", "name": "found", "expression": f"Condition?x={{{{{text}}}}}"}
    made = form(
        q("x", "integer", ext=initial("%found.entry.count()")),
        extension=[{"url": HL7 + "variable", "valueExpression": query}],
    )
    sent: list[str] = []

    def fetch(asked: str) -> dict[str, Any]:
        sent.append(asked)
        return {"resourceType": "Bundle"}

    populated(made, context(variables={"p": thing}, fetch=fetch))
    assert sent == [f"Condition?x={search}"]


def weight(value: int, unit: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": "w", "status": "final", "effectiveDateTime": "2026-11-01",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }  # fmt: skip


def test_where_an_expression_gives_nothing_an_earlier_observation_fills_in() -> None:
    period = {"url": SDC + "observationLinkPeriod", "valueDuration": {"value": 1, "code": "a"}}
    code = [{"system": "http://loinc.org", "code": "29463-7"}]
    made = form(
        q("said", "quantity", code=code, ext=[period, *initial("7 'kg'")]),
        q("empty", "quantity", code=code, ext=[period, *initial("{}")]),
    )
    found, troubles = filled(made, asked("w", {"resource": weight(80, "kg")}))
    assert (found["said"][0]["value"], found["empty"][0]["value"], troubles) == (7, 80, [])


@pytest.mark.parametrize(
    ("units", "becomes"),
    [([], (2, "kg")), (["kg", "g"], (2, "kg")), (["g"], (2000, "g")), (["cm"], None)],
)
def test_a_quantity_is_brought_into_a_unit_of_its_question(units: list[str], becomes: tuple[int, str] | None) -> None:
    options = [hl7("questionnaire-unitOption", valueCoding={"system": UCUM, "code": unit}) for unit in units]
    for text in ("%w.value", "2 'kg'"):
        made = form(q("x", "quantity", ext=[*options, *initial(text)]))
        found, troubles = filled(made, asked("w", {"resource": weight(2, "kg")}))
        assert [(one["value"], one["code"]) for one in found.get("x", [])] == ([becomes] if becomes else [])
        assert troubles == ([] if becomes else ["x: it is in another unit"])


def test_a_reference_is_followed_to_what_can_be_read() -> None:
    made = form(q("x", ext=initial("%e.participant.individual.resolve().name.family")))
    practitioner = {"resourceType": "Practitioner", "id": "g", "name": [{"family": "Gray"}]}
    meant = {"reference": "Practitioner/g"}
    encounter = {"resourceType": "Encounter", "id": "e", "participant": [{"individual": meant}]}
    given = asked("e", {"resource": encounter})
    assert filled(made, given, records=Records([practitioner])) == ({"x": ["Gray"]}, [])
    assert filled(made, given, records=Records([])) == ({}, [])
    assert filled(made, given) == ({}, [])
