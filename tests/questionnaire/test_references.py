"""What parts of a form name in others: variables in circles, the place a rule is about, what was set aside and comes back."""

from __future__ import annotations

from typing import Any

import pytest

from portal.questionnaire import Filling, FormRefused
from tests.questionnaire.make import (
    SDC,
    answered,
    codes,
    context,
    fhirpath,
    filling,
    form,
    group,
    q,
    sdc,
    values,
    variable,
)


@pytest.mark.parametrize(
    ("names", "circle"),
    [
        ({"a": "%b", "b": "%a"}, True),
        ({"a": "%b", "b": "%c", "c": "1 + %a"}, True),
        ({"a": "%b", "b": "%`a`"}, True),
        ({"a": "%b", "b": "1"}, False),
        ({"a": "%a + 1"}, False),  # that of the part around it
        ({"a": "%b + %c", "b": "%c", "c": "1"}, False),
    ],
)
def test_variables_that_are_worked_out_of_each_other_are_refused(names: dict[str, str], circle: bool) -> None:
    part = group("g", q("x"), ext=[variable(name, text) for name, text in names.items()])
    if not circle:
        assert form(part)
        return
    with pytest.raises(FormRefused) as refused:
        form(part)
    assert [(one.link_id, one.code) for one in refused.value.issues] == [("g", "cycle")]


def test_a_variable_of_one_name_in_two_places_is_two() -> None:
    inner = group("g", q("x", "integer", ext=[sdc("calculatedExpression", "%b")]), ext=[variable("b", "%a + 1")])
    made = form(inner, extension=[variable("a", "%b + 1"), variable("b", "1")])
    assert values(filling(made).response("completed")) == {"x": [3]}


LOCATIONS = {
    "": "",
    "b": "b",
    "%resource.item.where(linkId='b')": "b",
    "item.where(linkId = 'g').item.where(linkId = 'c').answer": "c",
    "zz": "",
    "item.where(linkId='zz')": "",
}


@pytest.mark.parametrize(("location", "place"), LOCATIONS.items())
def test_a_broken_rule_is_said_where_it_points_to(location: str, place: str) -> None:
    parts: list[dict[str, Any]] = [{"url": "key", "valueId": "k"}, {"url": "human", "valueString": "no"}]
    parts += [{"url": "location", "valueString": location}] if location else []
    parts += [{"url": "expression", "valueExpression": fhirpath("false")}]
    made = form(q("b"), group("g", q("c")), extension=[{"url": f"{SDC}targetConstraint", "extension": parts}])
    assert codes(answered(filling(made), b="x", c="x").check()) == [(place, "rule")]


def test_what_has_no_place_stays_aside_until_the_form_changes_and_never_joins_an_answer() -> None:
    inside = {"linkId": "b", "answer": [{"valueString": "inside"}]}
    response = {
        "resourceType": "QuestionnaireResponse",
        "item": [{"linkId": "g", "item": [inside]}, {"linkId": "b", "answer": [{"valueString": "own"}]}],
    }
    before = form(group("g", q("a")), q("b"))
    draft = Filling(before, response, context()).draft()
    assert values(draft)["b"] == ["own"]
    again = Filling(before, draft, context())
    assert again.draft() == draft
    assert again.stray_items == [inside]
    changed = form(group("g", q("a")), q("b", maxLength=99))
    assert Filling(changed, draft, context()).stray_items == [inside]
    without = {**draft, "item": []}
    assert values(Filling(changed, without, context()).draft())["b"] == ["inside"]
