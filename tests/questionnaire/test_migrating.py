"""A draft goes with its form to the next version: only changed questions are asked again, nothing typed is lost."""

from __future__ import annotations

from typing import Any

from portal.questionnaire import Filling, migrate
from tests.questionnaire.make import answered, context, filling, form, group, option, q, values


def test_unchanged_questions_keep_their_answers_wherever_they_moved() -> None:
    old = form(q("a"), group("g", q("b"), q("c")))
    new = form(group("h", q("c"), q("a")), q("b"), version="2")
    draft = answered(filling(old), a="1", b="2", c="3").draft()
    moved = migrate(old, new, draft, context())
    assert values(moved.draft) == {"a": ["1"], "b": ["2"], "c": ["3"]}
    assert moved.ask_again == ()
    assert moved.draft["questionnaire"] == "https://example.org/form|2"
    assert moved.draft["item"][0]["linkId"] == "h"


def test_changed_questions_are_asked_again_and_their_old_answers_set_aside() -> None:
    old = form(q("text", text="How old?"), q("type"), q("gone"), q("many", repeats=True), q("same"))
    new = form(
        q("text", text="How tall?"), q("type", "integer"), q("many"), q("same", text=" SAME "), q("new"), version="2"
    )
    draft = answered(filling(old), text="a", type="b", gone="c", many=["d", "e"], same="f").draft()
    moved = migrate(old, new, draft, context())
    assert {change.link_id: change.reason for change in moved.ask_again} == {
        "text": "text",
        "type": "type",
        "many": "repeats",
        "new": "new",
    }
    assert {change.link_id: change.reason for change in moved.set_aside} == {
        "text": "text",
        "type": "type",
        "gone": "gone",
        "many": "repeats",
    }
    assert moved.carried == ("same",)
    aside = {item["linkId"]: item["answer"] for item in moved.draft["contained"][0]["item"]}
    reopened = Filling(new, moved.draft, context())
    assert values(reopened.draft()) == {"same": ["f"]}
    assert reopened.draft() == moved.draft
    assert aside["many"] == [{"valueString": "d"}, {"valueString": "e"}]
    assert values(Filling(old, draft, context()).draft()) == values(draft)


def test_more_options_change_nothing_and_fewer_ask_again() -> None:
    few, many = [option("a")], [option("a"), option("b")]
    old = form(q("wider", "choice", answerOption=few), q("narrower", "choice", answerOption=many))
    new = form(q("wider", "choice", answerOption=many), q("narrower", "choice", answerOption=few), version="2")
    draft = answered(filling(old), wider=few[0], narrower=many[1]).draft()
    moved = migrate(old, new, draft, context())
    assert [(change.link_id, change.reason) for change in moved.ask_again] == [("narrower", "options")]
    assert moved.carried == ("wider",)


def listed(name: str, *codes: str) -> dict[str, Any]:
    """A value set inside the form."""
    concepts = [{"code": code} for code in codes]
    include = [{"system": "https://example.org/cs", "concept": concepts}]
    return {"resourceType": "ValueSet", "id": name, "compose": {"include": include}}


def test_a_list_kept_in_the_form_is_known_by_what_is_in_it_and_not_by_its_name() -> None:
    question = [q(name, "choice", answerValueSet=f"#{name}") for name in ("fewer", "more", "called")]
    old = form(
        *question, contained=[listed("fewer", "a", "b"), listed("more", "a"), listed("called", "a")], version="1"
    )
    other = [*question[:2], q("called", "choice", answerValueSet="#other"), q("x")]
    lists = [listed("fewer", "a"), listed("more", "a", "b"), listed("other", "a")]
    new = form(*other, contained=lists, version="2")
    a = {"valueCoding": {"system": "https://example.org/cs", "code": "a"}}
    draft = answered(filling(old), fewer=a, more=a, called=a).draft()
    moved = migrate(old, new, draft, context())
    assert [(change.link_id, change.reason) for change in moved.ask_again] == [("fewer", "options"), ("x", "new")]
    assert moved.carried == ("more", "called")


def test_repetitions_go_over_in_their_order() -> None:
    old = form(group("g", q("a"), q("b"), repeats=True))
    new = form(group("g", q("b"), q("a"), q("c"), repeats=True), version="2")
    filled = (
        filling(old)
        .add("q1")
        .answer({"q2-0": [{"valueString": "1"}], "q2-1": [{"valueString": "2"}], "q3-1": [{"valueString": "3"}]})
    )
    moved = migrate(old, new, filled.draft(), context())
    found = [[(i["linkId"], i["answer"][0]["valueString"]) for i in g["item"]] for g in moved.draft["item"]]
    assert found == [[("a", "1")], [("b", "3"), ("a", "2")]]
