"""Forms and answers made by chance: whatever comes, the engine refuses or keeps its promises."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from portal.questionnaire import Filling, Form, FormRefused, Node, extract, load, populate, score, validate
from tests.questionnaire.make import context, control, hl7, option, q, raw_form, sdc, when

calm = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
TYPES = [
    "string",
    "text",
    "integer",
    "decimal",
    "boolean",
    "date",
    "dateTime",
    "time",
    "url",
    "choice",
    "open-choice",
    "quantity",
]
JUNK = [
    None,
    3,
    "x",
    [],
    {},
    [3],
    [None],
    {"a": 1},
    True,
    Decimal("1E+400"),
    [[]],
    {"extension": 3},
    "\ud800",
    -1,
    [{}],
]


@st.composite
def items(draw: st.DrawFn, depth: int = 0) -> dict[str, Any]:
    kind = draw(st.sampled_from([*TYPES, "display", *(["group"] * 4 if depth < 3 else [])]))
    inner = (
        draw(st.lists(items(depth + 1), min_size=1, max_size=4))
        if kind == "group" or (depth < 2 and kind == "choice" and draw(st.booleans()))
        else []
    )
    fields: dict[str, Any] = {"ext": []}
    if kind in ("choice", "open-choice"):
        fields["answerOption"] = [option(code) for code in "abc"]
        if draw(st.booleans()):
            fields["ext"].append(control(draw(st.sampled_from(["check-box", "radio-button", "drop-down"]))))
    if kind != "display":
        fields |= {
            "required": draw(st.booleans()),
            "repeats": draw(st.booleans()),
            "readOnly": draw(st.integers(0, 9)) == 0,
        }
    if kind == "integer" and draw(st.booleans()):
        fields["ext"].append(sdc("calculatedExpression", "%resource.descendants().where($this is Coding).count()"))
    if draw(st.integers(0, 9)) == 0:
        fields["ext"].append(hl7("questionnaire-hidden", valueBoolean=True))
    return q("", kind, *inner, **fields)


def numbered(listed: list[dict[str, Any]], draw: st.DrawFn) -> list[dict[str, Any]]:
    """linkIds in order, and conditions that look back at questions before."""
    before: list[str] = []
    stack = list(reversed(listed))
    count = 0
    while stack:
        item = stack.pop()
        count += 1
        item["linkId"] = f"i{count}"
        if before and draw(st.integers(0, 2)) == 0:
            item["enableWhen"] = [when(draw(st.sampled_from(before)), "exists", answerBoolean=draw(st.booleans()))]
        if item["type"] not in ("group", "display") and not item.get("item"):
            before.append(item["linkId"])
        stack.extend(reversed(item.get("item", [])))
    return listed


@st.composite
def forms(draw: st.DrawFn) -> dict[str, Any]:
    return raw_form(*numbered(draw(st.lists(items(), min_size=1, max_size=6)), draw))


VALUES = {
    "string": "s", "text": "t", "integer": 4, "decimal": Decimal("1.10"), "boolean": True, "date": "2019-03",
    "dateTime": "2019", "time": "10:00:00", "url": "https://example.org",
}  # fmt: skip
KEYS = {
    "boolean": "Boolean",
    "integer": "Integer",
    "decimal": "Decimal",
    "date": "Date",
    "dateTime": "DateTime",
    "time": "Time",
    "url": "Uri",
}


def flat(filling: Filling) -> Iterator[Node]:
    stack = [node for page in filling.pages for node in filling.nodes(page.key)]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(node.children)


def answers(node: Node, draw: st.DrawFn) -> list[dict[str, Any]]:
    if node.options:
        return [dict(draw(st.sampled_from(node.options)).value)]
    if node.type == "quantity":
        return [{"valueQuantity": {"value": Decimal("2.50"), "code": "kg"}}]
    return [{f"value{KEYS.get(node.type, 'String')}": VALUES[node.type]}]


def filled(form: Form, data: st.DataObject) -> Filling:
    """A few rounds of answering some of what is shown, adding and removing."""
    filling = Filling(form, populate(form, context()), context())
    for _ in range(3):
        nodes = list(flat(filling))
        chosen = [node for node in nodes if node.item.is_question and data.draw(st.booleans())]
        filling = filling.answer({node.name: answers(node, data.draw) for node in chosen})
        for node in nodes:
            if node.repeats and data.draw(st.integers(0, 4)) == 0:
                filling = filling.add(node.name) if data.draw(st.booleans()) else filling.remove(node.name)
    return filling


@calm
@given(forms(), st.data())
def test_a_filled_form_reads_back_as_it_was_and_its_response_is_valid(raw: dict[str, Any], data: st.DataObject) -> None:
    form = load(raw)
    filling = filled(form, data)
    assert Filling(form, filling.draft(), context()).draft() == filling.draft()
    text = json.dumps(filling.draft(), default=str)
    assert Filling(form, json.loads(text, parse_float=Decimal), context()).pages == filling.pages
    issues = validate(form, filling.response("in-progress"), context())
    assert [issue for issue in issues if issue.blocks] == [i for i in issues if i.code in ("too-many",)]
    names = [node.name for node in flat(filling)]
    assert len(names) == len(set(names))


@calm
@given(forms(), st.data())
def test_pages_hold_every_question_that_is_shown_once(raw: dict[str, Any], data: st.DataObject) -> None:
    form = load(raw)
    placed = [item.link_id for layout in form.layout for root in layout.roots for item in (root, *root.descendants())]
    held = {item.link_id for layout in form.layout for item in layout.trail}
    assert len(placed) == len(set(placed))
    assert set(placed) | held >= {item.link_id for item in form.all_items}
    keys = [page.key for page in filled(form, data).pages]
    assert len(keys) == len(set(keys))


@calm
@given(forms(), st.data())
def test_nothing_answered_is_ever_lost_by_answering_something_else(raw: dict[str, Any], data: st.DataObject) -> None:
    form = load(raw)
    filling = filled(form, data)
    before = {node.name: node.answers for node in flat(filling) if node.answers and not node.calculated}
    for node in list(flat(filling)):
        if node.type == "boolean" and not node.read_only:
            filling = filling.answer({node.name: [{"valueBoolean": False}]})
            before[node.name] = [{"valueBoolean": False}] if node.name in before else before.get(node.name, [])
    for name, kept in before.items():
        entry = filling._entry(name)
        assert entry is not None
        if entry.item.type != "boolean":
            assert [_value(a) for a in entry.answers] == [_value(a) for a in kept]


def _value(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key.startswith("value")}


def places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    stack = [value]
    while stack:
        current = stack.pop()
        keys = current if isinstance(current, dict) else range(len(current)) if isinstance(current, list) else ()
        for key in keys:
            found.append((current, key))
            stack.append(current[key])
    return found


@settings(calm, max_examples=150)
@given(forms(), st.data())
def test_a_spoiled_form_is_refused_or_works(raw: dict[str, Any], data: st.DataObject) -> None:
    spoiled = copy.deepcopy(raw)
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(places(spoiled)))
        holder[key] = copy.deepcopy(data.draw(st.sampled_from(JUNK)))
    try:
        form = load(spoiled)
    except FormRefused as refused:
        assert all(issue.reason for issue in refused.issues)
        return
    filling = Filling(form, populate(form, context()), context())
    for page in filling.pages:
        filling.nodes(page.key)
    filling.check()
    response = filling.response("completed")
    assert isinstance(validate(form, response, context()), list)
    assert extract(form, response, context()).bundle["resourceType"] == "Bundle"
    score(form, response, context())


@settings(calm, max_examples=150)
@given(forms(), st.data())
def test_a_spoiled_response_never_breaks_a_form(raw: dict[str, Any], data: st.DataObject) -> None:
    form = load(raw)
    response = filled(form, data).response("completed")
    for _ in range(data.draw(st.integers(1, 4))):
        holder, key = data.draw(st.sampled_from(places(response)))
        holder[key] = copy.deepcopy(data.draw(st.sampled_from(JUNK)))
    assert isinstance(validate(form, response, context()), list)
    filling = Filling(form, response, context())
    assert filling.draft()["resourceType"] == "QuestionnaireResponse"
    assert Filling(form, filling.draft(), context()).draft() == filling.draft()


@calm
@given(
    forms(),
    st.dictionaries(
        st.text(max_size=8),
        st.lists(
            st.sampled_from(
                [{"valueString": "x"}, {"valueCoding": []}, {"valueCoding": {"code": []}}, 3, {}, {"valueInteger": "x"}]
            ),
            max_size=3,
        ),
        max_size=6,
    ),
)
def test_no_post_breaks_a_form(raw: dict[str, Any], posted: dict[str, Any]) -> None:
    form = load(raw)
    tried: dict[str, Any] = {
        f"q{number}{tail}": value for number, (_, value) in enumerate(posted.items()) for tail in ("", "-0")
    }
    filling = Filling(form, None, context()).answer({**posted, **tried})
    assert isinstance(filling.check(), list)
    assert filling.response("completed")["status"] == "completed"
