"""The units of a quantity: those of the list, and others where the form leaves it open."""

from __future__ import annotations

from typing import Any

import pytest

from portal.questionnaire import Form, load, parse, validate
from tests.questionnaire.make import SDC, codes, context, every, filling, form, hl7, q, raw_form

UNITS = [
    hl7("questionnaire-unitOption", valueCoding={"system": "http://unitsofmeasure.org", "code": code, "display": code})
    for code in ("kg", "g")
]
SPOONS = {
    "resourceType": "CodeSystem",
    "url": "https://example.org/spoons",
    "content": "complete",
    "concept": [{"code": "tea", "display": "teaspoon"}, {"code": "kg", "display": "kilospoon"}],
}
STONE = {"valueQuantity": {"value": 11, "unit": "stone"}}


@pytest.mark.parametrize(
    ("said", "open_"), [(None, False), ("optionsOnly", False), ("optionsOrType", True), ("optionsOrString", True)]
)
def test_a_unit_outside_the_list_is_taken_only_where_the_form_leaves_it_open(said: str | None, open_: bool) -> None:
    more = [{"url": SDC + "unitOpen", "valueCode": said}] if said else []
    filled = filling(form(q("w", "quantity", ext=[*UNITS, *more])))
    assert every(filled)["w"].unit_open is open_
    assert codes(filled.answer({"q1": [STONE]}).check()) == ([] if open_ else [("w", "unit")])


def _spooned(*, at_hand: bool = True, open_: str = "optionsOrType") -> Form:
    further = {"url": SDC + "unitSupplementalSystem", "valueCanonical": SPOONS["url"]}
    item = q("w", "quantity", ext=[*UNITS, {"url": SDC + "unitOpen", "valueCode": open_}, further])
    return load(raw_form(item), registry={SPOONS["url"]: SPOONS} if at_hand else {})


def test_units_outside_the_list_are_those_of_the_system_that_the_form_names() -> None:
    made = _spooned()
    node = every(filling(made))["w"]
    assert [str(unit.label) for unit in node.units] == ["kg", "g", "teaspoon", "kilospoon"]
    assert made.features.not_honoured == ()
    (answer,), _ = parse.answer(node, {"number": "2", "unit": node.units[2].key})
    assert answer["valueQuantity"] == {"value": 2, "unit": "teaspoon", "system": SPOONS["url"], "code": "tea"}
    (answer,), _ = parse.answer(node, {"number": "2", "unit": "pinch"})
    assert answer["valueQuantity"] == {"value": 2, "unit": "pinch"}
    assert [str(unit.label) for unit in every(filling(_spooned(open_="optionsOnly")))["w"].units] == ["kg", "g"]


def test_a_system_of_further_units_that_is_not_at_hand_is_said() -> None:
    (missed,) = _spooned(at_hand=False).features.not_honoured
    assert (missed.link_id, missed.feature) == ("w", "unitSupplementalSystem")
    assert SPOONS["url"] in missed.reason


@pytest.mark.parametrize(
    ("unit", "known", "unknown"),
    [
        ({"code": "kg", "system": "http://unitsofmeasure.org"}, [], []),
        ({"code": "tea", "system": SPOONS["url"]}, [], []),
        ({"code": "tea", "system": "https://example.org/x"}, ["unit-system"], ["unit-system"]),
        ({"code": "soup", "system": SPOONS["url"]}, ["unit-system"], []),
        ({"unit": "soup spoon"}, [], []),
    ],
)
def test_a_coded_unit_of_another_system_is_pointed_out(
    unit: dict[str, Any], known: list[str], unknown: list[str]
) -> None:
    given = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    given |= {"item": [{"linkId": "w", "answer": [{"valueQuantity": {"value": 1, **unit}}]}]}
    for at_hand, wanted in ((True, known), (False, unknown)):
        issues = validate(_spooned(at_hand=at_hand), given, context())
        assert [(issue.code, issue.severity) for issue in issues] == [(code, "warning") for code in wanted]
