"""What a page draws of what does not apply, or is not for who fills in the form."""

from __future__ import annotations

from typing import Any

import pytest

from portal.questionnaire import validate
from tests.questionnaire.make import answered, codes, context, every, filling, form, group, hl7, q, sdc, values, when

R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Questionnaire.item.disabledDisplay"
SEEN = [{"url": R5, "valueCode": "protected"}]
YES = [when("a", answerBoolean=True)]


def parted(*items: dict[str, Any]) -> Any:
    return form(q("a", "boolean"), group("g", *items, ext=SEEN, enableWhen=YES))


def test_what_stands_in_a_part_that_stays_visible_is_seen_with_it_and_locked() -> None:
    made = parted(q("b", required=True), group("h", q("c")))
    nodes = every(filling(made))
    assert {name: (nodes[name].disabled, nodes[name].read_only) for name in "gbhc"} == dict.fromkeys(
        "gbhc", (True, True)
    )
    assert filling(made).check() == []
    crafted = filling(made).answer({nodes["b"].name: [{"valueString": "1"}]})
    assert values(crafted.response("completed")) == {}
    shown = every(answered(filling(made), a=True))
    assert not any(shown[name].disabled for name in "gbhc")


def test_in_a_visible_part_a_question_with_its_own_condition_follows_its_own_wish() -> None:
    own = [when("b", "exists", answerBoolean=True)]
    made = parted(
        q("b"),
        q("c", enableWhen=own),
        q("d", enableWhen=own, ext=SEEN),
        q("e", ext=[sdc("enableWhenExpression", "true")]),
    )
    assert set(every(filling(made))) == {"a", "g", "b", "d"}


@pytest.mark.parametrize(
    ("mode", "drawn"),
    [
        ("capture", True),
        ("capture-display", True),
        ("capture-display-non-empty", True),
        ("display", False),
        ("display-non-empty", False),
    ],
)
def test_what_is_only_for_those_who_read_a_form_is_not_asked(mode: str, drawn: bool) -> None:
    made = form(q("a", required=True, ext=[hl7("questionnaire-usageMode", valueCode=mode)]), q("b"))
    assert ("a" in every(filling(made))) is drawn
    assert codes(filling(made).check()) == [("a", "required")] * drawn
    given = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    assert codes(validate(made, given, context())) == [("a", "required")] * drawn


MARKED = {
    "xhtml": ("rendering-xhtml", "valueString", "<div><p>A <b>lab</b>el &amp; more</p><p>And</p></div>"),
    "markdown": ("rendering-markdown", "valueMarkdown", "A **lab**el &amp; more\n\nAnd"),
}


@pytest.mark.parametrize("kind", MARKED)
def test_a_list_of_what_was_answered_has_words_and_no_markup(kind: str) -> None:
    """Question, part, prefix and option, however the form writes them."""
    name, key, said = MARKED[kind]
    written = {"extension": [hl7(name, **{key: said})]}
    choice = {"valueCoding": {"code": "a", "display": "plain", "_display": written}}
    inner = [q("a", _text=written, prefix="1", _prefix=written), q("c", "choice", answerOption=[choice])]
    made = form(group("g", *inner, _text=written), q("z"))
    draft = answered(filling(made), a="x", c={"valueCoding": {"code": "a"}})
    rows = [row for section in draft.summary() for row in section.rows]
    assert next((row.question, row.trail) for row in rows) == ("A label & more And", ("A label & more And",))
    nodes = every(draft)
    assert nodes["a"].prefix == draft.text(nodes["a"].name) == "A label & more And"
    assert all("<" not in answer for row in rows for answer in row.answers)


@pytest.mark.parametrize("kind", ["integer", "decimal"])
def test_a_number_is_told_with_the_unit_it_was_asked_in(kind: str) -> None:
    unit = {"code": "h", "display": "hours", "_display": {"extension": [hl7("translation", extension=[
        {"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": "horas"}])]}}  # fmt: skip
    made = form(q("n", kind, ext=[hl7("questionnaire-unit", valueCoding=unit)]), q("m", kind))
    draft = answered(filling(made), n=6, m=7)
    assert [row.answers for row in draft.summary()[0].rows] == [("6 hours",), ("7",)]
    assert [row.answers for row in draft.summary("es")[0].rows] == [("6 horas",), ("7",)]
    assert values(draft.response("completed"))["n"] == [6], "as it was typed"
