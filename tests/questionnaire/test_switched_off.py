"""An option that another answer switches off is not kept as if nothing were; what was sent is read as it was sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.questionnaire import Filling, populate, validate
from tests.questionnaire.make import (
    NOW,
    SDC,
    answered,
    codes,
    context,
    every,
    fhirpath,
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

A, B = option("a"), option("b")
CODED = {key: {"valueCoding": one["valueCoding"]} for key, one in {"a": A, "b": B}.items()}


def toggle(expression: str = "%resource.item.where(linkId = 'on').answer.value = true", **value: Any) -> dict[str, Any]:
    """The options it names (b) are offered where the expression says yes."""
    named = value or {"valueCoding": B["valueCoding"]}
    inner = [{"url": "option", **named}, {"url": "expression", "valueExpression": fhirpath(expression)}]
    return {"url": SDC + "answerOptionsToggleExpression", "extension": inner}


def asked(kind: str = "choice", *, begins: bool = True, options: Any = (), **fields: Any) -> Any:
    listed = options or [A, {**B, "initialSelected": True} if begins else B]
    return form(
        q("on", "boolean"),
        q("c", kind, answerOption=listed, ext=[toggle()], **fields),
        q("then", enableWhen=[when("c", "=", answerCoding=B["valueCoding"])]),
    )


@pytest.mark.parametrize("fields", [{}, {"readOnly": True}, {"repeats": True}])
def test_what_is_switched_off_is_not_chosen_for_anybody(fields: dict[str, Any]) -> None:
    made = asked(**fields)
    draft = Filling(made, populate(made, context()), context())
    assert ("c" in values(draft.response("completed")), "then" in every(draft), codes(draft.check())) == (
        False,
        False,
        [],
    )


def test_nor_in_a_part_that_is_added() -> None:
    part = group("g", q("c", "choice", answerOption=[A, {**B, "initialSelected": True}], ext=[toggle()]), repeats=True)
    held = filling(form(q("on", "boolean"), part))
    for on, chosen in ((False, []), (True, ["b"])):
        more = answered(held, on=on).add(every(held)["g"].name)
        assert [one["code"] for one in values(more.response("completed")).get("c", [])] == chosen


@pytest.mark.parametrize(
    ("kind", "options"),
    [("choice", ()), ("open-choice", ()), ("choice", [B]), ("open-choice", [B])],
    ids=["choice", "open choice", "the only option", "the only option of an open choice"],
)
def test_a_choice_that_another_answer_switches_off_is_said_and_never_sent(kind: str, options: Any) -> None:
    """It stays written down until the person chooses again: switched on again, it is there."""
    made = asked(kind, begins=False, options=options)
    chosen = answered(answered(filling(made), on=True), c=CODED["b"])
    assert (values(chosen.response("completed"))["c"], chosen.check()) == ([B["valueCoding"]], [])
    off = answered(chosen, on=False)
    (issue,) = off.check()
    assert (issue.link_id, issue.code, issue.params) == ("c", "option-off", {"label": "b"})
    assert "c" not in values(off.response("completed"))
    assert every(off)["c"].answers == [CODED["b"]]
    assert answered(off, on=True).response("completed") == chosen.response("completed")
    sent = {**chosen.response("completed"), "item": off.response("completed")["item"]}
    sent["item"].append({"linkId": "c", "text": "c", "answer": [CODED["b"]]})
    assert ("c", "option-off") in codes(validate(made, sent, context()))


def test_a_choice_that_leans_on_one_that_is_not_chosen_is_not_chosen_either() -> None:
    first = q("c", "choice", answerOption=[A, {**B, "initialSelected": True}], ext=[toggle()])
    chain = toggle("%resource.item.where(linkId = 'c').answer.exists()", valueString="x")
    made = form(
        q("second", answerOption=[{"valueString": "x", "initialSelected": True}], ext=[chain]),
        first,
        q("on", "boolean"),
    )
    assert values(populate(made, context())) == {}


SENT: dict[str, Any] = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "item": [
        {"linkId": "about", "text": "About Ada", "answer": [{"valueString": "x"}]},
        {"linkId": "sum", "text": "sum", "answer": [{"valueInteger": 36}]},
        {"linkId": "day", "text": "day", "answer": [{"valueDate": "2026-11-21"}]},
        {"linkId": "only", "text": "only", "answer": [{"valueString": "shown to her"}]},
        {"linkId": "off", "text": "off", "answer": [{"valueString": "as it was"}]},
    ],
}


def test_what_was_sent_is_read_as_it_was_sent() -> None:
    """At another time, without the record: nothing is calculated, hidden or worded anew."""
    said = {"extension": [hl7("cqf-expression", valueExpression=fhirpath("'About ' + %patient.name.given.first()"))]}
    made = form(
        {**q("about", text="About"), "_text": said},
        q("sum", "integer", ext=[sdc("calculatedExpression", "%patient.birthDate.toString().length()")]),
        q("day", "date", ext=[sdc("calculatedExpression", "today()")]),
        q("only", ext=[sdc("enableWhenExpression", "%patient.gender = 'female'")]),
        q("off", enableWhen=[when("only", "=", answerString="other")]),
        q("never", ext=[sdc("enableWhenExpression", "%patient.gender = 'male'")]),
    )
    later = context(now=NOW + timedelta(days=400))
    rows = [row for section in Filling.as_sent(made, SENT, later).summary(later.language) for row in section.rows]
    assert [(row.question, *row.answers) for row in rows] == [
        ("About Ada", "x"),
        ("sum", "36"),
        ("day", "21 November 2026"),
        ("only", "shown to her"),
        ("off", "as it was"),
    ]


ON = {"enableWhen": [when("on", "=", answerBoolean=True)]}


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize(
    "inside", [(q("x", **ON),), (group("i", q("x", **ON)),), (q("x", "display", **ON), q("y", **ON))]
)
def test_a_part_in_which_nothing_applies_is_not_drawn_until_something_does(inside: Any, repeats: bool) -> None:
    made = form(q("on", "boolean"), group("g", *inside, repeats=repeats), q("after"))
    draft = filling(made)
    assert [node.link_id for node in draft.nodes(draft.keys[0])] == ["on", "after"]
    draft = answered(draft, on=True)
    assert [node.link_id for node in draft.nodes(draft.keys[0])] == ["on", "g", "after"]
    draft = answered(draft, on=False)
    assert [node.link_id for node in draft.nodes(draft.keys[0])] == ["on", "after"]


def test_a_part_that_says_what_is_worked_out_unseen_or_does_not_apply_keeps_its_heading() -> None:
    made = form(
        q("on", "boolean"),
        group("words", q("x", ext=[hl7("questionnaire-hidden", valueBoolean=True)])),
        group("grey", q("y", **ON, disabledDisplay="protected")),
    )
    draft = filling(made)
    assert [node.link_id for node in draft.nodes(draft.keys[0])] == ["on", "words", "grey"]
