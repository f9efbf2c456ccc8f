"""What is extracted is FHIR R4: a value is turned into what its element holds, or left out and named, by template and definition."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from portal.fhir.structure import problems
from portal.questionnaire import extract, load
from tests.questionnaire.extracting import CORE, a, at, bundle, definition, text, value_at
from tests.questionnaire.make import SDC, context, q, raw_form

Json = dict[str, Any]
NONE: Any = object()
CODING = {"valueCoding": {"system": "urn:s", "code": "final", "display": "Final"}}
QUANTITY = {"valueQuantity": {"value": Decimal("2.5"), "unit": "kg"}}
VALUES: list[tuple[str, str, Json, Any]] = [
    ("Patient.birthDate", "string", text("yesterday"), NONE),
    ("Patient.birthDate", "string", text("1990-02"), "1990-02"),
    ("Patient.birthDate", "dateTime", {"valueDateTime": "1990-02-03T04:05:06Z"}, "1990-02-03"),
    ("Patient.birthDate", "integer", {"valueInteger": 1990}, NONE),
    ("Patient.gender", "string", text("girl"), NONE),
    ("Patient.gender", "choice", {"valueCoding": {"code": "female"}}, "female"),
    ("Patient.active", "string", text("true"), True),
    ("Patient.active", "string", text("perhaps"), NONE),
    ("Patient.active", "boolean", {"valueBoolean": False}, False),
    ("Patient.maritalStatus", "string", text("Married"), {"text": "Married"}),
    ("Patient.maritalStatus", "choice", CODING, {"coding": [CODING["valueCoding"]]}),
    ("Patient.maritalStatus", "decimal", {"valueDecimal": Decimal("1.5")}, NONE),
    ("Observation.status", "choice", CODING, "final"),
    ("Observation.status", "string", text("two words"), NONE),
    ("Observation.issued", "date", {"valueDate": "2020-01-01"}, NONE),
    ("Observation.issued", "dateTime", {"valueDateTime": "2020-01-01T10:00:00Z"}, "2020-01-01T10:00:00Z"),
    ("Observation.method", "quantity", QUANTITY, NONE),
    ("Observation.effectiveDateTime", "string", text("last week"), NONE),
    ("Observation.effectiveDateTime", "date", {"valueDate": "2020-01"}, "2020-01"),
    ("Observation.valueInteger", "decimal", {"valueDecimal": Decimal("7.0")}, 7),
    ("Observation.valueInteger", "decimal", {"valueDecimal": Decimal("7.5")}, NONE),
    ("Observation.valueInteger", "string", text("12"), 12),
    ("Observation.valueQuantity", "string", text("12.50"), {"value": Decimal("12.50")}),
    ("Observation.valueQuantity", "string", text("a lot"), NONE),
    ("Observation.valueString", "decimal", {"valueDecimal": Decimal("1.50")}, "1.50"),
    ("Observation.valueTime", "string", text("ten"), NONE),
    ("Observation.valueBoolean", "choice", CODING, NONE),
]  # fmt: skip
NAMES = [f"{path} of {kind} {next(iter(answer.values()))}" for path, kind, answer, _ in VALUES]


def by_template(path: str, kind: str) -> Json:
    resource, element = path.split(".")
    said = {"url": f"{SDC}templateExtractValue", "valueString": "item.where(linkId = 'a').answer.value"}
    template = {"resourceType": resource, "id": "t", "language": "en", f"_{element}": {"extension": [said]}}
    if problems({"resourceType": resource, element: {}}) and element in (
        "maritalStatus",
        "method",
        "valueQuantity",
    ):  # an element with parts has its instruction in it
        template = {"resourceType": resource, "id": "t", "language": "en", element: {"extension": [said]}}
    begun = {"url": SDC + "templateExtract", "extension": [{"url": "template", "valueReference": {"reference": "#t"}}]}
    return raw_form(q("a", kind), contained=[template], extension=[begun])


def by_definition(path: str, kind: str) -> Json:
    resource = path.split(".")[0]
    sure = value_at(f"{resource}.language", valueCode="en")
    return raw_form(q("a", kind, definition=at(path)), extension=[definition(CORE + resource), sure])


@pytest.mark.parametrize("way", [by_template, by_definition])
@pytest.mark.parametrize(("path", "kind", "answer", "value"), VALUES, ids=NAMES)
def test_an_element_gets_a_value_of_its_own_type_or_none_and_that_is_said(
    way: Any, path: str, kind: str, answer: Json, value: Any
) -> None:
    (entry,), troubles = bundle(way(path, kind), a("a", answer))
    resource, element = entry["resource"], path.split(".")[1]
    assert resource["language"] == "en"
    assert resource.get(element, NONE) == value
    assert type(resource.get(element, NONE)) is type(value)
    assert [one.path for one in problems(resource) if one.code != "required"] == []
    assert bool(troubles) == (value is NONE)


def test_what_a_form_says_nothing_for_is_named_and_no_trouble() -> None:
    raw = raw_form(q("a", definition=at("RelatedPerson.birthDate")), extension=[definition(CORE + "RelatedPerson")])
    made = extract(load(raw), {"resourceType": "QuestionnaireResponse", "item": [a("a", text("1990"))]}, context())
    assert made.troubles == ()
    assert [one.reason for one in made.lacking] == [
        "RelatedPerson.patient is required, and the form says nothing for it"
    ]


def test_a_resource_of_which_nothing_is_left_is_none() -> None:
    raw = raw_form(q("a", definition=at("Patient.birthDate")), extension=[definition(CORE + "Patient")])
    entries, troubles = bundle(raw, a("a", text("yesterday")))
    assert entries == []
    assert troubles == [": Patient.birthDate is left out: This is not a date: YYYY, YYYY-MM or YYYY-MM-DD."]


def test_the_forms_own_bundle_gets_what_a_transaction_needs() -> None:
    """An entry without a request or an address; one that has them keeps them."""
    said = {
        "extension": [{"url": f"{SDC}templateExtractValue", "valueString": "item.where(linkId = 'a').answer.value"}]
    }
    bare = {"resource": {"resourceType": "Patient", "name": [{"_text": said}]}}
    own = {"fullUrl": "urn:x:1", "request": {"method": "PUT", "url": "Patient?identifier=1"}}
    template = {"resourceType": "Bundle", "id": "b", "type": "transaction", "entry": [bare, {**bare, **own}]}
    asked = {"url": f"{SDC}templateExtractBundle", "valueReference": {"reference": "#b"}}
    (first, second), troubles = bundle(raw_form(q("a"), contained=[template], extension=[asked]), a("a", text("Ann")))
    assert troubles == []
    assert (first["request"], first["fullUrl"][:9]) == ({"method": "POST", "url": "Patient"}, "urn:uuid:")
    assert {name: second[name] for name in own} == own
    assert problems({"resourceType": "Bundle", "type": "transaction", "entry": [first, second]}) == []
