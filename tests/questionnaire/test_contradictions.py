"""What a form says that can never be is said to its author, and the form is asked all the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.questionnaire.make import SDC, form, group, hl7, option, q, sdc, when

UCUM = "http://unitsofmeasure.org"


def told(*items: dict[str, Any], **fields: Any) -> list[tuple[str, str]]:
    return [(one.link_id, one.code) for one in form(*items, **fields).features.defects]


def occurs(least: int, most: int) -> list[dict[str, Any]]:
    return [
        hl7("questionnaire-minOccurs", valueInteger=least),
        hl7("questionnaire-maxOccurs", valueInteger=most),
    ]


def between(least: Any, most: Any, kind: str) -> list[dict[str, Any]]:
    return [hl7("minValue", **{f"value{kind}": least}), hl7("maxValue", **{f"value{kind}": most})]


def measured(value: int, code: str) -> dict[str, Any]:
    return {"value": value, "system": UCUM, "code": code}


def worked_out() -> dict[str, Any]:
    beside = {"extension": [hl7("cqf-expression", valueExpression={"language": "text/fhirpath", "expression": "9"})]}
    return {**hl7("maxValue", valueInteger=1), "_valueInteger": beside}


LIMITS: list[tuple[dict[str, Any], bool]] = [
    (q("x", "integer", ext=between(5, 2, "Integer")), True),
    (q("x", "integer", ext=between(2, 2, "Integer")), False),
    (q("x", "date", ext=between("2026-02-01", "2026-01", "Date")), True),
    (q("x", "date", ext=between("2026-01-15", "2026", "Date")), False),
    (q("x", "integer", ext=[hl7("minValue", valueInteger=5), worked_out()]), False),
    (
        q(
            "x",
            "quantity",
            ext=[
                {"url": f"{SDC}minQuantity", "valueQuantity": measured(2, "kg")},
                {"url": f"{SDC}maxQuantity", "valueQuantity": measured(900, "g")},
            ],
        ),
        True,
    ),
    (q("x", maxLength=2, ext=[hl7("minLength", valueInteger=3)]), True),
    (q("x", repeats=True, ext=occurs(3, 2)), True),
    (q("x", repeats=True, ext=occurs(2, 3)), False),
    (q("x", ext=occurs(0, 3)), True),
    (q("x", ext=occurs(1, 1)), False),
    (group("x", q("y"), ext=occurs(2, 2)), True),
]


@pytest.mark.parametrize(("item", "said"), LIMITS)
def test_limits_that_no_answer_keeps(item: dict[str, Any], said: bool) -> None:
    assert told(item) == [("x", "limits")] * said


def coded(code: str, system: str = "https://example.org/cs") -> dict[str, Any]:
    return {"answerCoding": {"system": system, "code": code}}


TWO = {"answerOption": [option("a"), option("b")]}
CONDITIONS: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    (q("x", "display"), when("x", "exists", answerBoolean=True), True),
    (group("x", q("z")), when("x", "exists", answerBoolean=True), True),
    (q("x", "boolean"), when("x", answerString="true"), True),
    (q("x", "decimal"), when("x", ">", answerInteger=1), False),
    (q("x", "dateTime"), when("x", "<", answerDate="2026-01-01"), False),
    (q("x", "url"), when("x", answerString="https://example.org"), False),
    (q("x", "choice", **TWO), when("x", **coded("b")), False),
    (q("x", "choice", **TWO), when("x", **coded("c")), True),
    (q("x", "choice", **TWO), when("x", "!=", **coded("b", "https://example.org/other")), True),
    (q("x", "open-choice", **TWO), when("x", **coded("c")), False),
    (q("x", "choice", answerValueSet="https://example.org/elsewhere"), when("x", **coded("c")), False),
    (q("x", "choice", answerOption=[{"valueInteger": 1}, {"valueInteger": 5}]), when("x", ">", answerInteger=3), False),
    (q("x", "choice", ext=[sdc("answerExpression", "'a' | 'b'")]), when("x", answerString="a"), False),
]


@pytest.mark.parametrize(("asked", "condition", "said"), CONDITIONS)
def test_conditions_that_never_hold(asked: dict[str, Any], condition: dict[str, Any], said: bool) -> None:
    assert told(asked, q("y", enableWhen=[condition])) == [("y", "condition")] * said


def test_an_answer_offered_twice_and_a_start_that_is_no_answer() -> None:
    assert told(q("x", "choice", answerOption=[option("a", "One"), option("a", "Two")])) == [("x", "options")]
    assert told(q("x", "choice", answerOption=[{"valueString": "a"}, {"valueString": "a"}])) == [("x", "options")]
    assert told(q("x", "integer", initial=[{"valueString": "1"}])) == [("x", "options")]
    assert told(q("x", "integer", initial=[{"valueInteger": 0}])) == []
