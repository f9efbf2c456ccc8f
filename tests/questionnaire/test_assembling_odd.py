"""Modular forms ($assemble) with what no form should hold: it is left for the check to tell, and nothing raises."""

from __future__ import annotations

import pytest

from portal.questionnaire import report
from tests.questionnaire.make import HL7, SDC, fhirpath, q, raw_form
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
