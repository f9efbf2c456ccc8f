"""Extraction by definitions: choices of types by what stands under them, primitives with extensions, parts that repeat."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.questionnaire.extracting import CORE, a, at, bundle, definition, g, text, value_at
from tests.questionnaire.make import group, option, q, raw_form

YEARS = {"value": Decimal(3), "unit": "years", "system": "http://unitsofmeasure.org", "code": "a"}
CODE = option("c")
DATE = {"valueDate": "2020-02"}
BORN = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
CHOSEN: list[tuple[str, str, dict[str, Any], str, Any]] = [
    ("quantity", "Condition.onset[x]", {"valueQuantity": YEARS}, "onsetAge", YEARS),
    ("quantity", "Observation.value[x]", {"valueQuantity": YEARS}, "valueQuantity", YEARS),
    ("string", "MedicationStatement.medication[x]", text("pill"), "medicationCodeableConcept", {"text": "pill"}),
    ("open-choice", "MedicationStatement.medication[x]", CODE, "medicationCodeableConcept", {"coding": [CODE["valueCoding"]]}),
    ("string", "Condition.onset[x]", text("as a child"), "onsetString", "as a child"),
    ("dateTime", "FamilyMemberHistory.born[x]", {"valueDateTime": "2020-02-03T10:00:00Z"}, "bornDate", "2020-02-03"),
    ("date", "Immunization.occurrence[x]", DATE, "occurrenceDateTime", "2020-02"),
    ("date", "MedicationStatement.effective[x].start", DATE, "effectivePeriod", {"start": "2020-02"}),
    ("date", "MedicationStatement.effectivePeriod.end", DATE, "effectivePeriod", {"end": "2020-02"}),
    ("decimal", "Observation.value[x].value", {"valueDecimal": Decimal("1.10")}, "valueQuantity", {"value": Decimal("1.10")}),
    ("choice", "Observation.value[x].coding", CODE, "valueCodeableConcept", {"coding": [CODE["valueCoding"]]}),
    ("string", "Observation.value[x].text", text("red"), "valueCodeableConcept", {"text": "red"}),
    ("string", "MedicationStatement.medication[x].display", text("pill"), "medicationReference", {"display": "pill"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "answer", "key", "value"), CHOSEN, ids=[f"{c[0]} {c[1]}" for c in CHOSEN])
def test_a_choice_of_types_becomes_the_one_that_holds_the_answer(
    kind: str, path: str, answer: dict[str, Any], key: str, value: Any
) -> None:
    kind_of = path.partition(".")[0]
    made = raw_form(q("a", kind, definition=at(path)), extension=[definition(f"{CORE}{kind_of}")])
    [entry], troubles = bundle(made, a("a", answer))
    assert (entry["resource"], troubles) == ({"resourceType": kind_of, key: value}, [])


@pytest.mark.parametrize("born", [True, False])
def test_an_extension_of_a_plain_value_stands_beside_it_also_where_there_is_none(born: bool) -> None:
    items = [
        q("day", "date", definition=at("Patient.birthDate")),
        q("time", "dateTime", definition=at("Patient.birthDate.extension.value[x]"),
          ext=[value_at("Patient.birthDate.extension.url", valueUri=BORN)]),
    ]  # fmt: skip
    moment = {"valueDateTime": "2020-01-02T10:00:00Z"}
    given = [*([a("day", {"valueDate": "2020-01-02"})] if born else []), a("time", moment)]
    [entry], troubles = bundle(raw_form(*items, extension=[definition(f"{CORE}Patient")]), *given)
    plain = {"birthDate": "2020-01-02"} if born else {}
    wanted = {"resourceType": "Patient", **plain, "_birthDate": {"extension": [{"url": BORN, **moment}]}}
    assert (entry["resource"], troubles) == (wanted, [])


def test_an_extension_in_a_list_of_plain_values_stands_beside_the_last() -> None:
    url = value_at("Patient.name.given.extension.url", valueUri="urn:q")
    items = [q("given", repeats=True, definition=at("Patient.name.given")),
             q("how", definition=at("Patient.name.given.extension.value[x]"), ext=[url])]  # fmt: skip
    made = raw_form(*items, extension=[definition(f"{CORE}Patient")])
    [entry], _ = bundle(made, a("given", text("A"), text("B")), a("how", text("x")))
    beside = [None, {"extension": [{"url": "urn:q", "valueString": "x"}]}]
    assert entry["resource"]["name"] == [{"given": ["A", "B"], "_given": beside}]


NAME = q("name", definition=at("Patient.contact.name.family"))
PHONE = q("phone", definition=at("Patient.contact.telecom.value"))
KIND = value_at("Patient.contact.telecom.system", valueCode="phone")


@pytest.mark.parametrize("own", [True, False], ids=["with a definition", "without"])
def test_a_part_that_repeats_is_another_element_each_time_whether_it_says_so_or_not(own: bool) -> None:
    def named(path: str) -> dict[str, Any]:
        return {"definition": at(path)} if own else {}

    phones = group("phones", PHONE, repeats=True, ext=[KIND], **named("Patient.contact.telecom"))
    made = raw_form(
        group("contact", NAME, phones, repeats=True, **named("Patient.contact")),
        extension=[definition(f"{CORE}Patient")],
    )
    given = [
        g("contact", a("name", text("A")), g("phones", a("phone", text("1"))), g("phones", a("phone", text("2")))),
        g("contact", a("name", text("B")), g("phones", a("phone", text("3")))),
    ]
    [entry], troubles = bundle(made, *given)
    assert entry["resource"]["contact"] == [
        {
            "name": {"family": "A"},
            "telecom": [{"system": "phone", "value": "1"}, {"system": "phone", "value": "2"}],
        },
        {"name": {"family": "B"}, "telecom": [{"system": "phone", "value": "3"}]},
    ]
    assert troubles == []


def test_a_further_answer_for_an_element_that_holds_one_is_told_and_does_not_replace_the_first() -> None:
    made = raw_form(
        q("a", repeats=True, definition=at("Condition.code.text")), extension=[definition(f"{CORE}Condition")]
    )
    [entry], troubles = bundle(made, a("a", text("1"), text("2")))
    assert entry["resource"]["code"] == {"text": "1"}
    assert troubles == ["a: CodeableConcept.text holds one value: a further one has no place"]


def test_a_resource_of_which_nothing_is_left_is_not_made() -> None:
    made = raw_form(q("a", definition=at("Patient.extension.value[x]")), extension=[definition(f"{CORE}Patient")])
    assert bundle(made, a("a", text("x"))) == ([], [": extension: nothing says its url"])
