"""Values of a response from elsewhere: when two are the same, how long and in which form they are written, what belongs together."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portal.questionnaire import FormRefused, validate
from tests.questionnaire.make import SDC, context, form, group, hl7, option, q, when

UCUM = "http://unitsofmeasure.org"
HEAD = {"resourceType": "QuestionnaireResponse", "status": "completed"}


def found(made: Any, *items: dict[str, Any], **head: Any) -> list[tuple[str, str, str]]:
    issues = validate(made, {**HEAD, **head, "item": list(items)}, context())
    return [(issue.link_id, issue.code, issue.severity) for issue in issues]


def codes(kind: str, value: Any, *extensions: Any, key: str = "", **fields: Any) -> list[str]:
    """What is wrong with one answer to a question of this type."""
    made = form(q("x", kind, ext=list(extensions), **fields))
    return [code for _, code, _ in found(made, {"linkId": "x", "answer": [{key or f"value{kind.title()}": value}]})]


def kilo(value: Any, **fields: Any) -> dict[str, Any]:
    return {"value": value, "system": UCUM, "code": "kg", **fields}


SAME: list[tuple[str, str, str, Any, Any, bool]] = [
    ("time", "Time", "=", "10:30:00", "10:30:00.0", True),
    ("time", "Time", "=", "10:30:00.5", "10:30:00.50", True),
    ("time", "Time", ">", "10:30:00", "10:30:00.0", False),
    ("time", "Time", ">", "10:30:00", "10:30:00.01", True),
    ("reference", "Reference", "=", {"reference": "Patient/1"}, {"reference": "Patient/1", "display": "Ann"}, True),
    ("reference", "Reference", "=", {"identifier": {"value": "1"}}, {"identifier": {"value": "1"}}, True),
    ("reference", "Reference", "=", {"identifier": {"value": "1"}}, {"identifier": {"value": "2"}}, False),
    ("reference", "Reference", "=", {"display": "Ann"}, {"display": "Bob"}, False),
    ("reference", "Reference", "!=", {"display": "Ann"}, {"display": "Bob"}, True),
    ("quantity", "Quantity", ">", {"value": 1}, kilo(2), True),
    ("quantity", "Quantity", ">", kilo(1), {"value": 2}, False),
    ("quantity", "Quantity", "=", {"value": 2, "unit": "kilo"}, kilo(2, unit="kilo"), True),
    ("quantity", "Quantity", "=", {"value": 2, "unit": "kilo", "code": "g"}, kilo(2, unit="kilo"), False),
    ("quantity", "Quantity", "<", kilo(5), kilo(5, comparator="<"), True),
    ("quantity", "Quantity", ">=", kilo(5), kilo(5, comparator="<"), False),
    ("quantity", "Quantity", "<", kilo(5), kilo(9, comparator="<"), False),
    ("quantity", "Quantity", ">", kilo(5), kilo(9, comparator=">"), True),
    ("quantity", "Quantity", ">=", kilo(5), kilo(5, comparator="<="), False),
    ("quantity", "Quantity", "=", kilo(5, comparator="<"), kilo(5, comparator="<"), True),
]


@pytest.mark.parametrize(("kind", "key", "operator", "wanted", "given", "holds"), SAME)
def test_a_condition_compares_what_is_meant_and_not_how_it_is_written(
    kind: str, key: str, operator: str, wanted: Any, given: Any, holds: bool
) -> None:
    made = form(q("x", kind), q("y", required=True, enableWhen=[when("x", operator, **{f"answer{key}": wanted})]))
    assert found(made, {"linkId": "x", "answer": [{f"value{key}": given}]}) == [("y", "required", "error")] * holds


LEAST = hl7("minLength", valueInteger=3)
LONG: list[tuple[list[str], str, Any, list[Any], dict[str, Any]]] = [
    (["too-long"], "string", "a", [], {"maxLength": 0}),
    (["too-long", "too-short"], "string", "ab", [LEAST], {"maxLength": 1}),
    (["too-long", "pattern"], "string", "ab", [hl7("regex", valueString="[0-9]+")], {"maxLength": 1}),
    (["too-short"], "integer", 12, [LEAST], {}),
    ([], "decimal", Decimal("1.0"), [LEAST], {}),
    (["pattern"], "decimal", Decimal("1.5"), [hl7("regex", valueString=r"\d+\.\d\d")], {}),
    ([], "decimal", Decimal("1.50"), [hl7("regex", valueString=r"\d+\.\d\d")], {}),
    (["pattern"], "date", "2021-06-01", [hl7("regex", valueString=r"2020-.*")], {}),
    (["pattern"], "time", "18:00:59", [hl7("regex", valueString=r"\d\d:\d\d:00")], {}),
    (["pattern"], "boolean", False, [hl7("regex", valueString="true")], {}),
    ([], "boolean", True, [hl7("regex", valueString="true")], {"maxLength": 1}),
]


@pytest.mark.parametrize(("wrong", "kind", "value", "extensions", "fields"), LONG)
def test_every_plain_value_is_held_to_its_length_and_its_pattern_as_it_is_written(
    wrong: list[str], kind: str, value: Any, extensions: list[Any], fields: dict[str, Any]
) -> None:
    assert codes(kind, value, *extensions, **fields) == wrong


@pytest.mark.parametrize(
    ("address", "right"),
    [
        ("urn:oid:2.16.840.1", True),
        ("urn:oid:3.16", False),
        ("urn:oid:2.16.x", False),
        ("urn:uuid:zz", False),
        ("tel:+123", True),
        ("a b", False),
    ],
)
def test_an_address_is_written_as_addresses_of_its_kind_are(address: str, right: bool) -> None:
    assert codes("url", address, key="valueUri") == [] if right else ["url"]
    wrong = codes("attachment", {"contentType": "a/b", "url": address})
    assert wrong == ([] if right else ["type"])


PARTS: list[tuple[str, dict[str, Any], list[Any], list[str]]] = [
    ("quantity", {"value": 5, "comparator": "~"}, [], ["type"]),
    ("quantity", {"value": 5, "code": "kg"}, [], ["unit-code"]),
    ("attachment", {"data": "AAAA"}, [], ["type"]),
    ("attachment", {"data": "AAAA"}, [hl7("mimeType", valueCode="a/b")], ["file-kind"]),
    ("attachment", {"data": "AAAA", "contentType": "a/b"}, [hl7("mimeType", valueCode="*/*")], []),
    ("reference", {"reference": "Patient/1", "type": "Group"}, [], ["reference-kind"]),
    ("reference", {"type": "http://hl7.org/fhir/StructureDefinition/Patient", "display": "Ann"}, [], []),
    ("reference", {"type": "Chicken", "display": "Ann"}, [], ["reference-type"]),
    ("reference", {"reference": "urn:uuid:zz"}, [], ["reference"]),
]


@pytest.mark.parametrize(("kind", "value", "extensions", "wrong"), PARTS)
def test_what_belongs_together_in_a_value_goes_together(
    kind: str, value: dict[str, Any], extensions: list[Any], wrong: list[str]
) -> None:
    assert codes(kind, value, *extensions) == wrong


def test_a_quantity_with_a_comparator_is_beyond_a_limit_that_it_cannot_reach() -> None:
    limits = [
        {"url": f"{SDC}minQuantity", "valueQuantity": kilo(5)},
        {"url": f"{SDC}maxQuantity", "valueQuantity": kilo(9)},
    ]
    said = {comparator + value: codes("quantity", kilo(int(value), comparator=comparator), *limits)
            for comparator in "<>" for value in "59"}  # fmt: skip
    assert said == {"<5": ["too-small"], "<9": [], ">5": [], ">9": ["too-large"]}


def test_a_part_counts_as_often_as_it_appears_in_a_response_from_elsewhere() -> None:
    most = [hl7("questionnaire-maxOccurs", valueInteger=1)]
    made = form(group("g", q("x"), repeats=True, ext=most))
    full = {"linkId": "g", "item": [{"linkId": "x", "answer": [{"valueString": "1"}]}]}
    assert found(made, full, {"linkId": "g"}) == [("g", "too-many", "error")]
    assert found(made, full) == []


def test_a_limit_that_is_worked_out_may_be_none_at_all() -> None:
    none = {"language": "text/fhirpath", "expression": "0"}
    most = {
        "url": hl7("questionnaire-maxOccurs")["url"],
        "_valueInteger": {"extension": [hl7("cqf-expression", valueExpression=none)]},
    }
    made = form(q("x", repeats=True, ext=[most]))
    assert found(made, {"linkId": "x", "answer": [{"valueString": "1"}]}) == [("x", "too-many", "error")]


def ruled(expression: str) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"url": "key", "valueId": "k"}, {"url": "severity", "valueCode": "error"}]
    said = {"language": "text/fhirpath", "expression": expression}
    return hl7(
        "targetConstraint",
        extension=[*parts, {"url": "human", "valueString": "No"}, {"url": "expression", "valueExpression": said}],
    )


@pytest.mark.parametrize(
    "expression", ["answer.value > %nobody", "answer.count( = 3 x", "(answer.value | 'z').single()"]
)
def test_a_rule_that_cannot_be_checked_is_said(expression: str) -> None:
    made = form(q("x", ext=[ruled(expression)]), q("y"))
    answer = {"answer": [{"valueString": "1"}]}
    assert found(made, {"linkId": "x", **answer}) == [("x", "rule-unchecked", "warning")]
    assert found(made, {"linkId": "y", **answer}) == []


def test_a_response_is_about_whom_the_form_is_for() -> None:
    made = form(q("x"), subjectType=["Patient"])
    about = {"Patient/1": [], "https://example.org/fhir/Group/1": [("", "reference-kind", "error")]}
    assert {one: found(made, subject={"reference": one}) for one in about} == about
    assert found(made, subject={"type": "Group", "display": "All"}) == [("", "reference-kind", "error")]
    assert found(form(q("x")), subject={"reference": "Group/1"}) == []


def test_what_changes_the_meaning_in_an_unknown_way_is_not_passed_over() -> None:
    unknown = {"modifierExtension": [{"url": "https://example.org/not", "valueBoolean": True}]}
    made = form(q("x"))
    answer = {"valueString": "1"}
    assert found(made, **unknown) == [("", "shape", "error")]
    assert found(made, {"linkId": "x", "answer": [answer], **unknown}) == [("x", "shape", "error")]
    assert found(made, {"linkId": "x", "answer": [{**answer, **unknown}]}) == [("", "shape", "error")]


def test_options_that_are_references_are_told_apart() -> None:
    listed = [
        {"valueReference": {"identifier": {"system": "u:s", "value": "1"}}},
        {"valueReference": {"display": "Ann"}},
    ]
    assert codes("choice", {"display": "Bob"}, key="valueReference", answerOption=listed) == ["option"]
    assert codes("choice", {"display": "Ann"}, key="valueReference", answerOption=listed) == []
    assert codes("choice", "10:00:00.000", key="valueTime", answerOption=[{"valueTime": "10:00:00"}]) == []
    assert codes("open-choice", 9, key="valueInteger", answerOption=[{"valueInteger": 1}, option("a")]) == ["option"]


def test_a_condition_compares_with_one_answer_only() -> None:
    both = when("x", answerString="1", answerInteger=1)
    with pytest.raises(FormRefused, match="several answers"):
        form(q("x"), q("y", enableWhen=[both]))


def test_a_part_of_a_form_may_be_named_as_what_was_answered() -> None:
    assert found(form(q("x")), questionnaire="https://example.org/form#page-2") == []
    assert found(form(q("x")), questionnaire="https://example.org/other#form") == [("", "form-mismatch", "error")]


def test_a_text_from_elsewhere_may_be_as_long_as_fhir_lets_it_be() -> None:
    assert codes("text", "x" * 1024 * 1024, key="valueString") == []
    assert codes("text", "x" * (1024 * 1024 + 1), key="valueString") == ["too-long"]
    assert codes("text", "x" * 200_000, key="valueString", maxLength=150_000) == ["too-long"]


@pytest.mark.parametrize(("value", "wrong"), [("0.5", ["too-small"]), ("1", []), ("5", []), ("9.01", ["too-large"])])
def test_a_number_is_held_to_limits_in_another_unit_than_its_own(value: str, wrong: list[str]) -> None:
    grams = {"system": UCUM, "code": "g"}
    limits = [
        {"url": f"{SDC}minQuantity", "valueQuantity": {"value": 1000, **grams}},
        {"url": f"{SDC}maxQuantity", "valueQuantity": {"value": 9000, **grams}},
    ]
    unit = hl7("questionnaire-unit", valueCoding={"system": UCUM, "code": "kg"})
    assert codes("decimal", Decimal(value), unit, *limits) == wrong


POINTING = [
    ("source", "Patient/1", True),
    ("source", "https://example.org/fhir/RelatedPerson/1", True),
    ("source", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", True),
    ("source", "Observation/1", False),
    ("author", "Organization/1", True),
    ("author", "Location/1", False),
    ("encounter", "Encounter/1", True),
    ("encounter", "Appointment/1", False),
]


@pytest.mark.parametrize(("name", "reference", "right"), POINTING)
def test_a_response_points_only_to_what_it_may(name: str, reference: str, right: bool) -> None:
    assert found(form(q("x")), **{name: {"reference": reference}}) == [("", "reference-kind", "error")] * (not right)


def test_what_a_response_is_part_of_is_looked_at_one_by_one() -> None:
    several = [{"reference": "Procedure/1"}, {"reference": "Patient/1"}, {"type": "CarePlan"}]
    assert found(form(q("x")), partOf=several) == [("", "reference-kind", "error")] * 2
