"""What an expression reads is known from what it means, however it is written: escapes, signs close to names, its first word."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.questionnaire.make import answered, filling, form, q, sdc, values, variable

# a linkId, and how a text of FHIRPath writes it
WRITTEN = [
    ("a'b", "a\\'b"), ("a\\b", "a\\\\b"), ("é", "\\u00e9"), ("a`b", "a\\`b"), ('a"b', 'a\\"b'), ("a\tb", "a\\tb"), ("a b", "a b"),
    ("/1/2", "\\/1/2"), ("%x", "%x"), ("a.b-c", "a.b-c"), ("plain", "pl\\ain"),
]  # fmt: skip


def calculated(link_id: str, text: str, *extensions: dict[str, Any]) -> dict[str, Any]:
    return q(link_id, "decimal", ext=[sdc("calculatedExpression", text), *extensions])


def answer_of(link_id: str) -> str:
    return f"%resource.item.where(linkId='{link_id}').answer.value"


@pytest.mark.parametrize(("link_id", "text"), WRITTEN, ids=[text for _, text in WRITTEN])
def test_a_question_is_worked_out_before_what_reads_it(link_id: str, text: str) -> None:
    made = form(
        calculated("last", f"{answer_of(text)} * 2"), calculated(link_id, f"{answer_of('n')} + 1"), q("n", "integer")
    )
    filled = answered(filling(made), n=1)
    assert values(filled.draft())["last"] == [Decimal(4)]
    assert values(answered(filled, n=5).draft())["last"] == [Decimal(12)]


@pytest.mark.parametrize(
    "text", ["%a-%b", "%a -%b", "%`a`-%b", "%a-(%b)", "%'a' - %b", "%a-%b // %c", "iif('%c' = '', 0, %a-%b)"]
)
def test_a_variable_is_read_close_to_a_sign(text: str) -> None:
    named = [variable("a", answer_of("n")), variable("b", answer_of("m")), variable("c", answer_of("last"))]
    made = form(
        calculated("last", text), q("n", "integer"), calculated("m", f"{answer_of('n')} div 2"), extension=named
    )
    filled = answered(filling(made), n=9)
    assert values(filled.draft())["last"] == [Decimal(5)]
    assert values(answered(filled, n=3).draft())["last"] == [Decimal(2)]


@pytest.mark.parametrize(
    "text",
    [
        f"defineVariable('s', {answer_of('n')}).select(%s + 1)",
        f"trace('x').select({answer_of('n')} + 1)",
        f"coalesce({answer_of('none')}, {answer_of('n')}) + 1",
        f"iif(true, {answer_of('n')} + 1)",
    ],
)
def test_an_expression_may_begin_with_a_function(text: str) -> None:
    made = form(q("n", "integer"), q("none", "integer"), calculated("last", text))
    assert values(answered(filling(made), n=1).draft())["last"] == [Decimal(2)]


RESPONSE = "QuestionnaireResponse.item.where(linkId='n').answer.value"


@pytest.mark.parametrize(
    "text",
    [
        f"{RESPONSE} + 1", f"({RESPONSE}) + 1", f"1 + {RESPONSE}", f"iif({RESPONSE} > 0, {RESPONSE} + 1, 0)", f"/* x */ {RESPONSE} + 1",
        f"{RESPONSE}.ofType(integer) + 1", "QuestionnaireResponse.descendants().where(linkId='n').answer.value.as(integer) + 1",
        f"coalesce({RESPONSE}, 0) + 1", f"iif({RESPONSE}.exists(), {answer_of('n')} + 1)",
    ],
)  # fmt: skip
def test_the_response_by_its_name_is_looked_at_from_the_top(text: str) -> None:
    made = form(q("n", "integer"), q("g", "group", calculated("last", text)))
    filled = answered(filling(made), n=1)
    assert values(filled.draft())["last"] == [Decimal(2)]
    assert values(answered(filled, n=7).draft())["last"] == [Decimal(8)]


def test_what_stands_beside_it_is_looked_at_from_its_own_place() -> None:
    made = form(q("g", "group", q("n", "integer"), calculated("last", "linkId.length() + 1"), q("m", "integer")))
    assert values(answered(filling(made), n=1).draft())["last"] == [Decimal(5)]
