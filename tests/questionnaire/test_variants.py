"""Odd but lawful forms that no public case holds: weights, filters, limits, answers outside a list, what may be left out."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from portal.questionnaire import Filling, populate, score, validate
from tests.questionnaire.make import (
    SDC,
    answered,
    codes,
    context,
    every,
    filling,
    form,
    group,
    hl7,
    option,
    q,
    sdc,
    values,
    when,
)

UCUM = "http://unitsofmeasure.org"


def weighted(code: str, weight: float | int, name: str = "ordinalValue") -> dict[str, Any]:
    return option(code, extension=[hl7(name, valueDecimal=weight)])


def coded(code: str) -> dict[str, Any]:
    return {"valueCoding": option(code)["valueCoding"]}


def measured(value: Any, unit: str) -> dict[str, Any]:
    return {"value": value, "code": unit, "system": UCUM}


# -- weights


@pytest.mark.parametrize(
    "text",
    [
        "%resource.item.where(linkId = 'a' or linkId = 'b').answer.value.weight().sum()",
        "%resource.item.answer.value.ordinal().sum()",
        "%resource.item.where(linkId = 'a').answer.weight().sum() + %resource.item.where(linkId = 'b').answer.weight().sum()",
        "iif(%questionnaire.exists(), %resource.item.answer.value.weight().sum())",
    ],
)
def test_the_same_code_weighs_what_its_own_question_says(text: str) -> None:
    """Scales turn every other question round: "always" is 4 in one and 0 in the next."""
    made = form(
        q("a", "choice", answerOption=[weighted("always", 4), weighted("never", 0)]),
        q("b", "choice", answerOption=[weighted("always", 0), weighted("never", 4)]),
        q("plain", "choice", answerOption=[option("always")]),
        q("sum", "decimal", ext=[sdc("calculatedExpression", text)]),
    )
    done = answered(filling(made), a=coded("always"), b=coded("always"), plain=coded("always"))
    assert values(done.response("completed"))["sum"] == [4]
    found = score(made, done.response("completed"), context())
    assert ([(one.link_id, one.value) for one in found.answers], found.total) == ([("a", 4), ("b", 0)], 4)


def test_options_that_are_no_codes_may_weigh_too() -> None:
    made = form(
        q("a", "integer", answerOption=[{"valueInteger": 3, "extension": [hl7("itemWeight", valueDecimal=7)]}]),
        q("b", answerOption=[{"valueString": "x", "_valueString": {"extension": [hl7("itemWeight", valueDecimal=2)]}}]),
        q("sum", "integer", ext=[sdc("calculatedExpression", "%resource.item.answer.weight().sum()")]),
    )
    done = answered(filling(made), a=3, b="x").response("completed")
    assert values(done)["sum"] == [9]
    assert score(made, done, context()).total == 9


SYSTEM = {
    "resourceType": "CodeSystem",
    "id": "tree",
    "url": "http://tree",
    "concept": [
        {"code": "a", "display": "A", "concept": [{"code": "b", "display": "B", "concept": [{"code": "c"}]}, {"code": "d"}]},
        {
            "code": "e",
            "display": "E",
            "designation": [{"language": "es", "value": "É"}],
            "property": [
                {"code": "parent", "valueCode": "d"},
                {"code": "kind", "valueString": "k"},
                {"code": "itemWeight", "valueDecimal": Decimal("2.5")},
            ],
        },
    ],
}  # fmt: skip


def picked(include: dict[str, Any], **compose: Any) -> dict[str, Any]:
    return {
        "resourceType": "ValueSet",
        "id": "set",
        "compose": {"include": [{"system": "http://tree", **include}], **compose},
    }


FILTERS = [
    ("concept", "is-a", "b", "bc"),
    ("concept", "descendent-of", "a", "bcde"),
    ("concept", "is-not-a", "b", "ade"),
    ("concept", "child-of", "a", "bd"),
    ("concept", "descendent-leaf", "a", "ce"),
    ("concept", "generalizes", "c", "abc"),
    ("concept", "in", "a, c", "ac"),
    ("code", "not-in", "a,c", "bde"),
    ("code", "regex", "[ab]", "ab"),
    ("display", "=", "B", "b"),
    ("parent", "=", "a", "bd"),
    ("parent", "exists", "false", "a"),
    ("child", "exists", "false", "ce"),
    ("kind", "exists", "true", "e"),
    ("kind", "exists", "false", "abcd"),
    ("kind", "in", "k,l", "e"),
]


@pytest.mark.parametrize(("name", "operator", "value", "found"), FILTERS)
def test_a_value_set_picks_by_every_filter_of_fhir(name: str, operator: str, value: str, found: str) -> None:
    rule = {"property": name, "op": operator, "value": value}
    made = form(q("a", "choice", answerValueSet="#set"), contained=[picked({"filter": [rule]}), SYSTEM])
    assert "".join(one.value["valueCoding"]["code"] for one in every(filling(made))["a"].options) == found


def test_what_a_list_of_codes_leaves_out_its_code_system_says() -> None:
    listed = picked({"concept": [{"code": "e"}, {"code": "b", "display": "Bee"}]}, exclude=[{"valueSet": ["#none"]}])
    none = {
        "resourceType": "ValueSet",
        "id": "none",
        "compose": {"include": [{"system": "http://tree", "concept": [{"code": "d"}]}]},
    }
    made = form(q("a", "choice", answerValueSet="#set"), contained=[listed, none, SYSTEM])
    offered = every(filling(made))["a"].options
    assert [(str(one.label), one.score) for one in offered] == [("E", Decimal("2.5")), ("Bee", None)]
    assert str(every(filling(made, language="es"))["a"].options[0].label) == "É"


# -- conditions and limits

ORDERED: dict[str, list[dict[str, Any]]] = {
    "decimal": [{"Decimal": Decimal("4.90")}, {"Decimal": 5}, {"Decimal": Decimal("5.01")}],
    "dateTime": [{"DateTime": "2020-06-15T11:59:00+02:00"}, {"DateTime": "2020-06-15T10:00:00Z"}, {"DateTime": "2021-01-01T00:00:00Z"}],
    "time": [{"Time": "08:00:00"}, {"Time": "09:30:00"}, {"Time": "10:00:00.5"}],
    "url": [{"Uri": "http://a"}, {"Uri": "http://b"}],
    "quantity": [{"Quantity": measured(900, "g")}, {"Quantity": measured(1, "kg")}, {"Quantity": measured(Decimal("1.2"), "kg")}],
}  # fmt: skip
OPERATORS = {"=": "==", "!=": "!=", ">": ">", "<": "<", ">=": ">=", "<=": "<="}


@pytest.mark.parametrize("kind", ORDERED)
def test_conditions_know_the_order_of_every_type_in_any_unit(kind: str) -> None:
    pairs = list(enumerate(ORDERED[kind]))
    for (m, mine), (n, theirs), operator in product(pairs, pairs, OPERATORS):
        ((name, value),) = mine.items()
        ((_, other),) = theirs.items()
        made = form(q("a", kind), q("b", enableWhen=[when("a", operator, **{f"answer{name}": other})]))
        shown = "b" in every(answered(filling(made), a={f"value{name}": value}))
        assert shown is eval(f"{m} {OPERATORS[operator]} {n}"), (value, operator, other)


def response(*items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"resourceType": "QuestionnaireResponse", "status": "completed", "item": list(items), **fields}


def said(link_id: str, *answers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"linkId": link_id, **({"answer": list(answers)} if answers else {}), **fields}


KILO = {"url": SDC + "minQuantity", "valueQuantity": measured(1, "kg")}
CONSTRAINT = hl7("questionnaire-constraint", extension=[
    {"url": "key", "valueId": "k"}, {"url": "severity", "valueCode": "warning"},
    {"url": "expression", "valueString": "answer.value > 3"}, {"url": "human", "valueString": "More than 3"},
])  # fmt: skip
ONE_UNIT = hl7("questionnaire-unitOption", valueCoding={"code": "kg", "system": UCUM})
PLACE = "QuestionnaireResponse.item[0]"
FOUND: list[tuple[str, dict[str, Any], list[dict[str, Any]], list[tuple[str, str, str]]]] = [
    (
        "a limit in another unit",
        q("a", "quantity", ext=[KILO]),
        [said("a", {"valueQuantity": measured(900, "g")})],
        [("a", "too-small", f"{PLACE}.answer[0]")],
    ),
    (
        "a limit met in another unit",
        q("a", "quantity", ext=[KILO]),
        [said("a", {"valueQuantity": measured(1100, "g")})],
        [],
    ),
    (
        "a unit without words",
        q("a", "quantity", ext=[ONE_UNIT]),
        [said("a", {"valueQuantity": measured(1, "[lb_av]")})],
        [("a", "unit", f"{PLACE}.answer[0]")],
    ),
    (
        "a pattern of a number",
        q("a", "integer", ext=[hl7("regex", valueString="[0-9]{3}")]),
        [said("a", {"valueInteger": 12})],
        [("a", "pattern", f"{PLACE}.answer[0]")],
    ),
    (
        "a rule has its place",
        q("a", "integer", ext=[CONSTRAINT]),
        [said("a", {"valueInteger": 2})],
        [("a", "rule", PLACE)],
    ),
    ("an optional part left out", group("g", q("a", required=True)), [], []),
    (
        "an optional part begun",
        group("g", q("a", required=True), q("b")),
        [said("g", item=[said("b", {"valueString": "x"})])],
        [("a", "required", PLACE)],
    ),
    (
        "a required part left out",
        group("g", q("a", required=True), required=True),
        [],
        [("g", "group-required", "QuestionnaireResponse")],
    ),
    ("a question under one without an answer", q("p", "boolean", q("a", required=True)), [], []),
    (
        "a question under one with an answer",
        q("p", "boolean", q("a", required=True)),
        [said("p", {"valueBoolean": True})],
        [("a", "required", PLACE)],
    ),
    (
        "fewer parts than asked for",
        group("g", q("a"), repeats=True, required=True, extension=[hl7("questionnaire-minOccurs", valueInteger=2)]),
        [said("g", item=[said("a", {"valueString": "x"})])],
        [("g", "too-few", PLACE)],
    ),
]


@pytest.mark.parametrize(("item", "given", "found"), [case[1:] for case in FOUND], ids=[case[0] for case in FOUND])
def test_a_response_is_held_to_its_form(
    item: dict[str, Any], given: list[dict[str, Any]], found: list[tuple[str, str, str]]
) -> None:
    issues = validate(form(item), response(*given), context())
    assert [(issue.link_id, issue.code, issue.expression) for issue in issues] == found


def test_on_our_own_pages_everything_required_that_is_shown_is_asked_for() -> None:
    made = form(group("g", q("a", required=True)))
    assert codes(filling(made).check()) == [("a", "required")]


def test_another_version_of_the_form_is_a_warning_and_another_form_an_error() -> None:
    made = form(q("a"))
    for other, severity in (("https://example.org/form|2", "warning"), ("https://example.org/form2|1", "error")):
        (issue,) = validate(made, response(questionnaire=other), context())
        assert issue.severity == severity


# -- answers outside a list

CONSTRAINED = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Questionnaire.item.answerConstraint"
OPEN: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("choice", option("a"), "optionsOrString", {"valueString": "own words"}),
    ("string", {"valueString": "a"}, "optionsOrString", {"valueString": "own words"}),
    ("string", {"valueString": "a"}, "optionsOrType", {"valueString": "own words"}),
    ("integer", {"valueInteger": 3}, "optionsOrType", {"valueInteger": 9}),
    ("date", {"valueDate": "2020-01-01"}, "optionsOrType", {"valueDate": "2021"}),
]


@pytest.mark.parametrize(("kind", "offered", "constraint", "own"), OPEN)
def test_other_answers_than_the_options_are_taken_where_the_form_says_so(
    kind: str, offered: dict[str, Any], constraint: str, own: dict[str, Any]
) -> None:
    loose = form(q("a", kind, answerOption=[offered], ext=[{"url": CONSTRAINED, "valueCode": constraint}]))
    tight = form(q("a", kind, answerOption=[offered]))
    given = response(said("a", own))
    assert loose.features.not_honoured == ()
    assert every(filling(loose))["a"].open
    assert validate(loose, given, context()) == []
    assert [issue.blocks for issue in validate(tight, given, context())] == [True]


def test_an_initial_code_is_the_option_it_means() -> None:
    made = form(q("a", "choice", answerOption=[option("x", "Words")], initial=[{"valueCoding": {"code": "x"}}]))
    draft = Filling(made, populate(made, context()), context()).response("completed")
    assert values(draft)["a"] == [option("x", "Words")["valueCoding"]]


def test_answers_are_read_back_in_the_language_of_the_page() -> None:
    spanish = {
        "extension": [
            hl7(
                "translation",
                extension=[{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": "kilos"}],
            )
        ]
    }
    made = form(
        q("a", "choice", answerOption=[{"valueCoding": {"code": "y", "display": "Yes", "_display": spanish}}]),
        q("b", "quantity", ext=[hl7("questionnaire-unitOption", valueCoding={"code": "kg", "display": "kilograms", "_display": spanish})]),
    )  # fmt: skip
    done = answered(
        filling(made), a={"valueCoding": {"code": "y"}}, b={"value": Decimal("2.50"), "unit": "kilograms", "code": "kg"}
    )
    assert [row.answers for section in done.summary("es") for row in section.rows] == [("kilos",), ("2,50 kilos",)]


@pytest.mark.parametrize(
    ("shown", "kept"),
    [("NNN-NNN", True), ("dd/mm/yyyy", True), (r"\d{3}-\d{3}", False), ("[0-9]+", False), ("^a.*b$", False)],
)
def test_a_format_written_for_machines_is_not_shown_to_people(shown: str, kept: bool) -> None:
    pattern = hl7("regex", valueString="[0-9]{3}-[0-9]{3}")
    made = form(q("a", ext=[pattern, hl7("entryFormat", valueString=shown)]))
    (issue,) = answered(filling(made), a="12").check()
    assert every(filling(made))["a"].entry_format == (shown if kept else "")
    assert issue.code == ("pattern-format" if kept else "pattern")


def test_a_form_without_a_title_goes_by_its_name_or_what_its_first_part_is_called() -> None:
    feet = group("g", q("a"), text="Your feet")
    assert form(feet, title=None).title() == "Your feet"
    assert form(feet, title=None, name="Feet").title() == "Feet"
    assert form(q("a"), title=None).title() == "https://example.org/form"


def test_a_part_that_an_expression_would_hide_is_shown_and_that_is_said() -> None:
    worked_out = {
        "url": hl7("questionnaire-hidden")["url"],
        "_valueBoolean": {
            "extension": [hl7("cqf-expression", valueExpression={"language": "text/fhirpath", "expression": "true"})]
        },
    }
    made = form(q("a", ext=[worked_out]))
    assert [(missed.link_id, missed.feature) for missed in made.features.not_honoured] == [("a", "hidden")]
    assert "a" in every(filling(made))
