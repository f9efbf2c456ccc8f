"""Looking items up by linkId gives what walking the whole response gives, on every public form that has expressions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from portal.questionnaire import Filling, Form, FormRefused, load, populate
from portal.questionnaire.formulas import Formula
from tests.corpus.corpus import context, forms, needed, read, registry, table
from tests.corpus.test_every_form import filled

pytestmark = needed
WITH_EXPRESSIONS = [
    row["path"]
    for row in table("QUESTIONNAIRES.tsv")
    if "xpression" in row["extensions"] or "variable" in row["extensions"]
]


def formulas(form: Form) -> Iterator[Formula]:
    for item in (form.root, *form.all_items):
        single = (item.enable_formula, item.calculation, item.initial_formula, item.population, item.answer_formula)
        yield from (formula for formula in single if formula is not None)
        yield from (variable.formula for variable in item.variables)
        yield from (rule.formula for rule in item.rules)
        yield from (formula for _, formula in item.toggles)
        yield from (*item.text_formulas.values(), *item.bounds.values())


def seen(form: Form) -> Any:
    """What a person sees and what is kept, after two rounds of answering."""
    filling = Filling(form, populate(form, context()), context())
    filling = filled(filled(filling, add=True), add=False)
    shown = [
        (page.key, node.name, str(node.text), node.answers)
        for page in filling.pages
        for node in filling.nodes(page.key)
    ]
    return shown, filling.draft(), filling.response("completed"), [issue.code for issue in filling.check()]


def test_there_are_such_forms() -> None:
    assert set(WITH_EXPRESSIONS) <= set(forms())
    assert len(WITH_EXPRESSIONS) > 100


@pytest.mark.parametrize("path", WITH_EXPRESSIONS)
def test_a_look_up_and_a_walk_agree(path: str) -> None:
    try:
        quick, slow = load(read(path), registry=registry()), load(read(path), registry=registry())
    except FormRefused:
        pytest.skip("refused")
    for formula in formulas(slow):
        formula.use.document, formula.use.focus = True, "whole"
    if any(found.code == "circle" for found in quick.features.defects):
        pytest.skip("questions of it apply by one another's answers: answered together, either may win")
    assert seen(quick) == seen(slow)
