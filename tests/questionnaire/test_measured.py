"""What an expression gives for a question that takes a number: in the unit of the question, or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest

from portal.questionnaire import populate, populated
from tests.questionnaire.make import context, form, hl7, q, sdc, values

UCUM = "http://unitsofmeasure.org"
WEIGHT = {"resourceType": "Observation", "valueQuantity": {"value": 70000, "system": UCUM, "code": "g"}}
KILOGRAMS = hl7("questionnaire-unit", valueCoding={"system": UCUM, "code": "kg"})


@pytest.mark.parametrize(
    ("kind", "expression", "expected"),
    [
        ("decimal", "%known.value", "70"),
        ("integer", "%known.value", "70"),
        ("decimal", "70000 'g'", "70"),
        ("decimal", "70 'kg'", "70"),
        ("decimal", "70000 'g' / 1000 'g'", "70"),
        ("decimal", "70", "70"),
        ("decimal", "170 'cm'", None),
    ],
)
def test_what_an_expression_gives_for_a_number_is_in_its_unit_or_not_taken(
    kind: str, expression: str, expected: str | None
) -> None:
    made = form(q("n", kind, ext=[KILOGRAMS, sdc("initialExpression", expression)]))
    draft, troubles = populated(made, context(variables={"known": WEIGHT}))
    assert values(draft) == ({} if expected is None else {"n": [Decimal(expected)]})
    assert bool(troubles) is (expected is None)


def test_a_calculated_number_is_in_the_unit_of_its_question() -> None:
    made = form(q("n", "decimal", ext=[KILOGRAMS, sdc("calculatedExpression", "70000 'g'")]))
    assert values(populate(made, context())) == {"n": [Decimal(70)]}
