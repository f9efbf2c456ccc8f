"""A response from elsewhere against its form: units and limits, files, references into it, other words than the form's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portal.questionnaire import validate
from tests.questionnaire.make import SDC, context, form, group, hl7, option, q

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
        ({"data": "AAAAAAAAAAAA", "size": 2}, "file-stated file-size"),
        ({"data": "AAAA", "size": 4}, "file-stated"),
        ({"data": "AAA=", "size": 2}, ""),
        ({"data": "!!!!"}, "type"),
        ({"url": "x:y", "size": 6}, "file-size"),
        ({"data": "AAAA", "contentType": "image/jpeg"}, "file-kind"),
    ],
)
def test_a_file_is_as_large_as_it_is_and_not_as_it_says(fields: dict[str, Any], code: str) -> None:
    value = {"contentType": "image/png", **fields}
    made = form(q("x", "attachment", ext=PNG))
    found = validate(made, {**HEAD, "item": [{"linkId": "x", "answer": [{"valueAttachment": value}]}]}, context())
    assert [issue.code for issue in found] == code.split()


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


def answered(*answers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**HEAD, "item": [{"linkId": "x", "answer": list(answers)} if answers else {"linkId": "x"}], **fields}


def coded(code: str) -> dict[str, Any]:
    return option(code) if code else {"valueCoding": {"display": "Own words"}}


TWO = [hl7("questionnaire-minOccurs", valueInteger=2)]
PLACE = "QuestionnaireResponse.item[0]"
OFFERED = {"answerOption": [option("a")]}
VERDICTS: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, str]]]] = [
    (q("x", required=True), answered(), [("required", "error", PLACE)]),
    (q("x", required=True), answered(status="in-progress"), [("required", "warning", PLACE)]),
    (q("x", required=True), {**HEAD, "item": []}, [("required", "error", "QuestionnaireResponse")]),
    (q("x", ext=TWO), answered(), [("too-few", "error", PLACE)]),
    (q("x", ext=TWO), {**HEAD, "item": []}, []),
    (q("x", ext=TWO, repeats=True), answered({"valueString": "a"}), [("too-few", "error", PLACE)]),
    (q("x", "integer", maxLength=3), answered({"valueInteger": 1000}), [("too-long", "error", f"{PLACE}.answer[0]")]),
    (q("x", "integer", maxLength=3), answered({"valueInteger": 100}), []),
    (q("x", "decimal", maxLength=3), answered({"valueDecimal": Decimal("1.25")}), [("too-long", "error", f"{PLACE}.answer[0]")]),
    (q("x", "open-choice", **OFFERED), answered(coded("a")), []),
    (q("x", "open-choice", **OFFERED), answered(coded("")), []),
    (q("x", "open-choice", **OFFERED), answered({"valueString": "b"}), []),
    (q("x", "open-choice", **OFFERED), answered(coded("b")), [("option", "error", f"{PLACE}.answer[0]")]),
    (q("x", "open-choice", **OFFERED), answered({"valueCoding": {"display": ""}}), [("type", "error", f"{PLACE}.answer[0]")]),
    (q("x", "reference"), answered({"valueReference": {"reference": "Patient/1"}}), []),
    (q("x", "reference"), answered({"valueReference": {"reference": "urn:oid:1.2.3"}}), []),
    (q("x", "reference"), answered({"valueReference": {"reference": "https://e.org/Chicken/1"}}),
     [("reference-type", "error", f"{PLACE}.answer[0]")]),
]  # fmt: skip


@pytest.mark.parametrize(("item", "response", "issues"), VERDICTS, ids=range(len(VERDICTS)))
def test_where_a_response_falls_short_and_how_badly(
    item: dict[str, Any], response: dict[str, Any], issues: list[tuple[str, str, str]]
) -> None:
    found = validate(form(item), response, context())
    assert [(one.code, one.severity, one.expression) for one in found] == issues


@pytest.mark.parametrize(
    ("fields", "authored", "code"),
    [
        ({"status": "retired"}, "2026-01-01", "retired-form"),
        ({"effectivePeriod": {"start": "2022"}}, "2021-12-12", "form-period"),
        ({"effectivePeriod": {"end": "2021-12-11"}}, "2021-12-12T10:00:00Z", "form-period"),
        ({"effectivePeriod": {"start": "2021", "end": "2021"}}, "2021-12-12", ""),
        ({"effectivePeriod": {"start": "2021-06"}}, "2021", ""),
        ({"effectivePeriod": {"start": "2021-06"}}, None, ""),
        ({"effectivePeriod": "always"}, "2021", ""),
    ],
)
def test_a_form_no_longer_or_not_yet_in_force_is_a_warning(
    fields: dict[str, Any], authored: str | None, code: str
) -> None:
    response = {**answered({"valueString": "a"}), **({"authored": authored} if authored else {})}
    found = validate(form(q("x"), **fields), response, context())
    assert [(one.code, one.severity) for one in found] == ([(code, "warning")] if code else [])


@pytest.mark.parametrize(("limit", "most"), [("1.5", 1572864), ("20", 20971520), ("50", 50), ("1048576", 1048576)])
def test_a_limit_of_size_is_bytes_unless_no_file_is_that_small(limit: str, most: int) -> None:
    made = form(q("x", "attachment", ext=[hl7("maxSize", valueDecimal=Decimal(limit))]))

    def codes(size: int) -> list[str]:
        return [
            one.code for one in validate(made, answered({"valueAttachment": {"url": "x:y", "size": size}}), context())
        ]

    assert (codes(most), codes(most + 1)) == ([], ["file-size"])


@pytest.mark.parametrize(
    ("named", "severity"),
    [
        ("https://example.org/form", ""),
        ("https://example.org/form|1", ""),
        ("https://example.org/other", "error"),
        ("Questionnaire/another-id", "warning"),
        ("Questionnaire/another-id/more", "error"),
    ],
)
def test_an_id_at_another_server_says_nothing_of_the_form_while_another_address_does(named: str, severity: str) -> None:
    given = {"resourceType": "QuestionnaireResponse", "status": "in-progress", "questionnaire": named}
    found = validate(form(q("a")), given, context())
    assert [(one.code, one.severity) for one in found] == ([("form-mismatch", severity)] if severity else [])
