"""Answers go in by field name; only what a person may answer is taken; repetitions come and go."""

from __future__ import annotations

from decimal import Decimal

import pytest

from portal.questionnaire import Filling
from tests.questionnaire.make import (
    answered,
    context,
    control,
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


def test_unknown_hidden_read_only_calculated_and_disabled_items_are_passed_over() -> None:
    made = form(
        q("open"),
        q("locked", readOnly=True),
        q("hidden", ext=[hl7("questionnaire-hidden", valueBoolean=True)]),
        q("sum", "integer", ext=[sdc("calculatedExpression", "1 + 1")]),
        q("off", enableWhen=[when("open", answerString="never")]),
        group("frozen", q("inside"), readOnly=True),
        group("g", q("x")),
    )
    tried = {f"q{n}": [{"valueString": "mine"}] for n in range(0, 40)} | {"open": [{"valueString": "by linkId"}]}
    assert values(filling(made).answer(tried).draft()) == {"open": ["mine"], "sum": [2], "x": ["mine"]}


def test_names_say_nothing_of_the_link_id_and_are_safe_in_html() -> None:
    made = form(q('"><script>', "string"), group("g", q("a.b/c"), repeats=True))
    assert sorted(node.name for node in every(filling(made)).values()) == ["q1", "q2-0", "q3-0"]


def test_a_filling_never_changes_only_new_ones_are_made() -> None:
    first = filling(form(q("a")))
    second = answered(first, a="x")
    assert values(first.draft()) == {}
    assert values(second.draft()) == {"a": ["x"]}
    assert values(second.answer({"q1": []}).draft()) == {}
    assert values(second.draft()) == {"a": ["x"]}


def test_groups_are_added_and_removed_with_what_they_hold() -> None:
    made = form(group("person", q("name"), group("pet", q("kind"), repeats=True), repeats=True))
    filled = filling(made).add("q1-0").add("q3-1")
    filled = filled.answer(
        {name: [{"valueString": name}] for name in ("q2-0", "q4-0-0", "q2-1", "q4-1-0", "q4-1-1", "q4-7-7")}
    )
    shape = [[len(i.get("item", [])) for i in p["item"]] for p in filled.response("completed")["item"]]
    assert shape == [[0, 1], [0, 1, 1]]
    without = filled.remove("q1-0")
    assert [p["item"][0]["answer"] for p in without.response("completed")["item"]] == [[{"valueString": "q2-1"}]]


def test_an_empty_repetition_survives_saving() -> None:
    made = form(group("person", q("name"), repeats=True))
    draft = filling(made).add("q1-0").draft()
    reopened = Filling(made, draft, context())
    assert [node.name for node in reopened.nodes(reopened.pages[0].key)] == ["q1-0", "q1-1"]
    assert "item" not in reopened.response("completed")


def test_a_repeating_question_has_an_input_more_when_asked_and_loses_the_one_removed() -> None:
    made = form(q("drug", repeats=True))
    filled = answered(filling(made), drug=["a", "b"]).add("q1")
    assert every(filled)["drug"].slots == 3
    assert every(Filling(made, filled.draft(), context()))["drug"].slots == 3
    assert values(filled.remove("q1-0").draft())["drug"] == ["b"]


@pytest.mark.parametrize(
    ("before", "typed", "staying"),
    [([], [], 2), ([], ["a"], 2), ([], ["a", "b"], 2), (["a"], ["a"], 2), (["a"], ["b"], 2), (["a"], ["a", "b"], 2), (["a"], [], 2)],
)  # fmt: skip
def test_an_input_that_was_added_stays_until_its_page_is_left(
    before: list[str], typed: list[str], staying: int
) -> None:
    made = form(q("drug", repeats=True), q("other"))
    added = answered(filling(made), drug=before).add("q1")
    said = {"q1": [{"valueString": each} for each in typed]}
    here = added.copy()
    here.put({"q2": [{"valueString": "x"}]}, editing=True)
    here.put(said, editing=True)
    assert every(here)["drug"].slots == staying
    assert every(Filling(made, here.draft(), context()))["drug"].slots == staying
    assert values(here.response("completed")) == {**({"drug": typed} if typed else {}), "other": ["x"]}
    assert every(here.add("q1"))["drug"].slots == max(2, len(typed) + 1)
    assert every(here.answer(said))["drug"].slots == (len(typed) or 1)


def test_no_more_repetitions_than_the_form_allows() -> None:
    made = form(group("g", q("a"), repeats=True, ext=[hl7("questionnaire-maxOccurs", valueInteger=2)]))
    filled = filling(made).add("q1").add("q1").add("q1")
    nodes = filled.nodes(filled.pages[0].key)
    assert [node.name for node in nodes] == ["q1-0", "q1-1"]
    assert not nodes[0].can_add
    assert nodes[0].can_remove


def test_a_question_with_questions_of_its_own_nests_them_under_its_answer() -> None:
    made = form(q("drug", "string", q("dose", "decimal"), repeats=True))
    filled = (
        filling(made)
        .add("q1-0")
        .answer(
            {
                "q1-0": [{"valueString": "aspirin"}],
                "q2-0": [{"valueDecimal": Decimal("1.10")}],
                "q1-1": [{"valueString": "other"}],
            }
        )
    )
    (item,) = filled.response("completed")["item"]
    assert item["answer"] == [
        {
            "valueString": "aspirin",
            "item": [{"linkId": "dose", "text": "dose", "answer": [{"valueDecimal": Decimal("1.10")}]}],
        },
        {"valueString": "other"},
    ]
    assert str(item["answer"][0]["item"][0]["answer"][0]["valueDecimal"]) == "1.10"
    assert Filling(made, filled.draft(), context()).draft() == filled.draft()


def test_questions_under_check_boxes_are_asked_once() -> None:
    made = form(
        q(
            "which",
            "choice",
            q("other"),
            repeats=True,
            answerOption=[option("a"), option("b")],
            ext=[control("check-box")],
        )
    )
    filled = answered(filling(made), which=[option("a"), option("b")], other="more")
    (item,) = filled.response("completed")["item"]
    assert [set(answer) for answer in item["answer"]] == [{"valueCoding", "item"}, {"valueCoding"}]


def test_what_has_no_place_in_the_form_is_set_aside_and_never_dropped() -> None:
    made = form(q("a"))
    stray = {"linkId": "gone", "answer": [{"valueString": "kept"}]}
    filled = Filling(made, {"resourceType": "QuestionnaireResponse", "item": [stray]}, context())
    assert filled.stray_items == [stray]
    draft = answered(filled, a="x").draft()
    assert Filling(made, draft, context()).stray_items == [stray]
    assert values(Filling(made, draft, context()).response("completed")) == {"a": ["x"]}


def test_head_of_the_response_is_kept_and_the_form_named() -> None:
    made = form(q("a"))
    given = {"resourceType": "QuestionnaireResponse", "id": "1", "subject": {"reference": "Patient/1"}}
    response = answered(Filling(made, given, context()), a="x").response(
        "completed", authored="2026-11-21T10:00:00Z", source={"reference": "RelatedPerson/2"}
    )
    assert response["questionnaire"] == "https://example.org/form|1"
    assert (response["status"], response["authored"], response["id"]) == ("completed", "2026-11-21T10:00:00Z", "1")
    assert (response["subject"], response["source"]) == ({"reference": "Patient/1"}, {"reference": "RelatedPerson/2"})
    assert "extension" not in response


def test_a_post_may_answer_a_question_together_with_what_makes_it_apply() -> None:
    made = form(
        q("smoke", "boolean"),
        q("much", "integer", enableWhen=[when("smoke", answerBoolean=True)]),
        q("really", "boolean", enableWhen=[when("much", ">", answerInteger=40)]),
        q("never", enableWhen=[when("smoke", answerBoolean=False)]),
    )
    posted = {
        "q4": [{"valueString": "x"}],
        "q3": [{"valueBoolean": True}],
        "q2": [{"valueInteger": 60}],
        "q1": [{"valueBoolean": True}],
    }
    assert values(filling(made).answer(posted).draft()) == {"smoke": [True], "much": [60], "really": [True]}
    both = filling(made).answer(posted).answer({"q1": [{"valueBoolean": False}], "q2": [{"valueInteger": 61}]})
    assert values(both.draft())["much"] == [61]
    assert values(both.response("completed")) == {"smoke": [False]}
