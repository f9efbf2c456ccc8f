"""What a question offers and what it takes: lists that are empty, known in part, worked out, or only suggested."""

from __future__ import annotations

from typing import Any

import pytest

from portal.questionnaire import parse, validate
from tests.questionnaire.make import answered, context, every, filling, form, q, sdc, values

HEAD = {"resourceType": "QuestionnaireResponse", "status": "completed"}
ANIMALS = "https://example.org/animals"


def said(made: Any, **answers: list[dict[str, Any]]) -> list[tuple[str, str]]:
    items = [{"linkId": link_id, "answer": listed} for link_id, listed in answers.items()]
    return [(issue.code, issue.severity) for issue in validate(made, {**HEAD, "item": items}, context())]


def of_set(value_set: dict[str, Any], *others: dict[str, Any], kind: str = "choice") -> Any:
    held = {"resourceType": "ValueSet", "id": "v", "status": "active", **value_set}
    return form(q("x", kind, answerValueSet="#v"), contained=[held, *others])


def animals(content: str) -> dict[str, Any]:
    return {
        "resourceType": "CodeSystem",
        "id": "c",
        "url": ANIMALS,
        "status": "active",
        "content": content,
        "concept": [{"code": "cat"}],
    }


def coded(code: str, system: str = ANIMALS) -> list[dict[str, Any]]:
    return [{"valueCoding": {"system": system, "code": code}}]


WHOLE = {"compose": {"include": [{"system": ANIMALS}]}}
INNER = {"resourceType": "ValueSet", "id": "w", **WHOLE}
CAT = {"system": ANIMALS, "code": "cat"}
OUT, UNKNOWN = [("option", "error")], [("option-unknown", "information")]
INCOMPLETE: list[tuple[Any, list[tuple[str, str]]]] = [
    (of_set(WHOLE, animals("complete")), OUT),
    (of_set(WHOLE, animals("fragment")), UNKNOWN),
    (of_set(WHOLE, animals("example")), UNKNOWN),
    (of_set(WHOLE, animals("supplement")), UNKNOWN),
    (of_set({"compose": {"include": [{"valueSet": ["#w"]}]}}, INNER, animals("fragment")), UNKNOWN),
    (of_set({"compose": {"include": [{"system": ANIMALS, "concept": [{"code": "cat"}]}]}}, animals("fragment")), OUT),
    (of_set({"expansion": {"total": 2, "contains": [{"system": ANIMALS, "code": "cat"}]}}), UNKNOWN),
    (of_set({"expansion": {"total": 2, "contains": [{"code": "any", "abstract": True, "contains": [CAT]}]}}), OUT),
    (of_set({"expansion": {"contains": []}}), OUT),
    (of_set({"expansion": {"total": 0}}), OUT),
]  # fmt: skip


@pytest.mark.parametrize(("made", "wrong"), INCOMPLETE)
def test_a_code_is_refused_only_by_a_list_that_is_known_whole(made: Any, wrong: list[tuple[str, str]]) -> None:
    assert said(made, x=coded("dog")) == wrong


def test_a_list_known_in_part_is_offered_and_takes_its_own_codes() -> None:
    made = of_set(WHOLE, animals("fragment"))
    assert [str(one.label) for one in every(filling(made))["x"].options] == ["cat"]
    assert said(made, x=coded("cat")) == []
    assert said(of_set(WHOLE, animals("fragment"), kind="open-choice"), x=[{"valueString": "Own words"}]) == []


def from_above(name: str, kind: str, *, source: str = "string") -> Any:
    return form(
        q("a", source, repeats=True), q("x", kind, ext=[sdc(name, "%resource.item.where(linkId='a').answer.value")])
    )


PLAIN = [
    ("string", "String", "one", "two"),
    ("integer", "Integer", 1, 2),
    ("date", "Date", "2026-01-02", "2026-01-03"),
    ("time", "Time", "10:00:00", "11:00:00"),
]


@pytest.mark.parametrize("kind", ["choice", "open-choice"])
@pytest.mark.parametrize(("source", "key", "first", "second"), PLAIN)
def test_a_choice_is_offered_the_plain_values_that_an_expression_gives(
    kind: str, source: str, key: str, first: Any, second: Any
) -> None:
    made = from_above("answerExpression", kind, source=source)
    started = answered(filling(made), a=[{f"value{key}": first}, {f"value{key}": second}])
    offered = every(started)["x"].options
    assert [one.value for one in offered] == [{f"value{key}": first}, {f"value{key}": second}]
    chosen = answered(started, x=[offered[1].value])
    assert values(chosen.response("completed"))["x"] == [second]
    assert said(made, a=[{f"value{key}": first}], x=[{f"value{key}": first}]) == []
    other = said(made, a=[{f"value{key}": first}], x=[{f"value{key}": second}])
    assert other == ([] if (kind, source) == ("open-choice", "string") else OUT)


def test_a_text_that_an_expression_offers_may_be_written_as_a_coding_that_is_only_called_so() -> None:
    made = from_above("answerExpression", "choice")
    listed = [{"valueString": "one"}]
    assert said(made, a=listed, x=[{"valueCoding": {"display": "one"}}]) == []
    assert said(made, a=listed, x=[{"valueCoding": {"display": "two"}}]) == OUT


@pytest.mark.parametrize(("source", "key", "first", "second"), PLAIN)
def test_a_suggestion_leaves_every_other_answer_open(source: str, key: str, first: Any, second: Any) -> None:
    made = from_above("candidateExpression", source, source=source)
    assert said(made, a=[{f"value{key}": first}], x=[{f"value{key}": second}]) == []
    started = answered(filling(made), a=[{f"value{key}": first}])
    node = every(started)["x"]
    assert node.open
    assert [one.value for one in node.options] == [{f"value{key}": first}]
    own, _ = parse.answer(node, str(second), "en-GB")
    assert own == [{f"value{key}": second}]
    assert answered(started, x=own).check() == []


def test_a_form_that_lists_its_own_options_needs_no_value_set() -> None:
    own = [{"valueCoding": {"system": ANIMALS, "code": "cat"}}]
    made = form(q("x", "choice", answerOption=own, answerValueSet="https://example.org/elsewhere"))
    assert said(made, x=coded("dog")) == OUT


LISTED = {"system": ANIMALS, "concept": [{"code": "cat"}]}
ELSEWHERE = {"system": "https://example.org/plants"}
APART: list[tuple[dict[str, Any], str, str, list[tuple[str, str]]]] = [
    ({"include": [LISTED], "exclude": [ELSEWHERE]}, "cat", ANIMALS, UNKNOWN),
    ({"include": [LISTED], "exclude": [ELSEWHERE]}, "dog", ANIMALS, OUT),
    ({"include": [ELSEWHERE], "exclude": [{"system": ELSEWHERE["system"], "concept": [{"code": "oak"}]}]}, "oak", ELSEWHERE["system"], OUT),
    ({"include": [ELSEWHERE, LISTED]}, "dog", ANIMALS, OUT),
    ({"include": [ELSEWHERE, LISTED]}, "oak", ELSEWHERE["system"], UNKNOWN),
    ({"include": [{"valueSet": ["#v"]}]}, "dog", ANIMALS, UNKNOWN),
    ({"include": [{"system": ANIMALS, "version": "9"}]}, "dog", ANIMALS, UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["choice", "open-choice"])
@pytest.mark.parametrize(("compose", "code", "system", "wrong"), APART)
def test_what_no_part_of_a_set_can_hold_is_refused_though_the_set_lies_elsewhere(
    compose: dict[str, Any], code: str, system: str, wrong: list[tuple[str, str]], kind: str
) -> None:
    made = of_set({"compose": compose}, {**animals("complete"), "version": "1"}, kind=kind)
    assert said(made, x=coded(code, system)) == wrong


@pytest.mark.parametrize("name", ["Cat", "House cat", "Gato", "Felis", "CAT "])
def test_a_code_may_be_called_by_any_name_it_has(name: str) -> None:
    shown = {"code": "cat", "display": "Cat", "designation": [{"language": "es", "value": "Gato"}]}
    defined = {"code": "cat", "display": "House cat", "designation": [{"value": "Felis"}]}
    made = of_set(
        {"compose": {"include": [{"system": ANIMALS, "concept": [shown]}]}},
        {**animals("complete"), "concept": [defined]},
    )
    assert said(made, x=[{"valueCoding": {**CAT, "display": name}}]) == []
    assert said(made, x=[{"valueCoding": {**CAT, "display": "Dog"}}]) == [("display", "error")]


def test_sets_that_take_from_each_other_without_end_are_answered_at_once() -> None:
    sets = [
        {
            "resourceType": "ValueSet",
            "id": f"s{i}",
            "compose": {"include": [{"valueSet": [f"#s{j}" for j in range(40)]}] * 3},
        }
        for i in range(40)
    ]
    made = form(q("x", "choice", answerValueSet="#s0"), contained=sets)
    assert said(made, x=coded("cat")) == UNKNOWN


CODED = {"valueCoding": {"system": ANIMALS, "code": "cat", "display": "Cat"}}
FITTED: list[tuple[str, dict[str, Any], dict[str, Any] | None, dict[str, Any]]] = [
    ("string", CODED, {"valueString": "Cat"}, {"valueString": "Dog"}),
    ("text", {"valueCoding": {"code": "cat"}}, {"valueString": "cat"}, {"valueString": "Dog"}),
    ("decimal", {"valueInteger": 1}, {"valueDecimal": 1}, {"valueDecimal": 2}),
    ("dateTime", {"valueDate": "2026-01-02"}, {"valueDateTime": "2026-01-02"}, {"valueDateTime": "2026-01-03"}),
    ("date", {"valueDateTime": "2026-01-02T10:00:00Z"}, {"valueDate": "2026-01-02"}, {"valueDate": "2026-01-03"}),
    ("url", {"valueString": "https://a.example"}, {"valueUri": "https://a.example"}, {"valueUri": "https://b.example"}),
    ("boolean", CODED, None, {"valueBoolean": True}),
    ("reference", CODED, None, {"valueReference": {"reference": "Patient/1"}}),
    ("quantity", {"valueInteger": 1}, None, {"valueQuantity": {"value": 1}}),
]


@pytest.mark.parametrize(("kind", "listed", "own", "other"), FITTED)
def test_an_option_of_another_type_is_answered_in_the_type_of_its_question_or_does_not_limit_it(
    kind: str, listed: dict[str, Any], own: dict[str, Any] | None, other: dict[str, Any]
) -> None:
    made = form(q("x", kind, answerOption=[listed]))
    assert [one.value for one in every(filling(made))["x"].options] == ([own] if own else [])
    assert said(made, x=[other]) == (OUT if own else [])
    if own:
        assert said(made, x=[own]) == []


def test_a_text_that_is_picked_from_a_list_of_codes_may_be_the_code() -> None:
    held = {"resourceType": "ValueSet", "id": "v", "expansion": {"contains": [{**CAT, "display": "House cat"}]}}
    made = form(q("x", answerValueSet="#v"), contained=[held])
    assert [said(made, x=[{"valueString": text}]) for text in ("House cat", "cat", "dog")] == [[], [], OUT]
    assert said(made, x=[{"valueCoding": CAT}]) == [("type", "error")]


def test_a_list_that_cannot_be_had_takes_no_answer_away_from_a_question_of_another_type() -> None:
    made = form(q("x", "date", answerValueSet="https://example.org/elsewhere"))
    node = every(filling(made))["x"]
    assert (node.control, node.lookup) == ("date", False)
    assert said(made, x=[{"valueDate": "2026-01-02"}]) == []
