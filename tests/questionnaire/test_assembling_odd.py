"""Modular forms ($assemble) with what no form should hold: it is left for the check to tell, and nothing raises."""

from __future__ import annotations

import pytest

from portal.questionnaire import report
from tests.questionnaire.make import HL7, SDC, fhirpath, q, raw_form, variable
from tests.questionnaire.test_assembling import include, links, module, put_together


@pytest.mark.parametrize("url", [None, "", 3, []])
def test_an_extension_without_an_address_is_left_where_it_is(url: object) -> None:
    """Of the form, of the module and of the item that takes it in: the check says what is wrong with it, nothing raises."""
    odd = {"url": url, "valueString": "x"}
    part = {**module("part", q("a")), "extension": [odd]}
    made = put_together(raw_form(include("part", odd), extension=[odd]), part)
    assert odd in made["extension"]
    assert links(made) == ["a"]


@pytest.mark.parametrize("odd", [None, "", 3, []])
def test_what_is_no_extension_among_extensions_stops_neither_check_nor_assembly(odd: object) -> None:
    """At every place where extensions stand inside of an extension, or of a module."""
    parts = [
        odd,
        {"url": "option", "valueString": "a"},
        {"url": "expression", "valueExpression": fhirpath("true")},
        odd,
    ]
    toggles = {"url": SDC + "answerOptionsToggleExpression", "extension": parts}
    rule = {
        "url": HL7 + "targetConstraint",
        "extension": [odd, {"url": "expression", "valueExpression": fhirpath("true")}, odd],
    }
    item = q("a", "choice", ext=[toggles, rule], answerOption=[{"valueString": "a"}])
    assert report(raw_form(item))["status"] in ("ok", "refused")
    named = {"url": HL7 + "variable", "valueExpression": {**fhirpath("1"), "name": "v"}}
    made = put_together(
        raw_form(item, include("part"), extension=[odd]), {**module("part", q("b")), "extension": [odd, named, odd]}
    )
    assert links(made) == ["a", "b"] and named in made["extension"]


@pytest.mark.parametrize("odd", [None, "", 3, [], {}])
def test_what_is_no_resource_among_the_contained_stops_no_assembly(odd: object) -> None:
    """Of the form and of a module whose ids get a prefix, among resources and in the place of all of them."""
    kept = {
        "resourceType": "ValueSet",
        "id": "v",
        "compose": {"include": [{"system": "x", "concept": [{"code": "a"}]}]},
    }
    prefix = variable("linkIdPrefix", "'p.'")
    for contained in ([odd, kept, odd], odd):
        asked = q("a", "choice", answerValueSet="#v") if contained is not odd else q("a")
        part = {**module("part", asked), "contained": contained}
        made = put_together(raw_form(include("part", prefix), contained=contained), part)
        assert links(made) == ["p.a"]


def test_a_prefix_makes_no_linkid_where_there_is_none() -> None:
    """A text to read gets one of its own when the form is read; a question without one is refused there."""
    prefix = variable("linkIdPrefix", "'p.'")
    texts = [{"type": "display", "text": word} for word in ("one", "two")]
    made = put_together(raw_form(include("part", prefix)), module("part", q("a"), *texts))
    assert [item.get("linkId") for item in made["item"]] == ["p.a", None, None]
    assert [one["code"] for one in report(made)["defects"]] == ["no-link-id", "no-link-id"]
    lacking = put_together(raw_form(include("part", prefix)), module("part", {"type": "string", "text": "x"}))
    assert [one["code"] for one in report(lacking)["reasons"]] == ["no-link-id"]
