"""Every limit of the standard, checked the same for a click and a crafted post."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from portal.questionnaire import Filling, FormRefused, populate, validate
from tests.questionnaire.make import (
    HL7,
    SDC,
    answered,
    codes,
    context,
    control,
    every,
    fhirpath,
    filling,
    form,
    group,
    hl7,
    option,
    q,
    sdc,
    when,
)

KG = {"system": "http://unitsofmeasure.org", "code": "kg", "display": "kg"}

LIMITS: list[tuple[str, dict[str, Any], Any, str]] = [
    ("string", {"maxLength": 3}, "abcd", "too-long"),
    ("string", {"ext": [hl7("minLength", valueInteger=3)]}, "ab", "too-short"),
    ("string", {"ext": [hl7("regex", valueString="[0-9]{4}")]}, "12345", "pattern"),
    ("string", {"ext": [hl7("regex", valueString="[0-9]{4}"), hl7("entryFormat", valueString="9999")]}, "x", "pattern-format"),
    ("integer", {"ext": [hl7("minValue", valueInteger=3)]}, 2, "too-small"),
    ("integer", {"ext": [hl7("maxValue", valueInteger=3)]}, 4, "too-large"),
    ("decimal", {"ext": [hl7("maxDecimalPlaces", valueInteger=1)]}, Decimal("1.10"), "decimals"),
    ("decimal", {"ext": [hl7("minValue", valueDecimal=Decimal("1.5"))]}, Decimal("1.4"), "too-small"),
    ("date", {"ext": [hl7("minValue", valueDate="2000-01-01")]}, "1999", "too-early"),
    ("date", {"ext": [hl7("maxValue", valueDate="2000-01-01")]}, "2000-01-02", "too-late"),
    ("time", {"ext": [hl7("maxValue", valueTime="12:00:00")]}, "12:00:01", "too-late"),
    ("quantity", {"ext": [hl7("maxValue", valueQuantity={"value": 10, "code": "kg"})]}, {"value": 11, "code": "kg"}, "too-large"),
    ("quantity", {"ext": [hl7("questionnaire-unitOption", valueCoding=KG)]}, {"value": 1, "unit": "lb", "code": "lb"}, "unit"),
    ("choice", {"answerOption": [option("a")]}, {"system": "https://example.org/cs", "code": "z"}, "option"),
    ("choice", {"answerOption": [option("a")]}, {"valueString": "words"}, "type"),
    ("string", {"answerOption": [{"valueString": "a"}]}, "b", "option"),
    ("boolean", {}, {"valueString": "true"}, "type"),
    ("integer", {}, {"valueInteger": True}, "type"),
    ("decimal", {}, Decimal("1E+200"), "number-size"),
    ("date", {}, "2019-13", "type"),
    ("dateTime", {}, "2019-01-01T10:00", "type"),
    ("time", {}, "10:00", "type"),
    ("url", {}, "two words", "url"),
    ("string", {}, "nul\x00", "characters"),
    ("string", {}, "   ", "type"),
    ("reference", {"ext": [hl7("questionnaire-referenceResource", valueCode="Patient")]}, {"reference": "Group/1"}, "reference-kind"),
    ("reference", {}, {"reference": "not a reference"}, "reference"),
    ("attachment", {"ext": [hl7("maxSize", valueDecimal=1)]}, {"valueAttachment": {"title": "a", "size": 2_000_000}}, "file-size"),
    ("attachment", {"ext": [hl7("mimeType", valueCode="image/png")]}, {"valueAttachment": {"contentType": "text/html"}}, "file-kind"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "fields", "value", "code"), LIMITS)
def test_an_answer_beyond_a_limit_is_named(kind: str, fields: dict[str, Any], value: Any, code: str) -> None:
    made = form(q("a", kind, **fields))
    assert codes(answered(filling(made), a=value).check()) == [("a", code)]


def test_a_partial_date_within_the_limit_is_not_held_against_anyone() -> None:
    made = form(q("a", "date", ext=[hl7("minValue", valueDate="2000-06-01")]))
    assert answered(filling(made), a="2000").check() == []


def test_required_counts_only_where_it_applies_and_can_be_answered() -> None:
    made = form(
        q("a", "boolean"),
        q("b", required=True, enableWhen=[when("a", answerBoolean=True)]),
        q("hidden", required=True, ext=[hl7("questionnaire-hidden", valueBoolean=True)]),
        q("elsewhere", "choice", required=True, answerValueSet="https://example.org/unknown"),
        group("g", q("c"), required=True),
    )
    assert codes(filling(made).check()) == [("g", "group-required")]
    filled = answered(filling(made), a=True, c="x")
    assert codes(filled.check()) == [("b", "required")]
    assert ("elsewhere", "answerValueSet") in [(t.link_id, t.what) for t in filled.troubles]


READ_ONLY = {"required": True, "readOnly": True}


@pytest.mark.parametrize(
    "item",
    [
        q("x", **READ_ONLY),
        q("x", initial=[{"valueString": "too long"}], maxLength=3, **READ_ONLY),
        q("x", repeats=True, **READ_ONLY),
        group("part", q("x", required=True), **READ_ONLY),
        group("part", q("x", readOnly=True), required=True),
        group("part", q("x", readOnly=True), required=True, repeats=True),
        q("x", "choice", required=True, answerOption=[]),
        q("x", "choice", required=True, answerOption=[option("a")],
          ext=[{"url": f"{SDC}answerOptionsToggleExpression", "extension": [
              {"url": "option", **option("a")}, {"url": "expression", "valueExpression": fhirpath("false")}]}]),
    ],
)  # fmt: skip
def test_what_nobody_can_answer_here_stops_nobody_and_is_told(item: dict[str, Any]) -> None:
    """Read-only and not filled in, or filled in wrongly; a choice with nothing to choose from."""
    made = form(item, q("other"))
    filled = Filling(made, populate(made, context()), context())
    assert codes(filled.check()) == []
    assert filled.troubles
    held = filled.response("completed")
    assert [one.code for one in validate(made, held, context())] != [], "a strict validator sees it all the same"


def test_how_many_answers() -> None:
    few, many = hl7("questionnaire-minOccurs", valueInteger=2), hl7("questionnaire-maxOccurs", valueInteger=3)
    made = form(q("a", repeats=True, ext=[few, many]), group("g", q("b"), repeats=True, required=True, ext=[few]))
    filled = answered(filling(made), a=["1"], b="x")
    assert codes(filled.check()) == [("a", "too-few"), ("g", "too-few")]
    assert codes(answered(filled, a=["1", "2", "3", "4"]).check())[0] == ("a", "too-many")
    assert codes(filling(made).check()) == [("g", "group-required")]


@pytest.mark.parametrize("repeats", [False, True])
def test_a_part_is_not_asked_for_beside_a_question_in_it(repeats: bool) -> None:
    inner = group("i", q("x", required=True), q("y"), required=True, repeats=repeats)
    made = form(group("g", inner, required=True, repeats=repeats))
    draft = filling(made)
    assert codes(draft.check()) == codes(draft.check(draft.keys[0])) == [("x", "required")]
    assert codes(answered(draft, y="1").check()) == [("x", "required")]
    said = [(one.link_id, one.code) for one in validate(made, {"resourceType": "QuestionnaireResponse"}, context())]
    assert ("g", "group-required") in said, "a response from elsewhere lacks the part itself"


def test_an_exclusive_option_stands_alone() -> None:
    exclusive = option("none", "None of these") | {
        "extension": [hl7("questionnaire-optionExclusive", valueBoolean=True)]
    }
    made = form(q("a", "choice", repeats=True, answerOption=[option("x"), exclusive]))
    filled = answered(filling(made), a=[option("x"), option("none", "None of these")])
    (issue,) = filled.check()
    assert issue.message == "“None of these” cannot be chosen together with another answer"


def rule(expression: str, human: str = "Not so", severity: str = "error", **more: Any) -> dict[str, Any]:
    parts = [
        {"url": "key", "valueId": "k"},
        {"url": "severity", "valueCode": severity},
        {"url": "human", "valueString": human, **more},
        {"url": "expression", "valueExpression": fhirpath(expression)},
    ]
    return {"url": HL7 + "targetConstraint", "extension": parts}


def test_rules_speak_in_the_words_of_the_form_and_warn_or_stop() -> None:
    translated = {
        "extension": [
            hl7(
                "translation",
                extension=[{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": "Así no"}],
            )
        ]
    }
    made = form(
        q(
            "a",
            "integer",
            ext=[rule("answer.value < 10", _valueString=translated), rule("answer.value < 5", "Sure?", "warning")],
        ),
        extension=[rule("%resource.item.where(linkId='a').answer.value != 7", "Never seven")],
    )
    assert codes(filling(made).check()) == []
    found = answered(filling(made), a=12).check()
    assert [(issue.severity, issue.message) for issue in found] == [("error", "Not so"), ("warning", "Sure?")]
    assert [i.message for i in answered(filling(made, language="es"), a=12).check()] == ["Así no", "Sure?"]
    assert [(issue.name, issue.message) for issue in answered(filling(made), a=7).check() if issue.blocks] == [
        ("", "Never seven")
    ]


def test_limits_may_be_worked_out() -> None:
    today = {
        "url": HL7 + "maxValue",
        "_valueDate": {"extension": [hl7("cqf-expression", valueExpression=fhirpath("today()"))]},
    }
    made = form(q("a", "date", ext=[today]))
    assert answered(filling(made), a="2026-11-21").check() == []
    assert codes(answered(filling(made), a="2026-11-22").check()) == [("a", "too-late")]


def test_a_page_is_checked_by_itself() -> None:
    pages = {"ext": [control("page")]}
    made = form(group("one", q("a", required=True), **pages), group("two", q("b", required=True), **pages))
    filled = filling(made)
    assert codes(filled.check(filled.pages[0].key)) == [("a", "required")]
    assert codes(filled.check()) == [("a", "required"), ("b", "required")]
    assert codes([issue for node in filled.nodes("one", filled.check()) for issue in node.children[0].issues]) == [
        ("a", "required")
    ]


REDOS = [
    r"^(a+)+$",
    r"(a|aa)+$",
    r"(.*a){20}",
    r"([a-zA-Z]+)*$",
    r"(x+x+)+y",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"(a|a?)+$",
]


@pytest.mark.parametrize("pattern", REDOS)
def test_no_pattern_of_a_form_can_hang_a_worker(pattern: str) -> None:
    made = form(q("a", "text", ext=[hl7("regex", valueString=pattern)]))
    filled = answered(filling(made), a="a" * 5000 + "!")
    began = time.perf_counter()
    filled.check()
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("pattern", ["(", "[a", "a{2,1}", "*a"])
def test_a_pattern_that_nobody_can_read_is_refused(pattern: str) -> None:
    with pytest.raises(FormRefused, match="pattern"):
        form(q("a", ext=[hl7("regex", valueString=pattern)]))


@pytest.mark.parametrize(
    "pattern", [r"(a)\1", r"(?<!x)y", r"x(?=y).*", r"(?<=x)y", r"(?>a)b", r"(?:(?!x).)*", "a" * 2001]
)
def test_a_pattern_whose_cost_has_no_bound_is_not_checked_and_that_is_said(pattern: str) -> None:
    made = form(q("a", ext=[hl7("regex", valueString=pattern)]))
    assert [(missed.link_id, missed.feature) for missed in made.features.not_honoured] == [("a", "regex")]
    (issue,) = answered(filling(made), a="q").check()
    assert (issue.code, issue.severity) == ("rule-unchecked", "information")


AHEAD: list[tuple[str, str, bool]] = [
    (r"^(?!0000)\d{4}$", "1234", True),
    (r"^(?!0000)\d{4}$", "0000", False),
    (r"^(?=.*\d)(?=.*[a-z]).{4,8}$", "ab12", True),
    (r"^(?=.*\d)(?=.*[a-z]).{4,8}$", "abcd", False),
    (r"(?=.*[)\]]).+", "a)", True),
    (r"(?=.*[)\]]).+", "a", False),
    (r"^(?=.*\d)", "x1", True),
    (r"^(?=.*\d)", "x", False),
]


@pytest.mark.parametrize(("pattern", "text", "fits"), AHEAD)
def test_look_aheads_at_the_start_are_checked(pattern: str, text: str, fits: bool) -> None:
    made = form(q("a", ext=[hl7("regex", valueString=pattern)]))
    assert made.features.not_honoured == ()
    assert codes(answered(filling(made), a=text).check()) == ([] if fits else [("a", "pattern")])


def test_a_response_from_elsewhere_meets_the_same_checks_and_more() -> None:
    made = form(q("a", "integer", required=True), group("g", q("b")), q("off", enableWhen=[when("a", answerInteger=9)]))
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "https://example.org/other",
        "status": "done",
        "item": [
            {"linkId": "g", "answer": [{"valueString": "x"}], "item": [{"linkId": "zz"}]},
            {"linkId": "a", "answer": [{"valueString": "1"}]},
            {"linkId": "b", "answer": [{"valueString": "x"}]},
            {"linkId": "off", "answer": [{"valueString": "x"}]},
        ],
    }
    found = validate(made, response, context())
    assert {(issue.code, issue.expression) for issue in found} == {
        ("status", "QuestionnaireResponse.status"),
        ("form-mismatch", "QuestionnaireResponse.questionnaire"),
        ("group-answer", "QuestionnaireResponse.item[0]"),
        ("unknown-question", "QuestionnaireResponse.item[0].item[0]"),
        ("order", "QuestionnaireResponse.item[1]"),
        ("misplaced", "QuestionnaireResponse.item[2]"),
        ("type", "QuestionnaireResponse.item[1].answer[0]"),
        ("not-enabled", "QuestionnaireResponse.item[3]"),
    }


ODD: list[Any] = [
    None,
    7,
    [],
    {},
    {"item": 3},
    {"item": [3]},
    {"item": [{"linkId": 5}]},
    {"item": [{"linkId": "a", "answer": 3}]},
    {"item": [{"linkId": "a", "answer": [3]}]},
    {"item": [{"linkId": "a", "answer": [{"valueInteger": None}]}]},
    {"item": [{"linkId": "a", "item": [{"linkId": "a"}]}]},
    {"item": [{"linkId": "a", "answer": [{"extension": 3, "valueInteger": 3}]}]},
    {"item": [{"linkId": "a", "answer": [{"valueQuantity": 3}, {"valueInteger": [3]}]}]},
    {"questionnaire": 3, "extension": 3, "contained": 3},
    {"contained": [3], "extension": [3]},
]


@pytest.mark.parametrize("odd", ODD)
def test_no_shape_of_a_response_breaks_the_engine(odd: Any) -> None:
    made = form(q("a", "integer"), group("g", q("b")))
    response = {"resourceType": "QuestionnaireResponse", "status": "completed", **odd} if isinstance(odd, dict) else odd
    assert isinstance(validate(made, response, context()), list)
    if isinstance(odd, dict):
        assert Filling(made, response, context()).response("completed")["status"] == "completed"


def test_check_boxes_and_controls_do_not_change_what_is_allowed() -> None:
    made = form(q("a", "choice", answerOption=[option("x"), option("y")], ext=[control("check-box")]))
    assert every(filling(made))["a"].control == "radios"
    assert codes(answered(filling(made), a=[option("x"), option("y")]).check()) == [("a", "not-repeating")]


def test_a_calculated_number_fits_its_own_limits() -> None:
    places = hl7("maxDecimalPlaces", valueInteger=1)
    made = form(q("a", "decimal", ext=[places, sdc("calculatedExpression", "22.0 / 7")]))
    assert every(filling(made))["a"].answers == [{"valueDecimal": Decimal("3.1")}]
    assert filling(made).check() == []


@pytest.mark.parametrize(
    ("kinds", "most", "told"),
    [
        (["image/png", "application/pdf", "image/*"], 2, "PNG, PDF, image | 2 MB"),
        (["image/jpeg", "IMAGE/JPEG; q=1", "text/plain"], "1.5", "JPEG, text | 1.5 MB"),
        (["application/vnd.openxmlformats-officedocument.wordprocessingml.document"], 5242880, "Word | 5 MB"),
        (["application/x-7z", "application/octet-stream"], 2048, "7Z, application/octet-stream | 2 KB"),
        (["strange"], 60, "strange | 60 bytes"),
    ],
)
def test_files_that_are_taken_are_told_as_people_call_them(kinds: list[str], most: Any, told: str) -> None:
    limits = [*(hl7("mimeType", valueCode=kind) for kind in kinds), hl7("maxSize", valueDecimal=Decimal(most))]
    filled = filling(form(q("x", "attachment", ext=limits)))
    node = filled.nodes(filled.keys[0])[0]
    assert f"{node.limits.kinds} | {node.limits.largest}" == told
