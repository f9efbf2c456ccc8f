"""A response from elsewhere against its form: units and limits, files, references into it, other words than the form's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portal.questionnaire import validate
from tests.questionnaire.make import SDC, context, form, group, hl7, q

UCUM = "http://unitsofmeasure.org"


def measured(value: Any, unit: str) -> dict[str, Any]:
    return {"value": value, "code": unit, "system": UCUM}


KILO = [hl7("questionnaire-unitOption", valueCoding={"system": UCUM, "code": "kg", "display": "kilo"})]
LEAST = [{"url": f"{SDC}minQuantity", "valueQuantity": measured(1, "kg")}]
BOUND: list[tuple[list[Any], dict[str, Any], str]] = [
    (LEAST, measured(900, "g"), "too-small"),
    (LEAST, measured(1000, "g"), ""),
    (LEAST, measured(2, "[lb_av]"), "too-small"),
    (LEAST, measured(3, "cm"), "unit"),
    (LEAST, {"value": 5}, ""),
    (KILO, {"value": 1, "unit": "kilo"}, ""),
    (KILO, {"value": 1, "unit": "kg"}, ""),
    (KILO, {"value": 1, "unit": "kilo", "code": "g", "system": UCUM}, ""),
    (KILO, {"value": 1, "unit": "kg", "code": "g", "system": UCUM}, "unit"),
    (KILO, {"value": 1}, "unit-missing"),
]


@pytest.mark.parametrize(("extensions", "quantity", "code"), BOUND)
def test_a_quantity_is_of_the_kind_its_limits_and_units_are_of(
    extensions: list[Any], quantity: dict[str, Any], code: str
) -> None:
    made = form(q("x", "quantity", ext=extensions))
    found = validate(made, {**HEAD, "item": [{"linkId": "x", "answer": [{"valueQuantity": quantity}]}]}, context())
    assert [issue.code for issue in found] == ([code] if code else [])


HEAD = {"resourceType": "QuestionnaireResponse", "status": "completed"}
PNG = [hl7("maxSize", valueDecimal=Decimal("0.000005")), hl7("mimeType", valueCode="image/png")]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"data": "AAAA"}, ""),
        ({"data": "AA AA\n"}, ""),
        ({"data": "AAAAAAAA", "size": 6}, "file-size"),
        ({"data": "AAAAAAAAAAAA", "size": 2}, "file-size"),
        ({"data": "!!!!"}, "type"),
        ({"url": "x:y", "size": 6}, "file-size"),
        ({"data": "AAAA", "contentType": "image/jpeg"}, "file-kind"),
    ],
)
def test_a_file_is_as_large_as_it_is_and_not_as_it_says(fields: dict[str, Any], code: str) -> None:
    value = {"contentType": "image/png", **fields}
    made = form(q("x", "attachment", ext=PNG))
    found = validate(made, {**HEAD, "item": [{"linkId": "x", "answer": [{"valueAttachment": value}]}]}, context())
    assert [issue.code for issue in found] == ([code] if code else [])


@pytest.mark.parametrize(
    ("reference", "code"), [("#p", ""), ("#o", "reference-kind"), ("#gone", "reference"), ("Patient/1", ""), ("#", "")]
)
def test_a_reference_into_the_response_is_followed(reference: str, code: str) -> None:
    made = form(q("x", "reference", ext=[hl7("questionnaire-referenceResource", valueCode="Patient")]))
    held = [{"resourceType": "Patient", "id": "p"}, {"resourceType": "Observation", "id": "o"}]
    answer = {"linkId": "x", "answer": [{"valueReference": {"reference": reference}}]}
    found = validate(made, {**HEAD, "contained": held, "item": [answer]}, context())
    assert [issue.code for issue in found] == ([code] if code else [])


SPANISH = hl7("translation", extension=[{"url": "lang", "valueCode": "es"}, {"url": "content", "valueString": "Edad"}])


@pytest.mark.parametrize(
    ("said", "differs"), [("Age", False), ("  Age ", False), ("Edad", False), (None, False), ("Weight", True)]
)
def test_a_question_asked_in_other_words_is_a_warning(said: str | None, differs: bool) -> None:
    worked_out = {
        "extension": [hl7("cqf-expression", valueExpression={"language": "text/fhirpath", "expression": "'x'"})]
    }
    made = form(
        group("g", q("a", text="Age", _text={"extension": [SPANISH]}), q("b", text="Age", _text=worked_out)),
        q("c", text="Age", item=[q("d", text="Age", _text={"extension": [SPANISH]})]),
    )

    def answer(link_id: str, **inner: Any) -> dict[str, Any]:
        return {"linkId": link_id, "answer": [{"valueString": "1", **inner}], **({"text": said} if said else {})}

    items = [{"linkId": "g", "item": [answer("a"), answer("b")]}, {**answer("c", item=[answer("d")]), "text": "Age"}]
    found = validate(made, {**HEAD, "item": items}, context())
    assert [(one.link_id, one.code, one.severity) for one in found] == (
        [(link_id, "text-differs", "warning") for link_id in "ad"] if differs else []
    )
