"""An expression that uses a name nobody gives is told its author; names that the form or a standard gives are not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.questionnaire.make import SDC, fhirpath, form, group, hl7, option, q, sdc, variable

LAUNCH = {
    "url": f"{SDC}launchContext",
    "extension": [{"url": "name", "valueCoding": {"code": "clinician"}}, {"url": "type", "valueCode": "Practitioner"}],
}
POPULATED = {"url": f"{SDC}itemPopulationContext", "valueExpression": fhirpath("%patient.name", "found")}
QUERY = {"language": "application/x-fhir-query", "expression": "Condition?patient={{%nobody.id}}"}
TOGGLE = {
    "url": f"{SDC}answerOptionsToggleExpression",
    "extension": [{"url": "option", **option("x")}, {"url": "expression", "valueExpression": fhirpath("%nobody")}],
}
RULE = hl7("targetConstraint", extension=[{"url": "expression", "valueExpression": fhirpath("%nobody")}])
BOUND = hl7("minValue", _valueInteger={"extension": [hl7("cqf-calculatedValue", valueExpression=fhirpath("%nobody"))]})


def told(*items: dict[str, Any], **fields: Any) -> list[tuple[str, str]]:
    defects = form(*items, **fields).features.defects
    return [(one.link_id, one.code) for one in defects if "declared nowhere" in one.reason]


@pytest.mark.parametrize(
    ("feature", "item"),
    [
        ("calculatedExpression", q("a", ext=[sdc("calculatedExpression", "%nobody.x")])),
        ("initialExpression", q("a", ext=[sdc("initialExpression", "iif(true, %nobody)")])),
        ("enableWhenExpression", q("a", ext=[sdc("enableWhenExpression", "%`no-body`")])),
        ("answerExpression", q("a", "choice", ext=[sdc("answerExpression", "%nobody")])),
        ("answerExpression", q("a", "choice", ext=[{"url": f"{SDC}answerExpression", "valueExpression": QUERY}])),
        ("variable", q("a", ext=[variable("own", "%nobody")])),
        ("variable", q("a", ext=[variable("later", "%later2")])),
        ("targetConstraint", q("a", ext=[RULE])),
        ("answerOptionsToggleExpression", q("a", "choice", answerOption=[option("x")], ext=[TOGGLE])),
        ("cqf-expression of minValue", q("a", "integer", ext=[BOUND])),
    ],
)
def test_a_name_that_nobody_gives_is_told_with_its_question(feature: str, item: dict[str, Any]) -> None:
    assert told(group("g", item)) == [("a", feature)]


@pytest.mark.parametrize(
    "text",
    [
        "%patient.id", "%user", "%encounter", "%clinician", "%resource.id", "%context", "%questionnaire.title", "%qitem", "%ucum",
        "%`vs-animals`", "%`ext-birthPlace`", "%factory.Coding('a', 'b')", "%around + %own", "%found.family", "%parent",
        "'%nobody'", "defineVariable('x', 1).select(%x)",
    ],
)  # fmt: skip
def test_a_name_that_is_given_is_not_told(text: str) -> None:
    asked = q("a", ext=[variable("own", "1"), sdc("initialExpression", text)])
    around = group("g", asked, extension=[variable("around", "2"), POPULATED])
    assert told(around, extension=[LAUNCH, {"url": f"{SDC}assembleContext", "valueString": "parent"}]) == []


def test_a_name_of_another_part_is_none_here() -> None:
    beside = group("g", q("b"), extension=[variable("theirs", "1")])
    assert told(beside, q("a", ext=[sdc("calculatedExpression", "%theirs")])) == [("a", "calculatedExpression")]
