"""What changed between two versions, told for each question in words."""

from __future__ import annotations

from typing import Any

import pytest

from portal.library.comparing import compare
from portal.questionnaire import load
from tests.intake.make_forms import coding, form, item

MOODS = [coding("good"), coding("bad")]
RENDERED = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/rendering-markdown", "valueMarkdown": "*Why?*"}]
}
LOWEST = {"url": "http://hl7.org/fhir/StructureDefinition/minValue", "valueInteger": 7}
WEIGHED = {"url": "http://hl7.org/fhir/StructureDefinition/itemWeight", "valueDecimal": 3}
WHEN = [{"question": "mood", "operator": "=", "answerCoding": MOODS[1]["valueCoding"]}]
MOOD = item("mood", "choice", "How are you?", answerOption=MOODS)
WHY = item("why", "string", "Why?", enableWhen=WHEN)


def told(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, list[str], bool]]:
    """(linkId, kind, words, asked again) of each question that is not as it was, `before` and `after` being `why`."""
    found = compare(load(form(MOOD, before)), load(form(MOOD, after)))
    return [(each.link_id, each.kind, each.words, each.again) for each in found.items]


@pytest.mark.parametrize(
    ("change", "words", "again"),
    [
        ({"text": "Why is that?"}, ["The words were “Why?”."], True),
        ({"text": "WHY?"}, ["The words were “Why?”."], False),
        ({"type": "text"}, ["The type was string and is text."], True),
        ({"required": True}, ["It must be answered now."], False),
        ({"repeats": True}, ["It may be answered more than once now."], False),
        ({"maxLength": 20}, ["The most characters: not said before, 20 now."], False),
        ({"initial": [{"valueString": "x"}]}, ["Changed: initial."], False),
        ({"_text": RENDERED}, ["Changed: _text."], False),
        ({"extension": [LOWEST]}, ["The lowest value: not said before, 7 now."], False),
        ({"enableWhen": []}, ["It is always asked now."], False),
        (
            {"enableWhen": [{"question": "mood", "operator": "exists", "answerBoolean": True}]},
            ["The condition under which it is asked was: “How are you?” is “Bad”; it is: “How are you?” is answered."],
            False,
        ),
    ],
)
def test_a_change_of_a_question_is_told_in_words(change: dict[str, Any], words: list[str], again: bool) -> None:
    assert told(WHY, {**WHY, **change}) == [("why", "changed", words, again)]


def test_answers_that_come_go_or_are_called_otherwise_are_named() -> None:
    more = [*MOODS, coding("so-so", "So, so")]
    renamed = [coding("good", "Very well"), MOODS[1]]
    added = compare(load(form(MOOD)), load(form({**MOOD, "answerOption": more}))).items[0]
    assert (added.words, added.again) == (["Answers added: So, so."], False)
    gone = compare(load(form({**MOOD, "answerOption": more})), load(form(MOOD))).items[0]
    assert (gone.words, gone.again) == (["Answers taken away: So, so."], True)
    other = compare(load(form(MOOD)), load(form({**MOOD, "answerOption": renamed}))).items[0]
    assert other.words == ["Answers with other words: Good → Very well."]
    turned = compare(load(form(MOOD)), load(form({**MOOD, "answerOption": MOODS[::-1]}))).items[0]
    assert turned.words == ["The answers stand in another order."]


def test_questions_that_are_new_or_gone_are_named_in_the_order_of_the_form() -> None:
    found = compare(load(form(MOOD, item("old", "string"))), load(form(item("new", "string"), MOOD, title="Other")))
    assert [(each.link_id, each.kind, each.again) for each in found.items] == [
        ("new", "added", True),
        ("old", "removed", False),
    ]
    assert found.head == ["The title was “A test form” and is “Other”."]
    assert compare(load(form(MOOD)), load(form(MOOD))).same


PARTS = [item(name, "string", name) for name in "abcdef"]


@pytest.mark.parametrize(
    ("order", "elsewhere"),
    [("abcdef", ""), ("bcdefa", "a"), ("fabcde", "f"), ("acbdef", "b"), ("badcfe", "ace"), ("acdf", ""), ("fxab", "f")],
)
def test_questions_in_another_order_are_named_and_as_few_as_can_be(order: str, elsewhere: str) -> None:
    after = [item(name, "string", name) for name in order]
    found = compare(load(form(*PARTS)), load(form(*after)))
    told = [each for each in found.items if each.kind == "changed"]
    assert len(told) == len(elsewhere)
    assert all(each.words == ["It stands at another place."] for each in told)
    assert elsewhere not in ("a", "f") or [each.link_id for each in told] == [elsewhere]


def test_a_part_that_moves_is_one_change_and_not_one_for_each_question_in_it() -> None:
    groups = [item(name, "group", name, item=[item(f"{name}{n}", "string", "?") for n in range(5)]) for name in "xyz"]
    found = compare(load(form(*groups)), load(form(*groups[1:], groups[0])))
    assert [(each.link_id, each.words) for each in found.items] == [("x", ["It stands at another place."])]


def _listed(*codes: str) -> dict[str, Any]:
    concepts = [{"system": "urn:c", "concept": [{"code": code} for code in codes]}]
    return {"resourceType": "ValueSet", "id": "l", "url": "urn:l", "status": "active", "compose": {"include": concepts}}


def test_answers_of_a_list_inside_the_form_are_compared_like_the_forms_own() -> None:
    asked = item("1", "choice", "Which?", answerValueSet="#l")
    before, after = (load(form(asked, contained=[_listed(*codes)])) for codes in (("a", "b"), ("b", "c")))
    found = compare(before, after)
    assert found.items[0].words == ["Answers added: c.", "Answers taken away: a."]
    assert found.head == ["The lists or templates inside the form changed."]


def test_a_score_of_an_answer_is_told_though_its_words_stay() -> None:
    weighed = [{**MOODS[0], "extension": [WEIGHED]}, MOODS[1]]
    found = compare(load(form(MOOD)), load(form({**MOOD, "answerOption": weighed}))).items
    assert len(found) == 1 and "a score" in found[0].words[0]
