"""Each thing an author can ask for, one test that it is done: the words of SDC 3 and 4, and of R4 itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portal.questionnaire import Filling, parse, populated, validate
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
    values,
    variable,
)

URL = {"url": "https://example.org/picture.png", "contentType": "image/png"}


def s(name: str, **value: Any) -> dict[str, Any]:
    return {"url": SDC + name, **value}


def concept(code: str) -> dict[str, Any]:
    return {"valueCodeableConcept": {"coding": [{"code": code}]}}


def worked_out(name: str, key: str, text: str, how: str = "cqf-expression") -> dict[str, Any]:
    """A limit whose value is an expression."""
    return hl7(name, **{key: {"extension": [hl7(how, valueExpression=fhirpath(text))]}})


def translated(text: str, language: str = "es") -> dict[str, Any]:
    parts = [{"url": "lang", "valueCode": language}, {"url": "content", "valueString": text}]
    return {"extension": [hl7("translation", extension=parts)]}


# what an author says, on an item of a type, and what the page is told
ON_A_QUESTION: list[tuple[str, dict[str, Any], str, Any]] = [
    ("entryFormat", q("a", ext=[hl7("entryFormat", valueString="nnn")]), "entry_format", "nnn"),
    ("shortText", q("a", ext=[s("shortText", valueString="short")]), "short_text", "short"),
    ("openLabel", q("a", "open-choice", ext=[s("openLabel", valueString="Other:")]), "open_label", "Other:"),
    ("width in %", q("a", ext=[s("width", valueQuantity={"value": 40, "code": "%"})]), "width", "40%"),
    ("columnCount", q("a", "choice", ext=[s("columnCount", valuePositiveInt=3)]), "columns", 3),
    ("collapsible", group("a", q("b"), ext=[s("collapsible", valueCode="default-closed")]), "collapsible", "default-closed"),
    ("keyboard", q("a", ext=[s("keyboard", valueCoding={"code": "phone"})]), "keyboard", "phone"),
    ("choiceOrientation", q("a", ext=[hl7("questionnaire-choiceOrientation", valueCode="vertical")]), "orientation", "vertical"),
    ("itemMedia", q("a", ext=[s("itemMedia", valueAttachment=URL)]), "media", URL),
    ("supportLink", q("a", ext=[hl7("questionnaire-supportLink", valueUri="https://example.org")]), "links", ["https://example.org"]),
    ("displayCategory", q("a", ext=[hl7("questionnaire-displayCategory", **concept("help"))]), "category", "help"),
    ("signatureRequired", q("a", "boolean", ext=[hl7("questionnaire-signatureRequired", **concept("x"))]), "signature", True),
    ("unit", q("a", "decimal", ext=[hl7("questionnaire-unit", valueCoding={"code": "kg", "display": "kilos"})]), "unit", "kilos"),
    ("prefix", q("a", prefix="1.2"), "prefix", "1.2"),
    ("readOnly", q("a", readOnly=True), "read_only", True),
    ("required", q("a", required=True), "required", True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("item", "field", "value"), [case[1:] for case in ON_A_QUESTION], ids=[c[0] for c in ON_A_QUESTION]
)
def test_what_an_author_says_of_a_question_reaches_the_page(item: dict[str, Any], field: str, value: Any) -> None:
    made = form(item)
    assert getattr(every(filling(made))["a"], field) == value
    assert made.features.not_honoured == ()


LIMITS: list[tuple[str, str, list[dict[str, Any]], Any]] = [
    ("sliderStepValue", "step", [hl7("questionnaire-sliderStepValue", valueInteger=5)], Decimal(5)),
    ("minValue", "least", [hl7("minValue", valueInteger=5)], 5),
    ("maxValue", "most", [hl7("maxValue", valueInteger=5)], 5),
    ("minQuantity", "least", [s("minQuantity", valueQuantity={"value": 5, "code": "kg"})], {"value": 5, "code": "kg"}),
    ("maxQuantity", "most", [s("maxQuantity", valueQuantity={"value": 5, "code": "kg"})], {"value": 5, "code": "kg"}),
    ("maxDecimalPlaces", "decimals", [hl7("maxDecimalPlaces", valueInteger=2)], 2),
    ("minLength", "min_length", [hl7("minLength", valueInteger=2)], 2),
    ("regex", "pattern", [hl7("regex", valueString="a+")], "a+"),
    ("mimeType", "mime_types", [hl7("mimeType", valueCode=kind) for kind in ("image/png", "image/gif")], ("image/png", "image/gif")),
    ("maxSize", "max_size", [hl7("maxSize", valueDecimal=Decimal("1.5"))], 1572864),
    ("referenceResource", "resource_types", [hl7("questionnaire-referenceResource", valueCode="Patient")], ("Patient",)),
]  # fmt: skip


@pytest.mark.parametrize(("field", "extensions", "value"), [case[1:] for case in LIMITS], ids=[c[0] for c in LIMITS])
def test_limits_are_read(field: str, extensions: list[dict[str, Any]], value: Any) -> None:
    made = form(q("a", "integer", ext=extensions))
    assert getattr(every(filling(made))["a"].limits, field) == value
    assert made.features.not_honoured == ()


@pytest.mark.parametrize("name", ["minQuantity", "maxQuantity"])
def test_quantities_are_held_to_their_limits_in_the_same_unit_only(name: str) -> None:
    made = form(q("a", "quantity", ext=[s(name, valueQuantity={"value": 5, "unit": "kg", "code": "kg"})]))
    beyond = {"valueQuantity": {"value": 4 if name == "minQuantity" else 6, "unit": "kg", "code": "kg"}}
    other = {"valueQuantity": {"value": 4 if name == "minQuantity" else 6, "unit": "stone"}}
    assert [code for _, code in codes(filling(made).answer({"q1": [beyond]}).check())] in (["too-small"], ["too-large"])
    assert codes(filling(made).answer({"q1": [other]}).check()) == []


THREE = {"extension": [hl7("cqf-expression", valueExpression=fhirpath("3"))]}
YEAR_AGO = worked_out("maxValue", "_valueDate", "today() - 1 year", "cqf-calculatedValue")
FIVE_KILOS = worked_out("maxValue", "_valueQuantity", "5 'kg'")
BY_EXPRESSION: list[tuple[str, dict[str, Any], Any, str]] = [
    ("minValue", q("a", "integer", ext=[worked_out("minValue", "_valueInteger", "%n")]), 4, "too-small"),
    ("maxValue of a date", q("a", "date", ext=[YEAR_AGO]), "2026-01-01", "too-late"),
    ("maxValue of a quantity", q("a", "quantity", ext=[FIVE_KILOS]), {"value": 6, "code": "kg"}, "too-large"),
    ("maxOccurs", q("a", repeats=True, ext=[worked_out("questionnaire-maxOccurs", "_valueInteger", "1")]), ["x", "y"], "too-many"),
    ("maxLength", q("a", _maxLength=THREE), "abcd", "too-long"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("item", "value", "code"), [case[1:] for case in BY_EXPRESSION], ids=[c[0] for c in BY_EXPRESSION]
)
def test_limits_that_are_worked_out_are_kept(item: dict[str, Any], value: Any, code: str) -> None:
    made = form(item, extension=[variable("n", "5")])
    assert codes(answered(filling(made), a=value).check()) == [("a", code)]


def test_whether_a_question_must_be_answered_may_be_worked_out() -> None:
    asked = {
        "extension": [hl7("cqf-expression", valueExpression=fhirpath("%resource.item.where(linkId='a').exists()"))]
    }
    made = form(q("a"), q("b", _required=asked))
    assert codes(filling(made).check()) == []
    assert codes(answered(filling(made), a="x").check()) == [("b", "required")]


OPTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("integer", {"valueInteger": 5}, "5"),
    ("date", {"valueDate": "2019-03"}, "March 2019"),
    ("time", {"valueTime": "14:30:00"}, "14:30"),
    ("string", {"valueString": "words"}, "words"),
    ("choice", {"valueCoding": {"system": "s", "code": "c", "display": "Coded"}}, "Coded"),
    ("reference", {"valueReference": {"reference": "Practitioner/1", "display": "Dr One"}}, "Dr One"),
]


@pytest.mark.parametrize(("kind", "value", "label"), OPTIONS, ids=[case[0] for case in OPTIONS])
def test_options_may_be_of_every_type(kind: str, value: dict[str, Any], label: str) -> None:
    filled = filling(form(q("a", kind, answerOption=[value])))
    node = every(filled)["a"]
    assert (node.control, [str(each.label) for each in node.options]) == ("radios", [label])
    answers, issues = parse.answer(node, node.options[0].key)
    assert (answers, issues) == ([value], [])
    chosen = filled.answer({node.name: answers})
    assert chosen.check() == []
    assert chosen.response("completed")["item"][0]["answer"] == [value]


def test_an_option_carries_its_prefix_its_picture_and_its_weight() -> None:
    said = [
        hl7("questionnaire-optionPrefix", valueString="A)"),
        s("itemAnswerMedia", valueAttachment=URL),
        hl7("itemWeight", valueDecimal=2),
        hl7("questionnaire-optionExclusive", valueBoolean=True),
    ]
    made = form(q("a", "choice", answerOption=[option("x", extension=said)]))
    (first,) = every(filling(made))["a"].options
    assert (first.prefix, first.media, first.score, first.exclusive) == ("A)", URL, 2, True)
    assert made.features.not_honoured == ()


def test_units_may_come_from_a_value_set() -> None:
    units = {
        "resourceType": "ValueSet",
        "id": "u",
        "compose": {
            "include": [{"system": "http://unitsofmeasure.org", "concept": [{"code": "kg", "display": "kilos"}]}]
        },
    }
    made = form(q("a", "quantity", ext=[hl7("questionnaire-unitValueSet", valueCanonical="#u")]), contained=[units])
    node = every(filling(made))["a"]
    assert [str(unit.label) for unit in node.units] == ["kilos"]
    (answer,), _ = parse.answer(node, {"number": "1.10", "unit": node.units[0].key})
    kilos = {"value": Decimal("1.10"), "unit": "kilos", "system": "http://unitsofmeasure.org", "code": "kg"}
    assert answer == {"valueQuantity": kilos}
    wrong = filling(made).answer({"q1": [{"valueQuantity": {"value": 1, "unit": "lb", "code": "[lb_av]"}}]})
    assert codes(wrong.check()) == [("a", "unit")]


def test_every_text_of_a_form_is_translated() -> None:
    hints = [
        hl7("entryFormat", valueString="nnn", _valueString=translated("999")),
        s("openLabel", valueString="Other", _valueString=translated("Otro")),
        s("shortText", valueString="Colour", _valueString=translated("Color")),
    ]
    made = form(
        q("a", "open-choice", prefix="1.", _prefix=translated("1.º"), text="Which?", _text=translated("¿Cuál?"), ext=hints,
          answerOption=[{"valueString": "Red", "_valueString": translated("Rojo")}]),
        _title=translated("Un formulario"),
    )  # fmt: skip
    spanish = filling(made, language="es-MX")
    node = every(spanish)["a"]
    assert (node.prefix, node.text, str(node.options[0].label)) == ("1.º", "¿Cuál?", "Rojo")
    assert (node.entry_format, node.open_label, node.short_text, spanish.title) == (
        "999",
        "Otro",
        "Color",
        "Un formulario",
    )
    assert spanish.answer({node.name: [{"valueString": "Red"}]}).check() == []


def test_the_older_name_of_a_rule_is_a_rule_too() -> None:
    rule = {"url": HL7 + "questionnaire-constraint", "extension": [
        {"url": "key", "valueId": "k"}, {"url": "severity", "valueCode": "error"},
        {"url": "human", "valueString": "Never seven"}, {"url": "expression", "valueString": "answer.value != 7"}]}  # fmt: skip
    made = form(q("a", "integer", ext=[rule]))
    assert [issue.message for issue in answered(filling(made), a=7).check()] == ["Never seven"]
    assert answered(filling(made), a=8).check() == []


IN_ORDER = "item.where(linkId='end').answer.value >= item.where(linkId='start').answer.value"


def test_a_rule_may_point_to_the_question_it_is_about() -> None:
    rule = {"url": HL7 + "targetConstraint", "extension": [
        {"url": "key", "valueId": "k"}, {"url": "severity", "valueCode": "error"},
        {"url": "human", "valueString": "After the start"}, {"url": "location", "valueString": "end"},
        {"url": "expression", "valueExpression": fhirpath(IN_ORDER)}]}  # fmt: skip
    made = form(group("stay", q("start", "date"), q("end", "date"), ext=[rule]))
    (issue,) = answered(filling(made), start="2026-02-01", end="2026-01-01").check()
    assert (issue.link_id, issue.message) == ("end", "After the start")


def test_queries_in_a_contained_bundle_give_what_expressions_read() -> None:
    batch = {"resourceType": "Bundle", "id": "queries", "type": "batch", "entry": [
        {"request": {"method": "GET", "url": "Condition?patient={{%patient.id}}"}}]}  # fmt: skip
    made = form(
        q("a", ext=[sdc("initialExpression", "%queries.entry[0].resource.entry.resource.code.text")]),
        contained=[batch],
        extension=[s("sourceQueries", valueReference={"reference": "#queries"})],
    )
    found = {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Condition", "code": {"text": "Asthma"}}}],
    }
    known = {"Condition?patient=7": found}
    draft, troubles = populated(
        made, context(launch={"patient": {"resourceType": "Patient", "id": "7"}}, fetch=known.get)
    )
    assert (values(draft), troubles) == ({"a": ["Asthma"]}, [])


def test_expressions_know_their_item_their_form_and_the_whole_response() -> None:
    made = form(
        q("a", "integer"),
        group(
            "g",
            q("item", ext=[sdc("calculatedExpression", "%qitem.linkId")]),
            q("form", ext=[sdc("calculatedExpression", "%questionnaire.title")]),
            q("all", "integer", ext=[sdc("calculatedExpression", "%rootResource.item.where(linkId='a').answer.value + %here")]),
            ext=[variable("here", "%context.linkId.length()")],
        ),
    )  # fmt: skip
    found = values(answered(filling(made), a=3).response("completed"))
    assert (found["item"], found["form"], found["all"]) == (["item"], ["A form"], [4])


def test_what_is_signed_is_told_from_what_is_not() -> None:
    kind = {"coding": [{"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1"}]}
    asked = hl7("questionnaire-signatureRequired", valueCodeableConcept=kind)
    signed = {"extension": [hl7("questionnaireresponse-signature", valueSignature={"when": "2026-11-21T10:00:00Z"})]}
    made = form(q("a", "boolean", ext=[asked]), q("b"), extension=[asked])

    def told(status: str, head: dict[str, Any], item: dict[str, Any]) -> list[tuple[str, str]]:
        answer = {"linkId": "a", **item, "answer": [{"valueBoolean": True}]}
        response = {"resourceType": "QuestionnaireResponse", "status": status, **head, "item": [answer]}
        return [
            (issue.link_id, issue.severity)
            for issue in validate(made, response, context())
            if issue.code == "signature"
        ]

    assert told("completed", {}, {}) == [("", "warning"), ("a", "warning")]
    assert told("completed", signed, {}) == [("a", "warning")]
    assert told("amended", signed, signed) == []
    assert told("in-progress", {}, {}) == []


def test_features_that_nobody_here_does_are_named() -> None:
    cannot = [
        s("entryMode", valueCode="sequential"),
        s("sourceStructureMap", valueCanonical="https://example.org/map"),
        s("questionnaireAdaptive", valueBoolean=True),
    ]
    made = form(
        q(
            "a",
            "choice",
            ext=[
                s("lookupQuestionnaire", valueCanonical="https://example.org/q"),
                s("contextExpression", valueExpression=fhirpath("1")),
            ],
        ),
        extension=cannot,
    )
    assert {one.feature for one in made.features.not_honoured} == {
        "entryMode", "sourceStructureMap", "questionnaireAdaptive", "lookupQuestionnaire", "contextExpression",
    }  # fmt: skip
    assert all("does not know" not in one.reason for one in made.features.not_honoured)
    assert form(q("a"), extension=[s("entryMode", valueCode="random")]).features.not_honoured == ()


def test_repeating_groups_may_stand_in_repeating_groups() -> None:
    made = form(group("house", group("room", q("window", repeats=True), repeats=True), repeats=True))
    filled = filling(made)
    for name in ("q1-0", "q2-0-0", "q2-1-0"):
        filled = filled.add(name)
    for number, name in enumerate(["q3-0-0", "q3-0-1", "q3-1-0", "q3-1-1"]):
        filled = filled.answer({name: [{"valueString": str(number)}, {"valueString": "x"}]})
    response = filled.response("completed")
    assert [[room["item"][0]["answer"][0]["valueString"] for room in house["item"]] for house in response["item"]] == [
        ["0", "1"],
        ["2", "3"],
    ]
    assert Filling(made, response, context()).response("completed") == response


def test_a_form_may_ask_in_frames_lists_and_tables() -> None:
    parts = [
        group("top", q("t", "display"), ext=[control("header")]),
        *(group(code, q(f"in-{code}"), ext=[control(code)]) for code in ("list", "table", "htable", "gtable", "grid")),
        group("end", q("e", "display"), ext=[control("footer")]),
        q("spin", "integer", ext=[control("spinner")]),
        q("long", ext=[control("text-box")]),
    ]
    nodes = every(filling(form(*parts)))
    assert [nodes[code].control for code in ("list", "table", "htable", "gtable", "grid")] == [
        "group", "table", "table", "table", "grid",
    ]  # fmt: skip
    assert (nodes["spin"].control, nodes["long"].control) == ("integer", "textarea")
    assert {"t", "e"} <= nodes.keys()
