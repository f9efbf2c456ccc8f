"""Modular forms ($assemble) with what no form should hold: it is left for the check to tell, and nothing raises."""

from __future__ import annotations

import pytest

from tests.questionnaire.make import q, raw_form
from tests.questionnaire.test_assembling import include, links, module, put_together


@pytest.mark.parametrize("url", [None, "", 3, []])
def test_an_extension_without_an_address_is_left_where_it_is(url: object) -> None:
    """Of the form, of the module and of the item that takes it in: the check says what is wrong with it, nothing raises."""
    odd = {"url": url, "valueString": "x"}
    part = {**module("part", q("a")), "extension": [odd]}
    made = put_together(raw_form(include("part", odd), extension=[odd]), part)
    assert odd in made["extension"]
    assert links(made) == ["a"]
