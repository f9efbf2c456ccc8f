"""Which pages there are and what they draw."""

from __future__ import annotations

import time
from typing import Any

import pytest

from portal.questionnaire import Filling, Html, parse
from tests.questionnaire.make import (
    HL7,
    answered,
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
    variable,
    when,
)


def many(prefix: str, count: int) -> list[dict[str, Any]]:
    return [q(f"{prefix}{number}") for number in range(count)]


def keys(*items: dict[str, Any]) -> list[str]:
    return [page.key for page in filling(form(*items)).pages]


def test_a_short_form_is_one_page() -> None:
    assert len(keys(q("a"), group("g", *many("g", 3)), group("h", *many("h", 3)))) == 1


def test_groups_of_a_long_form_are_pages_and_loose_questions_gather_between_them() -> None:
    assert keys(
        q("before", text="Before we start"), group("one", *many("a", 5)), group("two", *many("b", 5)), q("after")
    ) == [
        "before-we-start",
        "one",
        "two",
        "after",
    ]


def test_the_author_of_pages_and_tabs_is_followed() -> None:
    tabs = group("tabs", group("one", q("a")), group("two", q("b")), ext=[control("tab-container")])
    assert keys(tabs) == ["one", "two"]
    assert keys(group("big", *many("a", 40), ext=[control("page")]), group("small", q("b"), ext=[control("page")])) == [
        "big",
        "small",
    ]


def test_a_long_part_is_cut_and_a_table_or_a_repeating_part_is_not() -> None:
    assert len(keys(group("g", *many("a", 40)))) > 2
    assert len(keys(group("g", *many("a", 40), repeats=True))) == 1
    assert len(keys(group("g", *many("a", 40), ext=[control("grid")]))) == 1


def test_a_page_comes_and_goes_with_what_applies_on_it() -> None:
    made = form(
        group("one", q("a", "boolean"), *many("x", 8)),
        group("two", q("b"), enableWhen=[when("a", answerBoolean=True)]),
        group("three", q("c", ext=[hl7("questionnaire-hidden", valueBoolean=True)])),
    )
    filled = filling(made)
    assert [(page.key, page.number, page.total) for page in filled.pages] == [("one", 1, 1)]
    assert [(page.key, page.number, page.total) for page in answered(filled, a=True).pages] == [
        ("one", 1, 2),
        ("two", 2, 2),
    ]


def test_a_part_that_only_shows_a_total_stands_below_what_it_adds_up() -> None:
    total = group("score", q("sum", "integer", ext=[sdc("calculatedExpression", "1 + 1")]))
    assert keys(group("one", *many("a", 9)), group("two", *many("b", 9)), total) == ["one", "two"]
    middle = filling(form(group("one", *many("a", 9)), total, group("two", *many("b", 9))))
    assert [[node.link_id for node in middle.nodes(page.key)] for page in middle.pages] == [["one", "score"], ["two"]]
    asked = {**total, "extension": [control("page")]}
    assert keys(group("one", *many("a", 9)), asked) == ["one", "score"]


def test_keys_are_safe_in_an_address_and_never_the_same_twice() -> None:
    groups = [
        group(f"g{n}", *many(f"q{n}-", 5), text=text)
        for n, text in enumerate(["¿Dolor?", "¿Dolor?", "疼痛", "a/b?c#d", " "])
    ]
    assert keys(*groups) == ["dolor", "dolor-2", "g2", "a-b-c-d", "g4"]


CONTROLS: list[tuple[dict[str, Any], str]] = [
    (q("a", "boolean"), "yesno"),
    (q("a", "string"), "text"),
    (q("a", "text"), "textarea"),
    (q("a", "integer"), "integer"),
    (q("a", "integer", ext=[control("slider")]), "slider"),
    (q("a", "decimal"), "decimal"),
    (q("a", "date"), "date"),
    (q("a", "dateTime"), "datetime"),
    (q("a", "time"), "time"),
    (q("a", "url"), "url"),
    (q("a", "quantity"), "quantity"),
    (q("a", "attachment"), "attachment"),
    (q("a", "reference"), "reference"),
    (q("a", "choice", answerOption=[option("x"), option("y")]), "radios"),
    (q("a", "choice", answerOption=[option("x"), option("y")], repeats=True), "checkboxes"),
    (q("a", "choice", answerOption=[option("x")], ext=[control("drop-down")]), "select"),
    (q("a", "choice", answerOption=[option(str(n)) for n in range(9)]), "select"),
    (q("a", "choice", answerOption=[option(str(n)) for n in range(61)]), "autocomplete"),
    (q("a", "open-choice", answerOption=[option("x")]), "radios"),
    (q("a", "open-choice"), "text"),
    (q("a", "integer", answerOption=[{"valueInteger": 1}]), "radios"),
    (q("a", "display"), "display"),
    (group("a", q("b"), ext=[control("gtable")]), "table"),
    (group("a", q("b"), ext=[control("grid")]), "grid"),
    (group("a", q("b")), "group"),
]


@pytest.mark.parametrize(("item", "expected"), CONTROLS)
def test_each_type_has_its_control(item: dict[str, Any], expected: str) -> None:
    assert every(filling(form(item)))["a"].control == expected


def test_help_unit_and_their_kin_belong_to_their_question() -> None:
    parts = [
        q(f"d{code}", "display", text=f"the {code}", ext=[control(code)])
        for code in ("help", "flyover", "legal", "unit", "lower", "upper", "prompt")
    ]
    node = every(filling(form(q("a", "integer", *parts))))["a"]
    assert (node.help, node.flyover, node.legal, node.unit) == ("the help", "the flyover", "the legal", "the unit")
    assert (node.lower, node.upper, node.prompt, node.children) == ("the lower", "the upper", "the prompt", [])


def test_hints_of_the_author_reach_the_page() -> None:
    extensions = [
        hl7("entryFormat", valueString="nnn"),
        sdc("shortText", "") | {"valueString": "short"},
        hl7("questionnaire-choiceOrientation", valueCode="horizontal"),
        hl7("questionnaire-supportLink", valueUri="https://example.org/help"),
        hl7("questionnaire-signatureRequired", valueCodeableConcept={"coding": [{"code": "x"}]}),
    ]
    for extension in extensions:
        extension.pop("valueExpression", None)
    node = every(filling(form(q("a", ext=extensions, prefix="1."))))["a"]
    assert (node.entry_format, node.short_text, node.orientation, node.prefix) == ("nnn", "short", "horizontal", "1.")
    assert node.links == ["https://example.org/help"]
    assert node.signature


def translated(**words: str) -> dict[str, Any]:
    return {
        "extension": [
            hl7("translation", extension=[{"url": "lang", "valueCode": lang}, {"url": "content", "valueString": text}])
            for lang, text in words.items()
        ]
    }


def test_every_text_is_read_in_the_language_and_can_be_switched() -> None:
    coding = {"system": "s", "code": "c", "display": "Pain", "_display": translated(es="Dolor")}
    made = form(q("a", "choice", text="What?", _text=translated(es="¿Qué?"), answerOption=[{"valueCoding": coding}]))
    filled = answered(filling(made), a={"valueCoding": coding})
    spanish = filled.spoken("es-MX")
    assert (every(filled)["a"].text, every(filled)["a"].options[0].label) == ("What?", "Pain")
    assert (every(spanish)["a"].text, every(spanish)["a"].options[0].label) == ("¿Qué?", "Dolor")
    assert filled.summary("es")[0].rows[0].question == "¿Qué?"
    assert filled.summary("es")[0].rows[0].answers == ("Dolor",)
    assert every(filled)["a"].options[0].key == every(spanish)["a"].options[0].key
    assert spanish.response("completed")["item"][0]["text"] == "¿Qué?"


POLYGLOTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<b style='background:url(//x)'>",
    "<a href='javascript:x'>",
]


@pytest.mark.parametrize("bad", POLYGLOTS)
def test_markup_of_a_form_is_cleaned_and_answers_in_texts_stay_text(bad: str) -> None:
    expression = {
        "extension": [
            hl7("cqf-expression", valueExpression=fhirpath("'Hello ' + %resource.item.where(linkId='a').answer.value"))
        ]
    }
    markdown = {"extension": [hl7("rendering-markdown", valueMarkdown=f"**bold** {bad}")]}
    xhtml = {"extension": [hl7("rendering-xhtml", valueString=f"<p>ok {bad}</p>")]}
    made = form(q("a"), q("b", _text=expression), q("c", _text=markdown), q("d", _text=xhtml))
    nodes = every(answered(filling(made), a=bad))
    assert nodes["b"].text == f"Hello {bad}"
    assert not isinstance(nodes["b"].text, Html)
    for link_id in ("c", "d"):
        text = nodes[link_id].text
        assert isinstance(text, Html)
        for forbidden in ("<script", "<img", "<svg", "style=", "href", "onerror", "onload", "url("):
            assert forbidden not in text.lower()
    assert "<strong>bold</strong>" in nodes["c"].text


def test_options_come_and_go_with_their_expressions() -> None:
    toggle = {
        "url": HL7.replace("StructureDefinition/", "uv/sdc/StructureDefinition/")
        + "sdc-questionnaire-answerOptionsToggleExpression",
        "extension": [
            {"url": "option", **option("b")},
            {"url": "expression", "valueExpression": fhirpath("%more.exists() and %more")},
        ],
    }
    made = form(
        q("more", "boolean"),
        q("a", "choice", answerOption=[option("a"), option("b")], ext=[toggle]),
        q("c", "choice", ext=[sdc("answerExpression", "%questionnaire.item.where(linkId='a').answerOption.value")]),
        extension=[variable("more", "%resource.item.where(linkId='more').answer.value")],
    )
    filled = filling(made)
    assert [str(o.label) for o in every(filled)["a"].options] == ["a"]
    assert [str(o.label) for o in every(answered(filled, more=True))["a"].options] == ["a", "b"]
    assert [str(o.label) for o in every(filled)["c"].options] == ["a", "b"]


def test_value_sets_are_expanded_from_what_is_at_hand() -> None:
    value_set = {
        "resourceType": "ValueSet",
        "id": "v",
        "compose": {
            "include": [
                {"system": "s", "concept": [{"code": "x", "display": "X"}]},
                {"system": "https://example.org/cs", "filter": [{"property": "concept", "op": "is-a", "value": "p"}]},
            ]
        },
    }
    system = {
        "resourceType": "CodeSystem",
        "url": "https://example.org/cs",
        "concept": [{"code": "p", "display": "P", "concept": [{"code": "q", "display": "Q"}]}, {"code": "z"}],
    }
    made = form(q("a", "choice", answerValueSet="#v"), contained=[value_set, system])
    assert [str(o.label) for o in every(filling(made))["a"].options] == ["X", "P", "Q"]


def test_check_your_answers_says_what_was_asked_and_answered_in_words() -> None:
    made = form(q("a", "boolean"), group("g", q("when", "date"), q("much", "decimal", required=True), repeats=True))
    filled = answered(filling(made), a=True, when="2019-03")
    (section,) = filled.summary("en-GB")
    assert [(row.question, row.answers, row.state, row.trail) for row in section.rows] == [
        ("a", ("Yes",), "answered", ()),
        ("when", ("March 2019",), "answered", ("g",)),
        ("much", (), "missing", ("g",)),
    ]
    assert filled.answered() == (2, 3)


def test_do_not_know_and_prefer_not_to_say_are_answers_of_their_own_where_the_form_offers_them() -> None:
    reasons = [
        {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": code, "display": display}
        for code, display in (("asked-unknown", "I do not know"), ("asked-declined", "I prefer not to say"))
    ]
    offered = {
        "url": "urn:previsit:absent-reason-option",
        "valueCodeableConcept": {"coding": reasons},
    }
    made = form(q("a", "date", required=True, ext=[offered]))
    filled = filling(made)
    node = every(filled)["a"]
    assert [str(one.label) for one in node.absent] == ["I do not know", "I prefer not to say"]
    answers, issues = parse.answer(node, node.absent[1].key)
    assert issues == []
    declined = filled.answer({node.name: answers})
    assert declined.check() == []
    assert declined.summary()[0].rows[0].state == "absent"
    (answer,) = declined.response("completed")["item"][0]["answer"]
    assert answer["extension"][0]["valueCode"] == "asked-declined"
    assert Filling(made, declined.draft(), context()).draft() == declined.draft()
    assert made.features.not_honoured == ()


def test_a_form_at_the_limits_is_still_drawn_quickly_enough_to_use() -> None:
    made = form(*(group(f"g{n}", *many(f"q{n}-", 19), ext=[control("page")]) for n in range(100)))
    assert len(made.all_items) == 2000
    began = time.process_time()
    filled = answered(filling(made), **{"q50-3": "x"})
    assert len(filled.nodes(filled.pages[50].key)[0].children) == 19
    assert time.process_time() - began < 5
