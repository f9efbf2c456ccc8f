"""Every public form either opens, can be filled, checked, saved and read back, or is refused with item and reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from portal.questionnaire import Filling, FormRefused, Node, load, operation_outcome, populate, report, validate
from tests.corpus.corpus import context, forms, needed, read, registry

pytestmark = needed

UNFINISHED = {"required", "group-required", "too-few"}
LIMITS = {
    "option", "option-unknown", "pattern", "pattern-format", "too-early", "too-late", "too-large", "too-small", "too-long",
    "too-short", "exclusive", "file-kind", "rule", "unit", "reference-kind", "decimals", "draft-form", "display",
}  # fmt: skip

VALUES: dict[str, dict[str, Any]] = {
    "boolean": {"valueBoolean": True},
    "string": {"valueString": "abc"},
    "text": {"valueString": "abc\ndef"},
    "integer": {"valueInteger": 5},
    "decimal": {"valueDecimal": Decimal("1.10")},
    "date": {"valueDate": "2019-03"},
    "dateTime": {"valueDateTime": "2019"},
    "time": {"valueTime": "14:00:00"},
    "url": {"valueUri": "https://example.org"},
    "quantity": {"valueQuantity": {"value": Decimal("5.0"), "unit": "kg", "code": "kg"}},
    "choice": {"valueCoding": {"system": "https://example.org", "code": "c", "display": "d"}},
    "open-choice": {"valueString": "something else"},
    "reference": {"valueReference": {"reference": "Patient/1"}},
    "attachment": {"valueAttachment": {"title": "a", "contentType": "image/png"}},
}


def flat(nodes: list[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from flat(node.children)


def answer(node: Node) -> list[dict[str, Any]]:
    return [dict(node.options[-1].value)] if node.options else [VALUES[node.type]]


def filled(filling: Filling, add: bool) -> Filling:
    """Every question that can be seen answered, every repetition there once more."""
    for page in filling.pages:
        nodes = list(flat(filling.nodes(page.key)))
        filling = filling.answer({node.name: answer(node) for node in nodes if node.item.is_question})
        for node in nodes if add else ():
            filling = filling.add(node.name)
    return filling


@pytest.mark.parametrize("path", forms())
def test_the_form_opens_or_is_refused_with_item_and_reason(path: str) -> None:
    try:
        raw = read(path)
    except ValueError:
        pytest.skip("not a readable file")
    try:
        form = load(raw, registry=registry())
    except FormRefused as refused:
        assert refused.issues
        assert all(issue.reason and issue.code for issue in refused.issues)
        assert report(raw)["status"] == "refused"
        return
    assert report(raw, file=path)["items"] == len(form.all_items)
    filling = Filling(form, populate(form, context()), context())
    filling = filled(filled(filling, add=True), add=False)
    for page in filling.pages:
        assert filling.nodes(page.key)
        filling.check(page.key)
    assert all(section.rows for section in filling.summary("es"))
    draft = json.loads(json.dumps(filling.draft(), default=str))
    assert Filling(form, filling.draft(), context()).draft() == filling.draft()
    assert Filling(form, draft, context()).pages == filling.pages
    issues = [issue for issue in validate(form, filling.response("in-progress"), context()) if issue.blocks]
    assert {issue.code for issue in issues} <= LIMITS, operation_outcome(issues)
