"""What could not be looked up is never taken for nothing: no "none", no 0, no "no" is filled in, shown or held against anyone."""

from __future__ import annotations

from typing import Any

import pytest

from portal.questionnaire import Context, Filling, context_of, populated, validate
from tests.questionnaire.make import HL7, NOW, SDC, codes, context, every, form, group, q, sdc, values, when

PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1980-02-01"}
QUERY = "application/x-fhir-query"
EMPTY = {"resourceType": "Bundle", "type": "searchset"}
REFUSED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}


def condition(name: str) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": name, "code": {"text": name}}


def found(*entries: dict[str, Any]) -> dict[str, Any]:
    return {**EMPTY, "entry": list(entries)}


def asked(text: str, name: str = "found") -> dict[str, Any]:
    return {"url": f"{HL7}variable", "valueExpression": {"language": QUERY, "expression": text, "name": name}}


def batch(*urls: str) -> dict[str, Any]:
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]
    return {
        "contained": [{"resourceType": "Bundle", "id": "found", "type": "batch", "entry": entries}],
        "extension": [{"url": f"{SDC}sourceQueries", "valueReference": {"reference": "#found"}}],
    }


def fetch(query: str) -> dict[str, Any] | None:
    answers = {"Down": None, "Forbidden": REFUSED, "Empty": EMPTY, "Full": found({"resource": condition("flu")})}
    return answers[query.partition("?")[0]]


YES_NO = ["%found.entry.empty()", "%found.entry.exists()", "%found.entry.count() = 0", "%found.empty()"]


@pytest.mark.parametrize("text", YES_NO)
@pytest.mark.parametrize("url", ["Down", "Forbidden", "Empty?patient={{%patient.id}}", "Empty?x={{%nobody}}"])
@pytest.mark.parametrize("how", ["variable", "sourceQueries"])
def test_a_search_without_an_answer_says_neither_yes_nor_no(how: str, url: str, text: str) -> None:
    where = batch(url) if how == "sourceQueries" else {"extension": [asked(url)]}
    inner = text.replace("%found.", "%found.entry.resource.") if how == "sourceQueries" else text
    made = form(q("a", "boolean", ext=[sdc("initialExpression", inner)]), **where)
    draft, troubles = populated(made, context(fetch=fetch, launch={"patient": PATIENT}))
    answered = url.startswith("Empty?patient")
    assert bool(values(draft).get("a")) is answered
    assert (("a", "initialExpression") in [(one.link_id, one.what) for one in troubles]) is not answered


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("%found.entry[1].resource.entry.resource.code.text", "flu"),
        ("%found . entry [ 1 ] . resource.entry.resource.code.text", "flu"),
        ("%found.entry[0].resource.entry.count().toString()", None),
        ("%found.entry.resource.entry.count().toString()", None),
        ("%found.entry[1].resource.entry.count().toString() & %found.entry.count().toString()", None),
        ("'%patient'", "%patient"),
    ],
)
def test_in_a_batch_what_was_answered_stands_in_its_place(text: str, said: str | None) -> None:
    made = form(q("a", ext=[sdc("initialExpression", text)]), **batch("Down", "Full"))
    draft = populated(made, context(fetch=fetch, launch={"patient": PATIENT}))[0]
    assert values(draft).get("a") == (None if said is None else [said])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("%patient.id", "p1"),
        ("'Patient/' & %patient.id", "Patient/p1"),
        ("%patient.gender.exists().toString()", None),
        ("%patient.id & %patient.name.count().toString()", None),
        ("%`patient`.birthDate.empty().toString()", None),
    ],
)
def test_a_resource_known_by_its_reference_only_has_an_id_and_no_more(text: str, said: str | None) -> None:
    about = {"name": "subject", "valueReference": {"reference": "Patient/p1"}}
    given = context_of({"resourceType": "Parameters", "parameter": [about]}, NOW)
    draft, troubles = populated(form(q("a", ext=[sdc("initialExpression", text)])), given)
    assert values(draft).get("a") == (None if said is None else [said])
    assert bool(troubles) is (said is None)
    assert draft["subject"] == {"reference": "Patient/p1"}


@pytest.mark.parametrize("first", [True, False])
def test_the_resource_itself_goes_before_a_reference_to_it_in_any_order(first: bool) -> None:
    parts = [{"name": "name", "valueString": "patient"}, {"name": "content", "resource": PATIENT}]
    listed = [{"name": "subject", "valueReference": {"reference": "Patient/p1"}}, {"name": "context", "part": parts}]
    given = context_of({"parameter": listed if first else listed[::-1]}, NOW)
    draft, troubles = populated(form(q("a", ext=[sdc("initialExpression", "%patient.gender")])), given)
    assert (values(draft), troubles) == ({"a": ["female"]}, [])


def launch(name: str, *kinds: str) -> dict[str, Any]:
    parts = [{"url": "name", "valueCoding": {"code": name}}, *({"url": "type", "valueCode": kind} for kind in kinds)]
    return {"url": f"{SDC}launchContext", "extension": parts}


@pytest.mark.parametrize(
    ("kinds", "filled"),
    [(["Patient"], False), (["Patient", "Practitioner"], True), (["Practitioner"], True), ([], True)],
)
def test_a_resource_of_another_kind_than_the_form_takes_fills_nothing_in(kinds: list[str], filled: bool) -> None:
    doctor = {"resourceType": "Practitioner", "id": "d", "gender": "male"}
    made = form(q("a", ext=[sdc("initialExpression", "%person.gender")]), extension=[launch("person", *kinds)])
    draft, troubles = populated(made, context(launch={"person": doctor}))
    assert bool(values(draft).get("a")) is filled
    assert ("launchContext" in [one.what for one in troubles]) is not filled


ENTRIES = [
    {"resource": condition("flu"), "search": {"mode": "match"}},
    {"resource": condition("cold")},
    {"resource": {"resourceType": "Encounter", "id": "e"}, "search": {"mode": "include"}},
    {"resource": REFUSED, "search": {"mode": "outcome"}},
]


@pytest.mark.parametrize(("url", "rows"), [("Some", ["flu", "cold"]), ("Empty", [None]), ("Down", [None])])
def test_parts_repeat_for_what_was_looked_for_and_not_for_what_came_along(url: str, rows: list[str | None]) -> None:
    ext = [
        {"url": f"{SDC}itemPopulationContext", "valueExpression": {"language": QUERY, "expression": url, "name": "c"}}
    ]
    inside = [
        q("name", ext=[sdc("initialExpression", "%c.code.text")]),
        q("none", "boolean", ext=[sdc("initialExpression", "%c.empty()")]),
        q("relative", "boolean", ext=[sdc("initialExpression", "code.empty()")]),
        q("fixed", initial=[{"valueString": "x"}]),
    ]
    made = form(group("g", *inside, repeats=True, ext=ext))
    draft = populated(made, context(fetch=lambda query: found(*ENTRIES) if query == "Some" else fetch(query)))[0]
    held = [values({"item": [one]}) for one in draft["item"]]
    assert [one.get("name", [None])[0] for one in held] == rows
    assert [one.get("none") for one in held] == [{"Some": [False], "Empty": [True], "Down": None}[url]] * len(rows)
    assert [one.get("relative") for one in held] == [one.get("none") for one in held]


ABOUT_HER = "%patient.gender = 'female'"


def test_without_the_patient_a_condition_leaves_its_question_and_a_calculation_its_answer() -> None:
    made = form(
        q("seen", ext=[sdc("enableWhenExpression", ABOUT_HER)]),
        q("not-seen", ext=[sdc("enableWhenExpression", f"({ABOUT_HER}).not()")], required=True),
        q("age", "integer", ext=[sdc("calculatedExpression", "(today() - 1 year).toString().substring(0, 4).toInteger() "
                                                             "- %patient.birthDate.toString().substring(0, 4).toInteger()")]),
    )  # fmt: skip
    given = [{"linkId": "seen", "answer": [{"valueString": "x"}]}, {"linkId": "age", "answer": [{"valueInteger": 45}]}]
    response = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": given}
    knowing, not_knowing = context(launch={"patient": PATIENT}), Context(NOW)
    for who in (knowing, not_knowing):
        assert codes(validate(made, response, who)) == []
        assert values(Filling(made, response, who).response("completed")) == {"seen": ["x"], "age": [45]}
    assert {*every(Filling(made, response, not_knowing))} == {"seen", "not-seen", "age"}


def test_plain_conditions_decide_without_the_patient_too() -> None:
    made = form(q("a", "boolean"), q("b", enableWhen=[when("a", answerBoolean=True)]))
    assert {*every(Filling(made, None, Context(NOW)))} == {"a"}
