"""Scores: weights of answers, sums, and what a form calculates from them."""

from __future__ import annotations

from decimal import Decimal

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
