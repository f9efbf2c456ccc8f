"""Names with a hyphen, which FHIRPath would read as a subtraction."""

from __future__ import annotations

from typing import Any

import pytest

from portal.questionnaire import populate
from portal.questionnaire.quoting import quoted
from tests.questionnaire.make import HL7, SDC, context, fhirpath, form, q, raw_form, sdc, values

ENCOUNTER = {"resourceType": "Encounter", "id": "e", "reasonCode": [{"text": "Registration"}]}
NAME = {"url": "name", "valueCoding": {"code": "registration-encounter"}}
LAUNCH = {"url": SDC + "launchContext", "extension": [NAME, {"url": "type", "valueCode": "Encounter"}]}


def variable(name: str, expression: str) -> dict[str, Any]:
    return {"url": HL7 + "variable", "valueExpression": {**fhirpath(expression), "name": name}}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("%registration-encounter.reasonCode.text", "Registration"),
        ("%`registration-encounter`.reasonCode.text", "Registration"),
        ("%why-so", "Registration"),
        ("(%ten-%two).toString()", "8"),
        ("(%ten-2).toString()", "8"),
    ],
)
def test_a_name_with_a_hyphen_that_the_form_declares_is_a_name(expression: str, expected: str) -> None:
    known = [variable("why-so", "%registration-encounter.reasonCode.text"), variable("ten", "10"), variable("two", "2")]
    made = form(q("x", ext=[sdc("initialExpression", expression)]), extension=[LAUNCH, *known])
    assert values(populate(made, context(launch={"registration-encounter": ENCOUNTER}))) == {"x": [expected]}


def test_a_form_without_such_names_stays_the_very_same() -> None:
    raw = raw_form(q("x", text="%a-b"), extension=[variable("ten", "10")])
    assert quoted(raw) is raw


def test_texts_stay_as_they_are_written() -> None:
    raw = raw_form(q("x", text="%why-so"), extension=[variable("why-so", "1")])
    assert quoted(raw)["item"][0]["text"] == "%why-so"


def test_what_is_nested_without_end_stops_nobody() -> None:
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"a": [deep]}
    raw = raw_form(q("x"), extension=[variable("why-so", "1")], contained=[{"resourceType": "Patient", "x": deep}])
    assert quoted(raw)["contained"][0]["resourceType"] == "Patient"
