"""What is refused at the door, with the item and the reason."""

from __future__ import annotations

from typing import Any

import pytest

from portal.questionnaire import Filling, FormRefused, load, validate
from tests.questionnaire.make import (
    HL7,
    SDC,
    answered,
    context,
    every,
    fhirpath,
    filling,
    form,
    group,
    q,
    raw_form,
    sdc,
    variable,
    when,
)


def nested(depth: int) -> dict[str, Any]:
    item = q("leaf")
    for level in range(depth - 1):
        item = group(f"g{level}", item)
    return item


def options(count: int) -> list[dict[str, Any]]:
    return [{"valueString": f"o{index}"} for index in range(count)]


SEARCH = {"language": "application/x-fhir-query", "expression": "Patient?_id=1"}
CQL = {"language": "text/cql", "expression": "Age"}
CQL_TEXT = {"url": HL7 + "cqf-expression", "valueExpression": CQL}
FROM_CQL = {"url": SDC + "initialExpression", "valueExpression": CQL}
OLD = {"url": HL7 + "variable", "valueExpression": {**CQL, "name": "old"}}
CONTEXT = {"url": SDC + "itemPopulationContext", "valueExpression": CQL}
MOST = {"url": HL7 + "maxValue", "_valueInteger": {"extension": [CQL_TEXT]}}
BOTH = q("b", "choice", answerOption=options(2))
EITHER = [when("b", answerString="x"), when("b", answerString="y")]
IF_N = q("a", enableWhen=[when("n", ">", answerInteger=5)])
IF_OLD = q("a", ext=[sdc("enableWhenExpression", "%old > 1")])
N_PLUS = q("a", "integer", ext=[sdc("calculatedExpression", "%resource.item.where(linkId='n').answer.value + 1")])
HIDDEN = {"url": HL7 + "questionnaire-hidden", "valueBoolean": True}

REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("no linkId", raw_form({"type": "string", "text": "x"}), "", "no-link-id"),
    ("same linkId", raw_form(q("a"), group("g", q("a"))), "a", "duplicate-link-id"),
    ("unknown type", raw_form(q("a", "banana")), "a", "type"),
    ("the type of any question", raw_form(q("a", "question")), "a", "type"),
    ("dangling enableWhen", raw_form(q("a", enableWhen=[when("zz", answerBoolean=True)])), "a", "enable-when"),
    ("enableWhen on itself", raw_form(q("a", enableWhen=[when("a", answerString="x")])), "a", "enable-when"),
    ("bad operator", raw_form(q("b"), q("a", enableWhen=[when("b", "~", answerString="x")])), "a", "enable-when"),
    ("exists without boolean", raw_form(q("b"), q("a", enableWhen=[when("b", "exists", answerString="x")])), "a", "enable-when"),
    ("no behaviour said", raw_form(q("b"), q("c"), q("a", enableWhen=[EITHER[0], when("c", answerString="x")])), "a", "que-12"),
    ("no behaviour said of several", raw_form(q("b", repeats=True), q("a", enableWhen=EITHER)), "a", "que-12"),
    ("no behaviour said of ranges", raw_form(q("b"), q("a", enableWhen=[when("b", "!=", answerString="x"), EITHER[0]])), "a", "que-12"),
    ("no behaviour said of rows", raw_form(group("g", q("b"), repeats=True), q("a", enableWhen=EITHER)), "a", "que-12"),
    ("modifier", raw_form(q("a", modifierExtension=[{"url": "https://example.org/x", "valueBoolean": True}])), "a", "modifier-extension"),
    ("modifier of the form", raw_form(q("a"), modifierExtension=[{"url": "https://example.org/x"}]), "", "modifier-extension"),
    ("CQL", raw_form(q("a", ext=[{"url": SDC + "calculatedExpression", "valueExpression": CQL}])), "a", "expression-language"),
    ("CQL that enables", raw_form(q("a", ext=[{"url": SDC + "enableWhenExpression", "valueExpression": CQL}])), "a", "expression-language"),
    ("a search that enables", raw_form(q("a", ext=[{"url": SDC + "enableWhenExpression", "valueExpression": SEARCH}])), "a", "expression"),
    ("a text in CQL and no other", raw_form(q("a", text=None, _text={"extension": [CQL_TEXT]})), "a", "expression-language"),
    ("a hidden answer from CQL decides", raw_form(q("n", "integer", ext=[FROM_CQL, HIDDEN]), IF_N), "a", "expression-language"),
    ("a locked answer from CQL counts", raw_form(q("n", "integer", ext=[FROM_CQL], readOnly=True), N_PLUS), "a", "expression-language"),
    ("a variable in CQL decides", raw_form(IF_OLD, extension=[OLD]), "a", "expression-language"),
    ("options of no release", raw_form(q("a", "choice", option={"valueString": "x"})), "a", "fhir-version"),
    ("an odd hasAnswer", raw_form(q("b"), q("a", enableWhen=[{"question": "b", "hasAnswer": "yes"}])), "a", "fhir-version"),
    ("no operator in R4", raw_form(BOTH, q("a", enableWhen=[{"question": "b", "answerString": "o1"}])), "a", "fhir-version"),
    ("an odd constraint", raw_form(q("a", answerConstraint="optionsOrDate")), "a", "fhir-version"),
    ("broken condition", raw_form(q("a", ext=[sdc("enableWhenExpression", "1 +")])), "a", "expression"),
    ("21 deep", raw_form(nested(21)), "", "too-deep"),
    ("2001 items", raw_form(*(q(str(n)) for n in range(2001))), "", "too-many-items"),
    ("501 options", raw_form(q("a", "choice", answerOption=options(501))), "a", "too-many-options"),
    ("2 MB", raw_form(q("a", text="x" * (2 * 1024 * 1024))), "", "too-big"),
    ("a question in a display", raw_form(q("d", "display", q("a"))), "d", "que-1"),
    ("not a form", {"resourceType": "Patient"}, "", "not-a-form"),
    ("items that are no list", raw_form() | {"item": {"linkId": "a"}}, "", "shape"),
    ("an item that is no object", raw_form() | {"item": ["a"]}, "", "shape"),
    ("required as text", raw_form(q("a", required="yes")), "a", "shape"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "link_id", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_form_that_cannot_be_honoured_is_refused_with_item_and_reason(
    raw: dict[str, Any], link_id: str, code: str
) -> None:
    with pytest.raises(FormRefused) as refused:
        load(raw)
    assert (link_id, code) in [(issue.link_id, issue.code) for issue in refused.value.issues]
    assert all(issue.reason for issue in refused.value.issues)


def test_yes_and_no_as_texts_are_read_as_what_they_say_and_told() -> None:
    """As converters from XML leave them; other texts are refused."""
    hidden = {"url": f"{HL7}questionnaire-hidden", "valueBoolean": "true"}
    asked = {"question": "a", "operator": "=", "answerBoolean": "false"}
    made = load(
        raw_form(
            q("a", "boolean", required="true", repeats="false", initial=[{"valueBoolean": "true"}]),
            group("g", q("b", readOnly="true", extension=[hidden]), q("c", enableWhen=[asked])),
            q("true", "string", text="true", initial=[{"valueString": "true"}]),
        )
    )
    a, b, c = (made.by_link[name] for name in "abc")
    assert (a.required, a.repeats, a.raw["initial"]) == (True, False, [{"valueBoolean": True}])
    assert (b.read_only, b.hidden, c.conditions[0].answer) == (True, True, False)
    assert made.by_link["true"].raw["initial"] == [{"valueString": "true"}]
    told = [(one.link_id, one.code) for one in made.features.defects if one.code == "text-for-boolean"]
    assert sorted(told) == [(name, "text-for-boolean") for name in "aaabbc"]


def test_a_form_without_items_opens_and_is_told() -> None:
    assert [one.code for one in load(raw_form()).features.defects] == ["no-items"]


AT_THE_LIMIT = [
    raw_form(nested(20)),
    raw_form(*(q(str(n)) for n in range(2000))),
    raw_form(q("a", "choice", answerOption=options(500))),
]


@pytest.mark.parametrize("raw", AT_THE_LIMIT, ids=["20 deep", "2000 items", "500 options"])
def test_a_form_at_the_limit_is_taken(raw: dict[str, Any]) -> None:
    assert load(raw).items


LEFT_OUT: list[tuple[str, dict[str, Any], str]] = [
    ("a prefill", q("a", ext=[FROM_CQL]), "initialExpression"),
    ("a hidden prefill on which nothing depends", q("a", ext=[FROM_CQL, HIDDEN]), "initialExpression"),
    ("a group's context", group("a", q("b"), ext=[CONTEXT]), "itemPopulationContext"),
    ("candidates", q("a", "reference", ext=[{"url": SDC + "candidateExpression", "valueExpression": CQL}]), "candidateExpression"),
    ("a text that is written too", q("a", _text={"extension": [CQL_TEXT]}), "cqf-expression of text"),
    ("a limit", q("a", "integer", ext=[MOST]), "cqf-expression of maxValue"),
]  # fmt: skip


@pytest.mark.parametrize(("item", "feature"), [case[1:] for case in LEFT_OUT], ids=[case[0] for case in LEFT_OUT])
def test_what_a_form_can_do_without_is_left_out_and_said(item: dict[str, Any], feature: str) -> None:
    made = form(item)
    missed = {(one.link_id, one.feature): one.reason for one in made.features.not_honoured}
    assert "text/cql" in missed["a", feature]


def test_what_somebody_typed_is_not_lost_to_a_search_that_stands_for_a_calculation() -> None:
    made = load(raw_form(q("a", ext=[{"url": SDC + "calculatedExpression", "valueExpression": SEARCH}])))
    assert [one.feature for one in made.features.not_honoured] == ["calculatedExpression"]
    asked = context(fetch=lambda _: {"resourceType": "Bundle", "type": "searchset"})
    filled = Filling(made, None, asked).answer({"q1": [{"valueString": "mine"}]})
    assert filled.response("completed")["item"][0]["answer"] == [{"valueString": "mine"}]


def test_a_question_that_somebody_can_answer_needs_no_prefill_to_decide() -> None:
    made = form(q("age", "integer", ext=[FROM_CQL]), q("a", enableWhen=[when("age", ">", answerInteger=5)]))
    assert [one.feature for one in made.features.not_honoured] == ["initialExpression"]


def test_elements_that_fhir_does_not_have_are_named() -> None:
    made = form(q("a", require=True, fhir_comments=["x"]), colour="red")
    assert {(one.link_id, one.feature) for one in made.features.not_honoured} == {("a", "require"), ("", "colour")}


def test_conditions_in_a_circle_are_refused() -> None:
    with pytest.raises(FormRefused, match="circle"):
        form(
            q("a", enableWhen=[when("b", answerString="x")]),
            q("b", enableWhen=[when("a", answerString="x")]),
        )


def _while_empty(name: str, other: str, **fields: Any) -> dict[str, Any]:
    empty = f"%resource.item.where(linkId='{other}').answer.empty()"
    return q(name, ext=[sdc("enableWhenExpression", empty)], **fields)


def test_of_several_answers_to_a_question_that_takes_one_any_is_meant() -> None:
    made = form(group("g", q("b"), q("a", enableWhen=EITHER), repeats=True))
    assert [(one.link_id, one.code) for one in made.features.defects] == [("a", "que-12")]
    filled = answered(filling(made), b={"valueString": "y"})
    assert "a" in every(filled)
    assert "a" not in every(answered(filled, b={"valueString": "z"}))


def _text(link_id: str | None, text: str) -> dict[str, Any]:
    return {"type": "display", "text": text, **({"linkId": link_id} if link_id else {})}


def test_a_text_to_read_needs_no_linkid_of_its_own() -> None:
    """Nothing asks for one: it is given one that nobody has, the same each time. A question or part needs one."""
    raw = raw_form(
        _text(None, "hello"),
        _text("a", "about a"),
        group(
            "g", _text(None, "inside"), q("a"), q("g-text-1"), _text("t", "once"), _text("t", "twice"), q("g-text-2")
        ),
    )
    made, again = load(raw), load(raw)
    named = ["form-text-1", "a-text-1", "g", "g-text-3", "a", "g-text-1", "t", "t-text-1", "g-text-2"]
    assert [item.link_id for item in made.all_items] == named == [item.link_id for item in again.all_items]
    told = [(one.link_id, one.code) for one in made.features.defects]
    assert told == [("", "no-link-id"), ("a", "duplicate-link-id"), ("g", "no-link-id"), ("t", "duplicate-link-id")]
    filled = answered(filling(made), a={"valueString": "x"})
    assert validate(made, filled.response("completed"), context()) == []
    for item in (q("x"), group("x", q("y"))):
        lacking = {key: value for key, value in item.items() if key != "linkId"}
        with pytest.raises(FormRefused, match="no linkId"):
            load(raw_form(lacking))


def test_questions_that_apply_by_one_anothers_answers_are_told_to_the_author() -> None:
    made = form(_while_empty("a", "b"), _while_empty("b", "a"), _while_empty("c", "a"), _while_empty("d", "d"))
    assert [(one.link_id, one.code) for one in made.features.defects] == [("a", "circle"), ("b", "circle")]
    assert "a → b" in made.features.defects[0].reason


def test_calculations_in_a_circle_are_refused_through_variables_too() -> None:
    with pytest.raises(FormRefused, match="circle"):
        form(
            q("a", "integer", ext=[sdc("calculatedExpression", "%b + 1")]),
            q("b", "integer", ext=[sdc("calculatedExpression", "%resource.item.where(linkId='a').answer.value")]),
            extension=[variable("b", "%resource.item.where(linkId='b').answer.value")],
        )


def test_a_rule_that_cannot_be_read_does_not_break_the_form_and_is_reported() -> None:
    rule = {
        "url": HL7 + "targetConstraint",
        "extension": [
            {"url": "key", "valueId": "k"},
            {"url": "severity", "valueCode": "error"},
            {"url": "human", "valueString": "Never"},
            {"url": "expression", "valueExpression": fhirpath("item.where(")},
        ],
    }
    made = form(q("a", ext=[rule]))
    assert [(m.link_id, m.feature) for m in made.features.not_honoured] == [("a", "targetConstraint")]


def test_extensions_nobody_here_knows_are_reported_where_they_stand() -> None:
    made = form(q("a", ext=[{"url": "https://example.org/sparkle", "valueBoolean": True}]))
    assert [(m.link_id, m.feature) for m in made.features.not_honoured] == [("a", "https://example.org/sparkle")]


def test_a_form_knows_its_canonical_its_title_and_its_languages() -> None:
    made = form(
        q("a"),
        language="en",
        _title={
            "extension": [
                {
                    "url": HL7 + "translation",
                    "extension": [
                        {"url": "lang", "valueCode": "es"},
                        {"url": "content", "valueString": "Un formulario"},
                    ],
                }
            ]
        },
    )
    assert made.canonical == "https://example.org/form|1"
    assert made.title("es-MX") == "Un formulario"
    assert made.title("fr") == "A form"
    assert made.languages == ["en", "es"]


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("que-1", group("a")),
    ("que-3", q("a", "display", code=[{"code": "x"}])),
    ("que-4", q("a", "choice", answerOption=options(1), answerValueSet="#v")),
    ("que-5", q("a", "integer", answerValueSet="#v")),
    ("que-6", q("a", "display", required=True)),
    ("que-8", group("a", q("b"), initial=[{"valueString": "x"}])),
    ("que-9", q("a", "display", readOnly=True)),
    ("que-10", q("a", "date", maxLength=3)),
    ("que-11", q("a", answerOption=options(1), initial=[{"valueString": "o0"}])),
    ("que-13", q("a", initial=[{"valueString": "x"}, {"valueString": "y"}])),
    ("extension-type", q("a", ext=[{"url": f"{HL7}variable", "valueString": "x"}])),
    ("extension-type", q("a", ext=[{"url": f"{SDC}initialExpression", "valueString": "today()"}])),
]


@pytest.mark.parametrize(("code", "item"), BROKEN, ids=[case[0] for case in BROKEN])
def test_a_rule_of_the_standard_that_changes_nothing_is_said_and_the_form_opens(
    code: str, item: dict[str, Any]
) -> None:
    assert [(defect.link_id, defect.code) for defect in form(item).features.defects] == [("a", code)]
