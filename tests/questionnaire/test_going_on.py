"""A filling that is changed in place knows at each moment what one made anew from the same answers knows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.fhir import exact
from portal.questionnaire import Context, Filling, FormRefused, Node, load, notes, populate
from portal.questionnaire.items import Item
from tests.bench import corpus
from tests.bench.forms import ANSWERS, large
from tests.questionnaire.make import HL7, NOW, context, fhirpath, hl7, q, raw_form, sdc, variable, when
from tests.questionnaire.test_properties import calm, flat, forms

Json = dict[str, Any]


def rule(text: str) -> Json:
    parts = [
        {"url": "key", "valueId": "k"},
        {"url": "severity", "valueCode": "error"},
        {"url": "expression", "valueExpression": fhirpath(text)},
        {"url": "human", "valueString": "Not like that"},
    ]
    return {"url": HL7 + "targetConstraint", "extension": parts}


HARD = {
    "condition by expression, twice removed": [
        q("a", "boolean"),
        q("b", "integer", ext=[sdc("enableWhenExpression", "%resource.item.where(linkId='a').answer.value = true")]),
        q("c", "string", enableWhen=[when("b", ">", answerInteger=3)], required=True),
        q("d", "group", q("e", "string", required=True), enableWhen=[when("c", "exists", answerBoolean=True)]),
    ],
    "calculated from what may not apply": [
        q("a", "boolean"),
        q("b", "integer", enableWhen=[when("a", answerBoolean=True)]),
        q("c", "integer", ext=[sdc("calculatedExpression", "%resource.item.where(linkId='b').answer.value + 1")]),
        q("d", "string", required=True, enableWhen=[when("c", ">", answerInteger=4)]),
    ],
    "a rule over everything": [
        q("g", "group", q("a", "integer"), q("b", "integer"), ext=[
            rule("%resource.descendants().where(value is integer).count() < 3")]),
        q("c", "integer"),
    ],
    "a rule of another part": [
        q("g", "group", q("a", "integer"), ext=[rule("%resource.repeat(item).where(linkId='b').answer.value > 3")]),
        q("h", "group", q("b", "integer")),
    ],
    "bounds by another answer": [
        q("a", "integer"),
        q("g", "group", q("b", "integer", ext=[{**hl7("maxValue", valueInteger=9), "_valueInteger": {"extension": [
            hl7("cqf-expression", valueExpression=fhirpath("%resource.item.where(linkId='a').answer.value"))]}}])),
    ],
    "the day and the record": [
        q("a", "date"),
        q("b", "string", required=True, ext=[sdc("enableWhenExpression",
          "%resource.item.where(linkId='a').answer.value < today() and %patient.exists()")]),
    ],
    "repetitions with parts of their own": [
        q("g", "group",
          q("a", "boolean"),
          q("b", "string", required=True, enableWhen=[when("a", answerBoolean=True)]),
          repeats=True),
        q("n", "integer", ext=[sdc("calculatedExpression", "%resource.item.where(linkId='g').count()")]),
    ],
}  # fmt: skip


COUNTED = {
    "all but one": "%resource.item.where(linkId != 'c').answer.value.ofType(boolean).count()",
    "not one": "%resource.item.where((linkId = 'c').not()).answer.value.ofType(boolean).count()",
    "all without one": "%resource.item.answer.value.ofType(boolean).count() - %resource.item.where(linkId='c').answer.count()",
    "one taken out": "%resource.item.exclude(%resource.item.where(linkId = 'c')).answer.value.ofType(boolean).count()",
    "by place": "%resource.item[0].answer.count() + %resource.item.where(linkId = 'c').answer.count()",
    "by order": "%resource.item.last().answer.count() + %resource.item.where(linkId = 'c').answer.count()",
    "a name": "%some",
    "a name for all but one": "%others.answer.value.ofType(boolean).count()",
}
NAMED = [
    variable("some", "item.where(linkId != 'c').answer.value.ofType(boolean).count()"),
    variable("others", "%resource.item.where(linkId != 'c')"),
]
"""Numbers that lean on questions which the expression does not name."""


@pytest.mark.parametrize("text", COUNTED.values(), ids=COUNTED)
def test_what_is_worked_out_of_questions_that_are_not_named_follows_them(text: str) -> None:
    total = q("t", "integer", ext=[sdc("calculatedExpression", text)])
    asked = [q(name, "boolean") for name in "abc"]
    for seed in range(2):
        gone_on(raw_form(total, *asked, extension=NAMED), seed)


def seen(filling: Filling) -> Json:
    """Everything a page, a check, a draft or a submission would take from it."""
    return {
        "pages": filling.pages,
        "keys": filling.keys,
        "nodes": [told(node) for key in filling.keys for node in filling.nodes(key)],
        "issues": [(issue.name, issue.code, issue.severity, str(issue.params)) for issue in filling.check(None)],
        "by page": {key: [(each.name, each.code) for each in filling.check(key)] for key in filling.keys},
        "draft": filling.draft(),
        "response": filling.response("completed"),
        "rows": filling.summary(),
    }


def told(node: Node) -> Json:
    named = {name: getattr(node, name) for name in Node.__slots__ if name not in ("item", "entry", "children")}
    return {**named, "children": [told(child) for child in node.children]}


def equal(held: Filling, at: Context) -> None:
    """The text first: it is what is stored, and what the other is made from."""
    text = held.draft_text()
    assert exact.loads(text) == exact.loads(exact.dumps(held.draft()))
    anew = seen(Filling(held.form, exact.loads(text), at))
    mine = seen(held)
    for name, found in anew.items():
        assert mine[name] == found, name
    stored = exact.loads(text)
    stored["extension"] = [one for one in stored["extension"] if one["url"] != notes.SETTLED]
    assert Filling(held.form, stored, at).draft() == held.draft(), "worked out anew"


def answer(node: Node, chance: random.Random) -> list[Json]:
    if chance.randrange(4) == 0:
        return []
    if node.options:
        return [dict(chance.choice(node.options).value)]
    if node.type == "boolean":
        return [{"valueBoolean": chance.random() < 0.5}]
    if node.type == "integer":
        return [{"valueInteger": chance.randrange(-1, 9)}]
    return [dict(ANSWERS.get(node.type, ANSWERS["string"]))]


def changes(held: Filling, chance: random.Random) -> Iterator[str]:
    """One round after the other, each told in words."""
    for _ in range(10):
        nodes = [node for node in flat(held) if node.name]
        asked = [node for node in nodes if node.item.is_question]
        if nodes and chance.randrange(3) == 0:
            node = chance.choice([node for node in nodes if node.repeats] or nodes)
            done = held.put_more(node.name) if chance.random() < 0.6 else held.put_fewer(node.name)
            yield f"{node.name} once more or once less: {done}"
        elif asked:
            chosen = chance.sample(asked, min(len(asked), chance.randrange(1, 3)))
            held.put({node.name: answer(node, chance) for node in chosen})
            yield f"{[node.name for node in chosen]} answered"


def gone_on(raw: Json, seed: int) -> None:
    form = load(raw)
    chance, at = random.Random(seed), context()
    held = Filling(form, populate(form, at), at)
    seen(held)  # everything is remembered before the first change
    for number, _ in enumerate(changes(held, chance)):
        equal(held, at)
        if number == 2:
            at = context(now=NOW + timedelta(days=9_999), launch={"patient": {"resourceType": "Patient"}})
            held.go_on(at)
            equal(held, at)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", HARD)
def test_what_leans_on_another_answer_follows_it(name: str, seed: int) -> None:
    gone_on(raw_form(*HARD[name]), seed)


@pytest.mark.parametrize("seed", range(3))
def test_a_form_with_all_its_logic(seed: int) -> None:
    gone_on(large(3, 2), seed)


@calm
@given(forms(), st.integers(0, 99))
def test_any_form(raw: Json, seed: int) -> None:
    gone_on(raw, seed)


@pytest.mark.slow
@pytest.mark.skipif(not corpus.CORPUS, reason="PORTAL_CORPUS names no corpus")
def test_public_forms() -> None:
    """One in twenty; those of more than 60 questions are walked by the other tests' form."""
    tried = 0
    for number, (path, raw) in enumerate(corpus.questionnaires()):
        if number % 20 or len(exact.dumps(raw)) > 60_000:
            continue
        try:
            load(raw)
        except FormRefused:
            continue
        tried += 1
        try:
            gone_on(raw, number)
        except AssertionError as wrong:
            raise AssertionError(f"{Path(path).name}: {wrong}") from wrong
    assert tried > 10


def test_a_change_is_looked_at_only_where_it_reaches() -> None:
    """A section of a large form has nothing to do with an answer in another, unless an expression says so."""
    small, wide = load(large(5, 2)), load(large(20, 2))
    reached = [len(form.reach.of([form.by_link["b3.3"]])) for form in (small, wide)]
    assert reached[0] == reached[1] < 10
    every: list[Item] = wide.all_items
    assert not wide.reach.outside
    assert sum(len(wide.reach.of([item])) for item in every) < 20 * len(every)
