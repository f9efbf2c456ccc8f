"""What changed between two versions, told for each question in words."""

from __future__ import annotations

from typing import Any

import pytest

from portal.library.comparing import compare
from portal.questionnaire import load
from tests.intake.make_forms import coding, form, item

MOODS = [coding("good"), coding("bad")]
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
        ({"maxLength": 20}, ["Changed: maxLength."], False),
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
