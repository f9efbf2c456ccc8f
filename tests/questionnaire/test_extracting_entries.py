"""Extraction: what else an entry is to be (observationExtractEntry), which of several resources an answer belongs to, and
where a further value for an element goes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.questionnaire.extracting import CORE, SDC, a, at, bundle, definition, g, said, text, value_at
from tests.questionnaire.make import fhirpath, group, q, raw_form

EXTRACT = {"url": SDC + "observationExtract", "valueBoolean": True}
CODE = [{"system": "http://loinc.org", "code": "1"}]


def entry(**parts: str) -> dict[str, Any]:
    return {"url": SDC + "observationExtractEntry", "extension": said(parts)}


def allocated(name: str) -> dict[str, Any]:
    return {"url": SDC + "extractAllocateId", "valueString": name}


def extracted(*extensions: dict[str, Any]) -> dict[str, Any]:
    form = raw_form(q("x", "boolean", code=CODE, ext=[EXTRACT, *extensions]))
    [made], troubles = bundle(form, a("x", {"valueBoolean": True}))
    assert troubles == []
    return made


def test_an_observation_has_the_address_and_the_request_that_its_item_says() -> None:
    parts = {"fullUrl": "%x", "resourceId": "%x", "ifMatch": "'W/' + %x", "ifModifiedSince": "%resource.authored"}
    made = extracted(allocated("x"), entry(**parts))
    identity = made["resource"]["id"]
    assert made["fullUrl"] == f"urn:uuid:{identity}"
    assert made["request"] == {"method": "PUT", "url": f"Observation/{identity}", "ifMatch": f"W/{identity}"}


def test_an_observation_that_must_not_exist_yet_is_created() -> None:
    assert extracted(entry(ifNoneExist="'code=1'"))["request"] == {
        "method": "POST",
        "url": "Observation",
        "ifNoneExist": "code=1",
    }


def test_an_observation_with_an_address_of_its_own_still_replaces_what_an_earlier_response_made() -> None:
    plain, named = extracted(), extracted(allocated("x"), entry(fullUrl="%x"))
    assert plain["request"] == named["request"]
    assert plain["resource"] == named["resource"]
    assert plain["fullUrl"] != named["fullUrl"]


@pytest.mark.parametrize("repeats", [False, True])
def test_another_resource_points_to_each_observation(repeats: bool) -> None:
    def weight(link_id: str) -> dict[str, Any]:
        points = value_at("DiagnosticReport.result.reference", expression=f"%{link_id}")
        said = [allocated(link_id), entry(fullUrl=f"%{link_id}"), points]
        return q(link_id, "integer", code=CODE, ext=said)

    head = [EXTRACT, definition(CORE + "DiagnosticReport"), value_at("DiagnosticReport.status", valueCode="final")]
    parts = [group("g", weight("one"), repeats=True)] if repeats else [weight("one"), weight("two")]
    one, two = a("one", {"valueInteger": 1}), a("one" if repeats else "two", {"valueInteger": 2})
    given = [g("g", one), g("g", two)] if repeats else [one, two]
    [report, *observations], troubles = bundle(raw_form(*parts, extension=head), *given)
    assert [one["reference"] for one in report["resource"]["result"]] == [one["fullUrl"] for one in observations]
    assert troubles == []


def test_a_component_of_nothing_is_told_and_what_stands_below_it_is_extracted() -> None:
    part = {"url": SDC + "observationExtract", "valueCode": "component"}
    below = q("below", "boolean", code=CODE, ext=[EXTRACT])
    form = raw_form(group("g", q("x", "boolean", below, code=CODE, ext=[part])))
    answer = {"valueBoolean": True, "item": [a("below", {"valueBoolean": False})]}
    [made], troubles = bundle(form, g("g", a("x", answer)))
    assert made["resource"]["valueBoolean"] is False
    assert troubles == ["x: it is a component, and nothing around it is extracted"]


PROFILES = {
    url: {"resourceType": "StructureDefinition", "url": url, "type": "Observation"}
    for url in ("urn:p:tall", "urn:p:heavy")
}


@pytest.mark.parametrize("nested", [False, True])
def test_of_resources_of_one_type_an_answer_belongs_to_that_of_its_profile(nested: bool) -> None:
    def of(url: str, link_id: str, path: str, kind: str = "string") -> dict[str, Any]:
        return q(link_id, kind, definition=f"{url}#Observation.{path}")

    tall = of("urn:p:tall", "tall", "value[x]", "integer")
    heavy = [of("urn:p:heavy", "heavy", "value[x]", "integer"), of("urn:p:tall", "how", "method.text")]
    if nested:
        form = raw_form(tall, group("g", *heavy, ext=[definition("urn:p:heavy")]), extension=[definition("urn:p:tall")])
    else:
        form = raw_form(tall, group("g", *heavy), extension=[definition("urn:p:tall"), definition("urn:p:heavy")])
    given = [a("tall", {"valueInteger": 1}), g("g", a("heavy", {"valueInteger": 2}), a("how", text("lying")))]
    entries, troubles = bundle(form, *given, registry=PROFILES)
    first, second = (one["resource"] for one in entries)
    assert (first["meta"]["profile"], first["valueInteger"], first["method"]) == (["urn:p:tall"], 1, {"text": "lying"})
    assert (second["meta"]["profile"], second["valueInteger"], "method" in second) == (["urn:p:heavy"], 2, False)
    assert troubles == []


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("Patient.telecom.value", {"telecom": [{"value": "1"}, {"value": "2"}]}),
        ("Patient.contact.name.family", {"contact": [{"name": {"family": "1"}}, {"name": {"family": "2"}}]}),
        (
            "Patient.communication.language",
            {"communication": [{"language": {"text": "1"}}, {"language": {"text": "2"}}]},
        ),
        ("Patient.name.given", {"name": [{"given": ["1", "2"]}]}),
        ("Patient.maritalStatus.coding.code", {"maritalStatus": {"coding": [{"code": "1"}, {"code": "2"}]}}),
    ],
)
def test_the_value_of_another_question_has_a_place_of_its_own(path: str, made: dict[str, Any]) -> None:
    form = raw_form(q("x", definition=at(path)), q("y", definition=at(path)), extension=[definition(CORE + "Patient")])
    [entry_], troubles = bundle(form, a("x", text("1")), a("y", text("2")))
    assert (entry_["resource"], troubles) == ({"resourceType": "Patient", **made}, [])


def test_what_is_fixed_for_a_choice_of_types_joins_the_answer_in_it() -> None:
    path = "Observation.value[x]."
    weight = q("x", "decimal", definition=at(f"{path}value"), ext=[value_at(f"{path}unit", valueString="kg")])
    entries, troubles = bundle(
        raw_form(weight, extension=[definition(CORE + "Observation")]), a("x", {"valueDecimal": 5})
    )
    assert (entries[0]["resource"]["valueQuantity"], troubles) == ({"value": 5, "unit": "kg"}, [])


def test_an_element_of_a_datatype_is_meant_in_the_element_of_that_type_around() -> None:
    family = q("x", definition=CORE + "HumanName#HumanName.family")
    named = group("n", family, definition=at("Patient.contact.name"))
    form = raw_form(group("c", named, definition=at("Patient.contact")), extension=[definition(CORE + "Patient")])
    entries, troubles = bundle(form, g("c", g("n", a("x", text("Gray")))))
    assert (entries[0]["resource"]["contact"], troubles) == ([{"name": {"family": "Gray"}}], [])


@pytest.mark.parametrize(("kinds", "made"), [(["Patient"], 1), (["Patient", "Person"], 0)])
def test_an_extraction_context_may_be_what_the_form_is_started_with(kinds: list[str], made: int) -> None:
    types = [{"url": "type", "valueCode": kind} for kind in kinds]
    launch = {
        "url": SDC + "launchContext",
        "extension": [{"url": "name", "valueCoding": {"code": "who"}}, *types],
    }
    context = {"url": SDC + "itemExtractionContext", "valueExpression": fhirpath("%who")}
    form = raw_form(q("x", definition=at("Patient.name.family")), extension=[launch, context])
    entries, troubles = bundle(form, a("x", text("Gray")))
    assert (len(entries), len(troubles)) == (made, 1 - made)
