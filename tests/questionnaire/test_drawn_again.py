"""A page that stays drawn between two answers, or two requests, is what would be drawn anew."""

from __future__ import annotations

import random
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from portal.questionnaire import Context, Filling, Node, load
from tests.bench.forms import Json, filled, large
from tests.questionnaire.make import NOW, context

TODAY: Json = {
    "resourceType": "Questionnaire",
    "status": "active",
    "item": [
        {"linkId": part, "type": "group", "text": part, "item": inner}
        for part, inner in {
            "one": [
                {"linkId": "yes", "type": "boolean", "text": "Yes?"},
                {
                    "linkId": "day",
                    "type": "date",
                    "text": "When?",
                    "extension": [
                        {
                            "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression",
                            "valueExpression": {
                                "language": "text/fhirpath",
                                "expression": "now() > @2026-11-23T00:00:00Z",
                            },
                        }
                    ],
                },
                {"linkId": "again", "type": "string", "text": "Again?", "repeats": True},
            ],
            "two": [
                {
                    "linkId": "why",
                    "type": "string",
                    "text": "Why?",
                    "enableWhen": [{"question": "yes", "operator": "=", "answerBoolean": True}],
                },
                {
                    "linkId": "many",
                    "type": "group",
                    "text": "Many",
                    "repeats": True,
                    "item": [{"linkId": "each", "type": "string", "text": "Each?"}],
                },
            ],
        }.items()
    ],
}


def told(node: Node) -> dict[str, Any]:
    """All of a node but the place it was drawn from."""
    said = {each.name: getattr(node, each.name) for each in fields(node) if each.name not in {"entry", "children"}}
    return {**said, "children": [told(child) for child in node.children]}


def agree(filling: Filling, at: Context) -> None:
    """Each page of this filling and what is told of it, twice, beside one that was never drawn."""
    fresh = Filling(filling.form, filling.draft(), at)
    assert [filling.summary() for _ in range(2)] == [fresh.summary()] * 2
    for key in filling.keys:
        anew = [told(node) for node in fresh.nodes(key)]
        assert [[told(node) for node in filling.nodes(key)] for _ in range(2)] == [anew] * 2


@pytest.mark.parametrize("raw", [large(3, 2), TODAY], ids=["large", "conditions across pages and time"])
def test_a_page_that_stays_drawn_is_what_would_be_drawn_anew(raw: Json) -> None:
    dice, form = random.Random(7), load(raw)
    filling = Filling(form, filled(raw) if raw is not TODAY else None, context())
    for turn in range(24):
        at = context(now=NOW + timedelta(hours=4 * turn))
        filling.go_on(at)
        agree(filling, at)
        nodes = [node for key in dice.sample(filling.keys, 1) for node in _all(filling.nodes(key))]
        asked = [node for node in nodes if node.type in {"boolean", "string", "choice"} and not node.read_only]
        for node in dice.sample(asked, min(2, len(asked))):
            filling.put({node.name: _answer(node, dice)})
        for node in [node for node in nodes if node.can_add][:1]:
            _ = filling.put_more(node.name) if turn % 3 else filling.put_fewer(node.name)
        agree(filling, at)


def _all(nodes: list[Node]) -> list[Node]:
    return [found for node in nodes for found in (node, *_all(node.children))]


def _answer(node: Node, dice: random.Random) -> list[Json]:
    if node.type == "boolean":
        return dice.choice([[], [{"valueBoolean": True}], [{"valueBoolean": False}]])
    if node.type == "choice" and node.options:
        return [dict(dice.choice(node.options).value)]
    return dice.choice([[], [{"valueString": f"word {dice.random()}"}]])
