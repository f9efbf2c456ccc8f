"""enableWhen and enableWhenExpression: what applies, what is kept aside, what is sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portal.questionnaire import Filling
from tests.questionnaire.make import answered, context, every, filling, form, group, option, q, sdc, values, when

CODING = {"system": "https://example.org/cs", "code": "a", "display": "A"}

CASES: list[tuple[str, str, dict[str, Any], Any, bool]] = [
    ("boolean", "=", {"answerBoolean": True}, True, True),
    ("boolean", "=", {"answerBoolean": True}, False, False),
    ("boolean", "!=", {"answerBoolean": True}, False, True),
    ("boolean", "exists", {"answerBoolean": True}, False, True),
    ("integer", ">", {"answerInteger": 5}, 6, True),
    ("integer", ">", {"answerInteger": 5}, 5, False),
    ("integer", ">=", {"answerInteger": 5}, 5, True),
    ("integer", "<", {"answerInteger": 5}, 4, True),
    ("integer", "<=", {"answerInteger": 5}, 6, False),
    ("decimal", "=", {"answerDecimal": Decimal("1.1")}, Decimal("1.10"), True),
    ("date", "<", {"answerDate": "2020-01-01"}, "2019", True),
    ("date", "<", {"answerDate": "2020-06-01"}, "2020", False),
    ("date", "=", {"answerDate": "2020"}, "2020", True),
    ("dateTime", "=", {"answerDateTime": "2020-01-01T10:00:00Z"}, "2020-01-01T11:00:00+01:00", True),
    ("dateTime", ">", {"answerDateTime": "2020-01-01T10:00:00Z"}, "2020-01-01T10:30:00+01:00", False),
    ("time", ">", {"answerTime": "10:00:00"}, "10:00:01", True),
    ("string", "=", {"answerString": "yes"}, "yes", True),
    ("string", "=", {"answerString": "yes"}, "Yes", False),
    ("choice", "=", {"answerCoding": {"system": "https://example.org/cs", "code": "a"}}, CODING, True),
    ("choice", "=", {"answerCoding": {"code": "a"}}, CODING, True),
    ("choice", "=", {"answerCoding": {"system": "other", "code": "a"}}, CODING, False),
    ("choice", "!=", {"answerCoding": {"code": "b"}}, CODING, True),
    ("quantity", ">", {"answerQuantity": {"value": 70, "code": "kg"}}, {"value": 80, "code": "kg"}, True),
    ("quantity", ">", {"answerQuantity": {"value": 70, "code": "kg"}}, {"value": 80, "code": "g"}, False),
    ("reference", "=", {"answerReference": {"reference": "Patient/1"}}, {"reference": "Patient/1"}, True),
]


@pytest.mark.parametrize(("kind", "operator", "answer", "given", "shown"), CASES)
def test_every_operator_compares_every_type(
    kind: str, operator: str, answer: dict[str, Any], given: Any, shown: bool
) -> None:
    fields = {"answerOption": [option("a"), option("b")]} if kind == "choice" else {}
    made = form(q("asked", kind, **fields), q("then", enableWhen=[when("asked", operator, **answer)]))
    assert ("then" in every(answered(filling(made), asked=given))) is shown


@pytest.mark.parametrize(
    ("operator", "code", "answers", "shown"),
    [
        ("=", "b", "ab", True),
        ("=", "c", "ab", False),
        ("!=", "a", "ab", False),
        ("!=", "c", "ab", True),
        ("!=", "a", "", False),
        ("=", "a", "", False),
    ],
)
def test_of_several_answers_one_may_equal_and_for_not_equal_none_may(
    operator: str, code: str, answers: str, shown: bool
) -> None:
    a = q("a", "choice", answerOption=[option(one) for one in "abc"], repeats=True)
    made = form(a, q("b", enableWhen=[when("a", operator, answerCoding=option(code)["valueCoding"])]))
    assert ("b" in every(answered(filling(made), a=[option(one) for one in answers]))) is shown


def test_exists_false_shows_a_question_only_while_the_other_has_no_answer() -> None:
    made = form(q("asked"), q("then", enableWhen=[when("asked", "exists", answerBoolean=False)]))
    empty = filling(made)
    assert "then" in every(empty)
    assert "then" not in every(answered(empty, asked="x"))


@pytest.mark.parametrize(("behaviour", "shown"), [("any", True), ("all", False)])
def test_any_needs_one_condition_and_all_needs_each(behaviour: str, shown: bool) -> None:
    conditions = [when("a", answerBoolean=True), when("b", answerBoolean=True)]
    made = form(q("a", "boolean"), q("b", "boolean"), q("then", enableWhen=conditions, enableBehavior=behaviour))
    assert ("then" in every(answered(filling(made), a=True))) is shown


def test_an_answer_that_no_longer_applies_is_kept_in_the_draft_and_left_out_of_the_response() -> None:
    made = form(q("smoke", "boolean"), q("much", "integer", enableWhen=[when("smoke", answerBoolean=True)]))
    first = answered(answered(filling(made), smoke=True), much=20)
    second = answered(first, smoke=False)
    assert values(second.response("completed")) == {"smoke": [False]}
    assert values(second.draft()) == {"smoke": [False], "much": [20]}
    reopened = Filling(made, second.draft(), context())
    assert values(answered(reopened, smoke=True).response("completed")) == {"smoke": [True], "much": [20]}


def test_a_condition_does_not_see_the_answer_of_a_question_that_does_not_apply() -> None:
    made = form(
        q("a", "boolean"),
        q("b", "boolean", enableWhen=[when("a", answerBoolean=True)]),
        q("c", enableWhen=[when("b", answerBoolean=True)]),
    )
    yes = answered(answered(filling(made), a=True), b=True)
    assert "c" in every(yes)
    assert "c" not in every(answered(yes, a=False))


def test_a_group_that_does_not_apply_takes_its_questions_along() -> None:
    made = form(q("a", "boolean"), group("g", q("inner"), enableWhen=[when("a", answerBoolean=True)]))
    assert set(every(filling(made))) == {"a"}
    assert set(every(answered(filling(made), a=True))) == {"a", "g", "inner"}


def test_each_repetition_looks_at_its_own_answers() -> None:
    made = form(group("g", q("a", "boolean"), q("b", enableWhen=[when("a", answerBoolean=True)]), repeats=True))
    two = filling(made).add("q1")
    first = two.answer({"q2-0": [{"valueBoolean": True}]})
    names = {node.name for node in _flat(first)}
    assert "q3-0" in names
    assert "q3-1" not in names


def _flat(filled: Filling) -> list[Any]:
    found, stack = [], [node for page in filled.pages for node in filled.nodes(page.key)]
    while stack:
        found.append(stack.pop())
        stack.extend(found[-1].children)
    return found


def test_an_expression_decides_as_a_condition_does() -> None:
    expression = "%resource.item.where(linkId='age').answer.value > 17"
    made = form(q("age", "integer"), q("adult", ext=[sdc("enableWhenExpression", expression)]))
    assert "adult" not in every(filling(made))
    assert "adult" in every(answered(filling(made), age=18))


def test_an_expression_that_costs_too_much_leaves_its_question_on_the_page_and_tells_staff() -> None:
    hostile = "(1|2|3|4|5|6|7|8|9).select((1|2|3|4|5|6|7|8|9)).repeat($this & 'a').count() > 0"
    made = form(q("a"), q("b", required=True, ext=[sdc("enableWhenExpression", hostile)]))
    filled = filling(made)
    assert every(filled)["b"].required
    assert [(trouble.link_id, trouble.what) for trouble in filled.troubles] == [("b", "enableWhenExpression")]


R5_AS_R4 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Questionnaire.item.disabledDisplay"


@pytest.mark.parametrize("how", ["element", "extension"])
def test_a_disabled_item_that_asks_to_be_kept_visible_is_drawn_and_locked(how: str) -> None:
    def disabled(display: str) -> Filling:
        said = {"disabledDisplay": display} if how == "element" else {"ext": [{"url": R5_AS_R4, "valueCode": display}]}
        return filling(form(q("a", "boolean"), q("b", enableWhen=[when("a", answerBoolean=True)], **said)))

    node = every(disabled("protected"))["b"]
    assert node.disabled
    assert node.read_only
    assert values(disabled("protected").answer({node.name: [{"valueString": "x"}]}).draft()) == {}
    assert "b" not in every(disabled("hidden"))


def test_any_of_several_conditions_may_look_at_any_type() -> None:
    made = form(
        q("a", "choice", answerOption=[option("x"), option("y")]),
        q("n", "integer"),
        q(
            "b",
            enableBehavior="any",
            enableWhen=[when("a", answerCoding=option("x")["valueCoding"]), when("n", ">", answerInteger=3)],
        ),
    )
    assert "b" not in every(filling(made))
    assert "b" in every(answered(filling(made), a=option("x")))
    assert "b" in every(answered(filling(made), n=4))
