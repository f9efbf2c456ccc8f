"""Forms of FHIR STU3 and R5 ask in R4 what they ask at home: the same questions, options, conditions and first answers."""

from __future__ import annotations

from typing import Any

import pytest

from portal.questionnaire import Filling, load, parse, report
from portal.questionnaire.releases import CONSTRAINT, in_r4
from tests.questionnaire.make import answered, context, every, filling, group, hl7, option, q, raw_form, when

RED, BLUE = option("red"), option("blue")
LIST = {"system": "https://example.org/cs", "concept": [{"code": "red"}, {"code": "blue"}]}
COLOURS = {"resourceType": "ValueSet", "id": "colours", "compose": {"include": [LIST]}}


def typed(constraint: str) -> dict[str, Any]:
    return {"url": CONSTRAINT, "valueCode": constraint}


ITEMS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("options", q("a", "choice", option=[RED]), q("a", "choice", answerOption=[RED])),
    ("a list elsewhere", q("a", "choice", options={"reference": "#v"}), q("a", "choice", answerValueSet="#v")),
    ("initial", q("a", "boolean", initialBoolean=False), q("a", "boolean", initial=[{"valueBoolean": False}])),
    ("an address", q("a", "url", initialUri="urn:x"), q("a", "url", initial=[{"valueUri": "urn:x"}])),
    ("beside it", q("a", _initialDate={"id": "x"}), q("a", initial=[{"_valueDate": {"id": "x"}}])),
    ("in a group", group("g", q("a", initialInteger=0)), group("g", q("a", initial=[{"valueInteger": 0}]))),
    ("coding", q("a", "coding", answerOption=[RED]), q("a", "choice", answerOption=[RED])),
    ("only", q("a", "coding", answerConstraint="optionsOnly"), q("a", "choice")),
    ("or words", q("a", "coding", answerConstraint="optionsOrString"), q("a", "open-choice")),
    ("or another", q("a", "coding", answerConstraint="optionsOrType"), q("a", "choice", ext=[typed("optionsOrType")])),
    ("a date or words", q("a", "date", answerConstraint="optionsOrString"), q("a", "open-choice")),
    ("words or words", q("a", "text", answerConstraint="optionsOrString"), q("a", "text", ext=[typed("optionsOrString")])),
]  # fmt: skip


@pytest.mark.parametrize(("told", "meant"), [case[1:] for case in ITEMS], ids=[case[0] for case in ITEMS])
def test_an_element_of_another_release_says_the_same_in_r4(told: dict[str, Any], meant: dict[str, Any]) -> None:
    before = raw_form(told)
    made, releases = in_r4(before)
    assert made["item"] == [meant]
    assert len(releases) == 1
    assert in_r4(made) == (made, ())
    assert before == raw_form(told)  # what was brought in stays what it was


CONDITIONS: list[tuple[str, list[dict[str, Any]], str]] = [
    ("an answer", [{"question": "b", "answerString": "x"}], "x"),
    ("any answer", [{"question": "b", "hasAnswer": True}], "y"),
    ("no answer", [{"question": "b", "hasAnswer": False}], ""),
    ("one of two", [{"question": "b", "answerString": "x"}, {"question": "b", "answerString": "y"}], "y"),
]


@pytest.mark.parametrize(
    ("conditions", "answer"), [case[1:] for case in CONDITIONS], ids=[case[0] for case in CONDITIONS]
)
def test_a_condition_of_stu3_shows_its_question(conditions: list[dict[str, Any]], answer: str) -> None:
    made = load(raw_form(q("b"), q("a", enableWhen=conditions)))
    shown, hidden = answered(filling(made), b=answer), answered(filling(made), b="" if answer else "z")
    assert (list(every(shown)), list(every(hidden))) == (["b", "a"], ["b"])


def test_what_r4_has_is_left_alone() -> None:
    raw = raw_form(
        q("a", "choice", answerOption=[RED]), q("b", enableWhen=[when("a", answerCoding=RED["valueCoding"])])
    )
    assert in_r4(raw) == (raw, ())
    assert in_r4(raw)[0] is raw


def test_another_coding_in_own_words_is_a_coding_and_a_text_is_not() -> None:
    made = load(raw_form(q("a", "coding", answerOption=[RED, BLUE], answerConstraint="optionsOrType")))
    node = every(filling(made))["a"]
    answers, issues = parse.answer(node, "greenish")
    assert (answers, issues) == ([{"valueCoding": {"display": "greenish"}}], [])
    assert not filling(made).answer({node.name: answers}).check()
    said = Filling(made, {"item": [{"linkId": "a", "answer": [{"valueString": "greenish"}]}]}, context())
    assert [issue.code for issue in said.check()] == ["type"]


def test_the_report_says_for_which_release_a_form_was_written() -> None:
    raw = raw_form(q("a", "choice", options={"reference": "#colours"}), q("b", "coding"), contained=[COLOURS])
    made = report(raw)
    assert (made["status"], made["not_honoured"]) == ("ok", [])
    assert {"written for FHIR STU3", "written for FHIR R5"} <= set(made["features"])


BASE = raw_form(
    q("a", required=True), q("b", "choice", answerOption=[RED]), group("g", q("c")), url="https://example.org/base"
)
PROMISES: list[tuple[str, str, list[dict[str, Any]], list[str]]] = [
    ("kept", "compliesWith", [q("a", required=True), q("b", "choice", answerOption=[RED])], []),
    ("left out", "compliesWith", [q("b", "choice", answerOption=[RED])], []),
    ("more", "extends", [q("d")], []),
    ("more than there is", "compliesWith", [q("d")], ["d"]),
    ("another type", "extends", [q("a", "text", required=True)], ["a"]),
    ("may be left out", "extends", [q("a")], ["a"]),
    ("repeats", "compliesWith", [group("g", q("c", repeats=True))], ["c"]),
    ("another option", "extends", [q("b", "choice", answerOption=[RED, BLUE])], ["b"]),
    ("inspired", "inspiredBy", [q("a", "text", repeats=True)], []),
]


@pytest.mark.parametrize(
    ("kind", "items", "strays"), [case[1:] for case in PROMISES], ids=[case[0] for case in PROMISES]
)
def test_what_a_form_promises_about_another_is_held_against_it(kind: str, items: list[Any], strays: list[str]) -> None:
    derived = {"extension": [hl7("questionnaire-derivationType", valueCoding={"code": kind})]}
    raw = raw_form(*items, derivedFrom=[BASE["url"]], _derivedFrom=[derived])
    assert report(raw)["status"] == "ok"  # the other form is not at hand
    reasons = report(raw, registry={BASE["url"]: BASE}).get("reasons", [])
    assert [(one["linkId"], one["code"]) for one in reasons] == [(link, "derivation") for link in strays]
