"""An expression beside a value is run where the engine says so, and named as not honoured everywhere else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.questionnaire.make import every, filling, form, hl7, option, q, sdc

CALCULATED = "http://hl7.org/fhir/StructureDefinition/cqf-calculatedValue"
EXPRESSION = "http://hl7.org/fhir/StructureDefinition/cqf-expression"


def beside(text: str, url: str = EXPRESSION) -> dict[str, Any]:
    return {"extension": [{"url": url, "valueExpression": {"language": "text/fhirpath", "expression": text}}]}


RUN: list[dict[str, Any]] = [
    q("a", _text=beside("'x'")), q("a", _prefix=beside("'1'")), q("a", _required=beside("true")), q("a", _readOnly=beside("true")),
    q("a", _maxLength=beside("3")), q("a", "integer", ext=[hl7("minValue", _valueInteger=beside("1"))]),
    q("a", "date", ext=[hl7("maxValue", _valueDate=beside("today()", CALCULATED))]),
    q("a", "integer", ext=[sdc("calculatedExpression", "1")]),
]  # fmt: skip
LEFT: list[tuple[str, dict[str, Any]]] = [
    ("repeats", q("a", _repeats=beside("true"))), ("type", q("a", _type=beside("'integer'"))),
    ("answerOption", q("a", "choice", answerOption=[option("x", _display=beside("'y'"))])),
    ("answerOption", q("a", "choice", answerOption=[{"valueCoding": {"code": "x", "_display": beside("'y'", CALCULATED)}}])),
    ("answerValueSet", q("a", "choice", _answerValueSet=beside("'urn:x'"))), ("initial", q("a", initial=[{"_valueString": beside("'y'")}])),
    ("maxDecimalPlaces", q("a", "decimal", ext=[hl7("maxDecimalPlaces", _valueInteger=beside("2"))])),
    ("entryFormat", q("a", ext=[hl7("entryFormat", _valueString=beside("'y'"))])),
    ("unit", q("a", "quantity", ext=[hl7("questionnaire-unit", valueCoding={"code": "kg", "_display": beside("'y'")})])),
]  # fmt: skip


def missed(*items: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.link_id, one.feature) for one in form(*items).features.not_honoured]


@pytest.mark.parametrize("item", RUN)
def test_what_is_worked_out_is_not_named(item: dict[str, Any]) -> None:
    assert missed(item) == []


@pytest.mark.parametrize(("name", "item"), LEFT)
def test_what_is_not_worked_out_is_named_with_its_question(name: str, item: dict[str, Any]) -> None:
    assert missed(item) == [("a", f"cqf-expression of {name}")]
    assert missed(q("g", "group", item)) == [("a", f"cqf-expression of {name}")]


def test_what_is_written_beside_it_counts() -> None:
    node = every(filling(form(q("a", _repeats=beside("true"), repeats=False))))["a"]
    assert not node.repeats
