"""Scores: weights of answers, sums, and what a form calculates from them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portal.questionnaire import Form, score
from tests.questionnaire.make import HL7, answered, context, every, filling, form, group, option, q, sdc


def weighted(code: str, value: int) -> dict[str, object]:
    return option(code) | {"extension": [{"url": HL7 + "ordinalValue", "valueDecimal": Decimal(value)}]}


LIKERT = [weighted("never", 0), weighted("sometimes", 1), weighted("always", 3)]
TOTAL = "%resource.item.where(linkId='all').item.answer.value.ordinal().sum()"


def scored() -> Form:
    return form(
        group("all", q("one", "choice", answerOption=LIKERT), q("two", "choice", answerOption=LIKERT)),
        q("total", "integer", readOnly=True, ext=[sdc("calculatedExpression", TOTAL)]),
    )


def test_a_form_adds_up_its_weights_as_it_is_filled_in() -> None:
    filled = filling(scored())
    assert every(filled)["total"].answers == []
    filled = answered(filled, one=LIKERT[2], two=LIKERT[1])
    assert every(filled)["total"].answers == [{"valueInteger": 4}]
    assert every(answered(filled, two=LIKERT[0]))["total"].answers == [{"valueInteger": 3}]


def test_the_score_of_a_response_says_what_is_missing() -> None:
    made = scored()
    response = answered(filling(made), one=LIKERT[2]).response("completed")
    found = score(made, response, context())
    assert [(s.link_id, s.value) for s in found.answers] == [("one", Decimal(3))]
    assert [(s.link_id, s.value) for s in found.calculated] == [("total", Decimal(3))]
    assert (found.total, found.unanswered) == (Decimal(3), ("two",))


def test_weights_may_stand_on_the_coding_too() -> None:
    coding = {"system": "s", "code": "c", "extension": [{"url": HL7 + "itemWeight", "valueDecimal": Decimal(7)}]}
    made = form(
        q("a", "choice", answerOption=[{"valueCoding": coding}]),
        q("t", "decimal", ext=[sdc("calculatedExpression", "%resource.item.where(linkId='a').answer.value.weight()")]),
    )
    assert every(answered(filling(made), a={"valueCoding": {"system": "s", "code": "c"}}))["t"].answers == [
        {"valueDecimal": Decimal(7)}
    ]


PROPERTY = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.contains.property"
WEIGHT = {"uri": "http://hl7.org/fhir/concept-properties#itemWeight"}


@pytest.mark.parametrize("name", ["itemWeight", "points"])
@pytest.mark.parametrize("where", ["code system", "expansion", "expansion of R4"])
def test_a_weight_is_a_property_that_says_so_whatever_it_is_called(name: str, where: str) -> None:
    weight = {"code": name, "valueDecimal": 8}
    noted = {"url": PROPERTY, "extension": [{"url": "code", "valueCode": name}, {"url": "value", "valueDecimal": 8}]}
    said = {"extension": [noted]} if where == "expansion of R4" else {"property": [weight]}
    defined = {"property": [{"code": name, **WEIGHT}, {"code": "order"}]}
    concept = {"code": "a", "display": "A", **said}
    known = {"resourceType": "CodeSystem", "id": "c", "url": "urn:c", **defined, "concept": [concept]}
    chosen: dict[str, Any] = {"resourceType": "ValueSet", "id": "v", "compose": {"include": [{"system": "urn:c"}]}}
    if where != "code system":
        chosen = {**chosen, "expansion": {**defined, "contains": [{"system": "urn:c", **concept}]}}
    made = form(q("x", "choice", answerValueSet="#v"), contained=[chosen, known])
    response = {"item": [{"linkId": "x", "answer": [{"valueCoding": {"system": "urn:c", "code": "a"}}]}]}
    assert score(made, response, context()).total == 8
