"""Forms of kinds that few have: names in three scopes, repetitions in repetitions, what nobody sees, words in two languages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portal.questionnaire import Filling, Node, load, populate, validate
from tests.questionnaire.make import (
    HL7,
    SDC,
    answered,
    context,
    every,
    fhir,
    filling,
    form,
    group,
    hl7,
    q,
    raw_form,
    sdc,
    values,
    variable,
)

Json = dict[str, Any]
HIDDEN = hl7("questionnaire-hidden", valueBoolean=True)


def calculated(link_id: str, kind: str, text: str, *more: Json) -> Json:
    return q(link_id, kind, ext=[*more, sdc("calculatedExpression", text)], readOnly=True)


def all_of(held: Filling, link_id: str) -> list[Node]:
    def within(nodes: list[Node]) -> list[Node]:
        return [
            found for node in nodes for found in ([node] if node.link_id == link_id else []) + within(node.children)
        ]

    return [found for key in held.keys for found in within(held.nodes(key))]


def put(held: Filling, link_id: str, value: Any, place: int = 0) -> Filling:
    node = all_of(held, link_id)[place]
    return held.answer({node.name: fhir(node.type, value)})


def told(held: Filling, link_id: str) -> list[Any]:
    return [next(iter(answer.values())) for node in all_of(held, link_id) for answer in node.answers]


SCOPES = raw_form(
    q("n", "integer"),
    calculated("out", "string", "%x"),
    group(
        "g",
        calculated("in", "string", "%x"),
        group(
            "h",
            calculated("deep", "string", "%x", variable("x", "%x & '/item'")),
            calculated("side", "string", "%x"),
            ext=[variable("x", "%x & '/h'")],
        ),
        repeats=True,
        ext=[variable("x", "%x & '/g'")],
    ),
    extension=[variable("x", "'root' & %resource.item.where(linkId='n').answer.value.toString()")],
)


def test_a_name_declared_again_may_be_worked_out_of_that_around_it() -> None:
    held = filling(load(SCOPES)).add("q3-0")
    for number in (7, 8):
        held = answered(held, n=number)
        assert told(held, "out") == [f"root{number}"]
        assert told(held, "in") == [f"root{number}/g"] * 2
        assert told(held, "side") == [f"root{number}/g/h"] * 2
        assert told(held, "deep") == [f"root{number}/g/h/item"] * 2
        assert Filling(held.form, held.draft(), held.context).draft() == held.draft()


@pytest.mark.parametrize("text", ["'fixed'", "%now.exists().toString()", "today().toString()", "%qitem.linkId", "%one"])
def test_a_new_repetition_has_what_is_worked_out_of_nothing_in_it(text: str) -> None:
    made = form(group("g", calculated("c", "string", text), q("a"), repeats=True), extension=[variable("one", "'1'")])
    held = filling(made, variables={"now": ["x"]} if "%now" in text else {})
    first = told(held, "c")
    assert len(first) == 1
    held = held.add(all_of(held, "g")[0].name).add(all_of(held, "g")[0].name)
    assert told(held, "c") == first * 3


DAYS = raw_form(
    group(
        "day",
        group(
            "meal",
            q("amount", "decimal"),
            calculated("share", "decimal", "%own / %all * 100"),
            repeats=True,
            ext=[variable("own", "item.where(linkId='amount').answer.value")],
        ),
        calculated("day-total", "decimal", "%all"),
        repeats=True,
        ext=[variable("all", "item.where(linkId='meal').item.where(linkId='amount').answer.value.sum()")],
    ),
    calculated(
        "total", "decimal", "%resource.item.where(linkId='day').item.where(linkId='day-total').answer.value.sum()"
    ),
    calculated("most", "decimal", "%resource.descendants().where(linkId='amount').answer.value.max()"),
)


def test_totals_of_repetitions_in_repetitions_inside_and_outside() -> None:
    held = put(filling(load(DAYS)), "amount", Decimal(10))
    held = held.add(all_of(held, "meal")[0].name)
    held = put(held, "amount", Decimal(30), 1)
    held = held.add(all_of(held, "day")[0].name)
    held = put(held, "amount", Decimal(5), 2)
    assert (told(held, "share"), told(held, "day-total")) == ([25, 75, 100], [40, 5])
    assert (told(held, "total"), told(held, "most")) == ([45], [30])
    assert validate(held.form, held.response("completed"), held.context) == []
    less = held.remove(all_of(held, "day")[0].name)
    assert (told(less, "share"), told(less, "day-total"), told(less, "total")) == ([100], [5], [5])
    assert (told(held, "total"), told(less, "most")) == ([45], [5])


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (q("a", required=True, ext=[HIDDEN]), True),
        (group("g", q("a", required=True), ext=[HIDDEN]), True),
        (q("a", ext=[HIDDEN]), False),
        (q("a", required=True, ext=[HIDDEN], initial=[{"valueString": "x"}]), False),
        (q("a", required=True, ext=[HIDDEN, sdc("calculatedExpression", "'x'")]), False),
        (q("a", required=True, ext=[HIDDEN, sdc("initialExpression", "'x'")]), False),
        (
            q("a", "choice", required=True, ext=[HIDDEN], answerOption=[{"valueString": "x", "initialSelected": True}]),
            False,
        ),
    ],
)
def test_what_is_hidden_required_and_never_filled_in_is_told_to_the_author(item: Json, said: bool) -> None:
    made = form(item, q("b"))
    assert [(one.link_id, one.code) for one in made.features.defects] == ([("a", "required-hidden")] if said else [])
    held = answered(filling(made), b={"valueString": "y"})
    assert held.check() == []
    assert validate(made, held.response("completed"), held.context) == []


def spanish(words: str) -> Json:
    parts = [{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": words}]
    return {"extension": [{"url": f"{HL7}translation", "extension": parts}]}


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        (f"{HL7}entryFormat", "Enter this in the form formato"),
        ("http://ehelse.no/fhir/StructureDefinition/validationtext", "formato"),
    ],
)
def test_what_is_asked_for_is_said_in_the_language_of_who_answers(url: str, wanted: str) -> None:
    shown = {"url": url, "valueString": "format", "_valueString": spanish("formato")}
    made = form(q("a", ext=[{"url": f"{HL7}regex", "valueString": "[a-z]+"}, shown]))
    held = answered(Filling(made, populate(made, context(language="es")), context(language="es")), a="ABC")
    assert [issue.message for issue in held.check()] == [wanted]


@pytest.mark.parametrize(
    ("item", "answers", "words"),
    [
        (q("a", "decimal", ext=[hl7("maxDecimalPlaces", valueInteger=0)]), Decimal("1.5"), "Enter a whole number, like 12"),
        (q("a", "decimal", ext=[hl7("maxDecimalPlaces", valueInteger=1)]), Decimal("1.55"), "Use no more than one decimal place"),
        (q("a", "decimal", ext=[hl7("maxDecimalPlaces", valueInteger=2)]), Decimal("1.555"), "Use no more than 2 decimal places"),
        (q("a", maxLength=1), "ab", "Use one character only"),
        (q("a", maxLength=2), "abc", "Use 2 characters or fewer"),
        (q("a", repeats=True, ext=[hl7("questionnaire-maxOccurs", valueInteger=1)]), ["a", "b"], "Give one answer only"),
        (q("a", repeats=True, ext=[hl7("questionnaire-maxOccurs", valueInteger=2)]), ["a", "b", "c"], "Give no more than 2 answers"),
    ],
)  # fmt: skip
def test_a_limit_of_one_is_said_in_words_for_one(item: Json, answers: Any, words: str) -> None:
    (issue,) = answered(filling(form(item)), a=answers).check()
    assert issue.message == words


@pytest.mark.parametrize(
    ("kind", "least", "given", "words"),
    [
        ("date", "2020-01-05", "2019", "Enter a date that is 5 January 2020 or later"),
        ("time", "09:30:00", "08:00:00", "Enter a time that is 09:30 or later"),
        ("dateTime", "2020-01-05", "2019", "Enter a date or time that is 5 January 2020 or later"),
    ],
)
def test_a_date_is_not_called_a_time(kind: str, least: str, given: str, words: str) -> None:
    key = {"date": "valueDate", "time": "valueTime", "dateTime": "valueDateTime"}[kind]
    held = answered(filling(form(q("a", kind, ext=[hl7("minValue", **{key: least})]))), a=given)
    assert [issue.message for issue in held.check()] == [words]


def test_parts_are_not_called_answers() -> None:
    two = [hl7("questionnaire-minOccurs", valueInteger=2), hl7("questionnaire-maxOccurs", valueInteger=2)]
    made = form(group("g", q("a"), repeats=True, ext=two))
    held = answered(filling(made), a="x")
    assert [issue.message for issue in held.check()] == ["Fill in at least 2 of these parts"]
    rows = [{"linkId": "g", "item": [{"linkId": "a", "answer": [{"valueString": word}]}]} for word in "xyz"]
    given = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": rows}
    assert [issue.message for issue in validate(made, given, context())] == ["Fill in no more than 2 of these parts"]


def test_units_of_one_question_are_told_apart_by_its_limits() -> None:
    """A limit in kilos holds for an answer in pounds, whatever the question offers."""
    units = [
        hl7(
            "questionnaire-unitOption",
            valueCoding={"system": "http://unitsofmeasure.org", "code": code, "display": code},
        )
        for code in ("kg", "[lb_av]")
    ]
    least = {"value": 2, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
    made = form(q("w", "quantity", ext=[*units, {"url": f"{SDC}minQuantity", "valueQuantity": least}]))
    for amount, code in ((1, ["too-small"]), (4, ["too-small"]), (5, [])):
        given = {"value": amount, "unit": "[lb_av]", "system": "http://unitsofmeasure.org", "code": "[lb_av]"}
        assert [issue.code for issue in answered(filling(made), w=given).check()] == code


@pytest.mark.parametrize(
    ("least", "unit", "words"),
    [
        (("0.3", "m"), "cm", "30 cm"),
        (("2", "kg"), "[lb_av]", "2 kg"),
        (("250", "g"), "kg", "0.25 kg"),
        (("30", "cm"), "cm", "30 cm"),
        (("1", "a"), "mo", "12 mo"),
        (("36", "Cel"), "[degF]", "96.8 [degF]"),
    ],
)
def test_a_limit_is_said_in_the_unit_of_the_answer_where_that_is_exact(
    least: tuple[str, str], unit: str, words: str
) -> None:
    ucum = "http://unitsofmeasure.org"
    bound = {"value": Decimal(least[0]), "unit": least[1], "system": ucum, "code": least[1]}
    made = form(q("w", "quantity", ext=[{"url": f"{SDC}minQuantity", "valueQuantity": bound}]))
    given = {
        "value": Decimal("-99") if unit == "[degF]" else Decimal("0.01"),
        "unit": unit,
        "system": ucum,
        "code": unit,
    }
    assert [issue.message for issue in answered(filling(made), w=given).check()] == [f"Enter {words} or more"]


def test_a_part_of_hidden_questions_stands_in_the_response_with_what_fills_it() -> None:
    n_plus = "%resource.item.where(linkId='n').answer.value + 1"
    made = form(q("n", "integer"), group("g", calculated("c", "integer", n_plus), ext=[HIDDEN]))
    held = answered(filling(made), n=4)
    assert [node for key in held.keys for node in held.nodes(key) if node.link_id == "g"] == []
    assert values(held.response("completed")) == {"n": [4], "c": [5]}
    assert every(held).keys() == {"n"}
