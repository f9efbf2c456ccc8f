"""Extraction by definitions, as SDC 3 and SDC 4 say it; and what an entry of the transaction holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.questionnaire.extracting import CORE, HIDDEN, NAMES, SDC, a, at, bundle, definition, g, said, text, value_at
from tests.questionnaire.make import group, q, raw_form


def test_a_patient_is_put_together_from_groups_and_repeats() -> None:
    form = raw_form(
        NAMES, q("born", "date", definition=at("Patient.birthDate")), extension=[definition(CORE + "Patient")]
    )
    entries, troubles = bundle(
        form,
        g("names", a("family", text("Lovelace")), a("given", text("Augusta"), text("Ada"))),
        g("names", a("family", text("King"))),
        a("born", {"valueDate": "1815-12"}),
    )
    assert troubles == []
    assert entries[0]["resource"] == {
        "resourceType": "Patient",
        "name": [{"family": "Lovelace", "given": ["Augusta", "Ada"]}, {"family": "King"}],
        "birthDate": "1815-12",
    }
    assert entries[0]["request"] == {"method": "POST", "url": "Patient"}


@pytest.mark.parametrize(
    "begun",
    [
        definition(CORE + "Patient"),
        {"url": SDC + "definitionExtract", "valueCode": "Patient"},
        {"url": SDC + "itemExtractionContext", "valueCode": "Patient"},
        {
            "url": SDC + "itemExtractionContext",
            "valueExpression": {"language": "application/x-fhir-query", "expression": "Patient?_id={{%patient.id}}"},
        },
    ],
    ids=["SDC 4", "an early SDC 4", "SDC 3: a type", "SDC 3: a query"],
)
def test_a_hidden_answer_for_the_id_makes_it_an_update(begun: dict[str, Any]) -> None:
    hidden = q("id", definition=at("Patient.id"), ext=[HIDDEN])
    form = raw_form(hidden, q("born", "date", definition=at("Patient.birthDate")), extension=[begun])
    known, _ = bundle(form, a("id", text("p7")), a("born", {"valueDate": "1815"}))
    assert known[0]["request"] == {"method": "PUT", "url": "Patient/p7"}
    assert known[0]["resource"] == {"resourceType": "Patient", "id": "p7", "birthDate": "1815"}
    new, _ = bundle(form, a("born", {"valueDate": "1815"}))
    assert new[0]["request"]["method"] == "POST"


def test_a_group_that_repeats_makes_a_resource_each_and_one_without_answers_none() -> None:
    relative = group(
        "kin",
        q("id", definition=at("RelatedPerson.id"), ext=[HIDDEN]),
        q("birth", "date", definition=at("RelatedPerson.birthDate")),
        repeats=True,
        ext=[definition(CORE + "RelatedPerson"), value_at("RelatedPerson.active", valueBoolean=True)],
    )
    form = raw_form(relative, group("none", q("x"), ext=[definition(CORE + "Condition")]))
    entries, _ = bundle(
        form,
        g("kin", a("id", text("k1")), a("birth", {"valueDate": "1990"})),
        g("kin", a("birth", {"valueDate": "1991"})),
    )
    assert [entry["request"]["url"] for entry in entries] == ["RelatedPerson/k1", "RelatedPerson"]
    assert [entry["resource"]["active"] for entry in entries] == [True, True]
    assert len({entry["fullUrl"] for entry in entries}) == 2


def test_a_question_that_repeats_makes_a_resource_for_each_answer() -> None:
    allergy = CORE + "AllergyIntolerance"
    asked = q(
        "allergies",
        "open-choice",
        repeats=True,
        definition=at("AllergyIntolerance.code"),
        ext=[
            definition(allergy),
            value_at("AllergyIntolerance.note.text", expression="answer.value.ofType(Coding).display"),
            value_at("AllergyIntolerance.patient", expression="%resource.subject"),
        ],
    )
    nuts, milk = ({"system": "urn:x", "code": code, "display": code.title()} for code in ("nuts", "milk"))
    entries, troubles = bundle(
        raw_form(asked),
        a("allergies", {"valueCoding": nuts}, {"valueCoding": milk}),
        subject={"reference": "Patient/1"},
    )
    assert troubles == []
    assert [entry["resource"]["code"] for entry in entries] == [{"coding": [nuts]}, {"coding": [milk]}]
    assert [entry["resource"]["note"] for entry in entries] == [[{"text": "Nuts"}], [{"text": "Milk"}]]
    assert {entry["resource"]["patient"]["reference"] for entry in entries} == {"Patient/1"}
    assert len({entry["fullUrl"] for entry in entries}) == 2


def test_a_profile_is_followed_to_its_type_named_in_meta_and_its_fixed_values_join() -> None:
    profile = "https://example.org/StructureDefinition/smoking"
    known = {
        "resourceType": "StructureDefinition",
        "url": profile,
        "type": "Observation",
        "differential": {
            "element": [
                {"id": "Observation.status", "path": "Observation.status", "fixedCode": "final"},
                {"id": "Observation.code", "path": "Observation.code", "patternCodeableConcept": {"text": "Smoking"}},
                {
                    "id": "Observation.category:x",
                    "path": "Observation.category",
                    "patternCodeableConcept": {"text": "x"},
                },
            ]
        },
    }
    smoking = q("smokes", "boolean", definition=f"{profile}#Observation.value[x]")
    form = raw_form(smoking, extension=[definition(f"{profile}|2")])
    entries, troubles = bundle(form, a("smokes", {"valueBoolean": True}), registry={profile: known})
    assert (entries[0]["resource"], troubles) == (
        {
            "resourceType": "Observation",
            "meta": {"profile": [f"{profile}|2"]},
            "valueBoolean": True,
            "status": "final",
            "code": {"text": "Smoking"},
        },
        [],
    )
    without, _ = bundle(form, a("smokes", {"valueBoolean": True}))
    assert without[0]["resource"]["resourceType"] == "Observation"
    lost = raw_form(q("a"), extension=[definition("https://example.org/nothing")])
    assert bundle(lost, a("a", text("x"))) == (
        [],
        [": https://example.org/nothing names no type of resource that is known"],
    )


def test_every_part_of_an_entry_may_be_worked_out() -> None:
    parts = {
        "fullUrl": "'urn:uuid:0f1d6b3e-0000-4000-8000-000000000001'",
        "resourceId": "'p1'",
        "ifNoneMatch": "'*'",
        "ifModifiedSince": "'2026-01-01'",
        "ifMatch": "'W/\"1\"'",
        "ifNoneExist": "'identifier=' + item.where(linkId = 'a').answer.value",
    }
    template = {"resourceType": "Patient", "id": "t", "active": True}
    template_extract = {
        "url": SDC + "templateExtract",
        "extension": [{"url": "template", "valueReference": {"reference": "#t"}}, *said(parts)],
    }
    for begun in (definition(CORE + "Patient", **parts), template_extract):
        form = raw_form(q("a", definition=at("Patient.name.text")), contained=[template], extension=[begun])
        (entry,), troubles = bundle(form, a("a", text("x")))
        assert troubles == []
        assert entry["fullUrl"] == "urn:uuid:0f1d6b3e-0000-4000-8000-000000000001"
        assert entry["request"] == {
            "method": "PUT", "url": "Patient/p1", "ifNoneMatch": "*", "ifModifiedSince": "2026-01-01",
            "ifMatch": 'W/"1"', "ifNoneExist": "identifier=x",
        }  # fmt: skip
        assert entry["resource"]["id"] == "p1"


def test_a_resource_that_is_asked_for_and_gets_nothing_is_told() -> None:
    empty = group("g", q("a"), ext=[definition(CORE + "Patient")])
    assert bundle(raw_form(empty), g("g", a("a", text("x")))) == ([], ["g: none of its answers has a definition"])
    assert bundle(raw_form(empty)) == ([], [])


def test_words_for_an_element_with_parts_go_where_words_go() -> None:
    paths = {"identifier": "value", "name": "text", "telecom": "value", "address": "text"}
    items = [q(name, definition=at(f"Patient.{name}")) for name in paths]
    form = raw_form(*items, extension=[definition(CORE + "Patient")])
    (entry,), troubles = bundle(form, *(a(name, text("x")) for name in paths))
    assert troubles == []
    assert entry["resource"] == {"resourceType": "Patient", **{name: [{part: "x"}] for name, part in paths.items()}}
