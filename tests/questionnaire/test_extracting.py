"""Extraction by observations, definitions and templates, as the guide's SDC 3 and SDC 4 say it."""

from __future__ import annotations

from typing import Any

import pytest

from portal.questionnaire import extract, load
from tests.questionnaire.make import SDC, context, fhirpath, group, hl7, q, raw_form

CORE = "http://hl7.org/fhir/StructureDefinition/"
HIDDEN = hl7("questionnaire-hidden", valueBoolean=True)


def bundle(raw: dict[str, Any], *items: dict[str, Any], **fields: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """(entries, troubles) of a response with these items."""
    registry = fields.pop("registry", {})
    response = {
        "resourceType": "QuestionnaireResponse",
        "id": "r",
        "status": "completed",
        "item": list(items),
        **fields,
    }
    made = extract(load(raw, registry=registry), response, context())
    return made.bundle.get("entry", []), [f"{one.link_id}: {one.reason}" for one in made.troubles]


def a(link_id: str, *answers: dict[str, Any]) -> dict[str, Any]:
    return {"linkId": link_id, "answer": list(answers)}


def g(link_id: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"linkId": link_id, "item": list(items)}


def text(value: str) -> dict[str, Any]:
    return {"valueString": value}


def definition(canonical: str, **parts: str) -> dict[str, Any]:
    """definitionExtract, its further parts as FHIRPath."""
    inner = [{"url": "definition", "valueCanonical": canonical}]
    return {"url": SDC + "definitionExtract", "extension": [*inner, *said(parts)]}


def said(parts: dict[str, str]) -> list[dict[str, Any]]:
    return [{"url": name, "valueString": expression} for name, expression in parts.items()]


def value_at(path: str, *, base: str = CORE, expression: str = "", **fixed: Any) -> dict[str, Any]:
    key, value = next(iter(fixed.items()), ("", None))
    how = (
        {"url": "expression", "valueExpression": fhirpath(expression)}
        if expression
        else {"url": "fixed-value", key: value}
    )
    where = {"url": "definition", "valueUri": f"{base}{path.split('.')[0]}#{path}"}
    return {"url": SDC + "definitionExtractValue", "extension": [where, how]}


def at(path: str) -> str:
    return f"{CORE}{path.split('.')[0]}#{path}"


NAMES = group(
    "names",
    q("family", definition=at("Patient.name.family")),
    q("given", repeats=True, definition=at("Patient.name.given")),
    definition=at("Patient.name"),
    repeats=True,
)


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


def test_a_template_at_a_question_that_repeats_is_filled_for_each_answer_with_ids_of_its_own() -> None:
    value = {"extension": [{"url": SDC + "templateExtractValue", "valueString": "answer.value * 100"}]}
    note = {"extension": [{"url": SDC + "templateExtractValue", "valueString": "%context.answer.value"}]}
    template = {
        "resourceType": "Observation",
        "id": "t",
        "status": "final",
        "valueQuantity": {"_value": value, "unit": "cm"},
        "focus": [{"_reference": {"extension": [{"url": SDC + "templateExtractValue", "valueString": "%new"}]}}],
        "note": [{"_text": note}],
    }
    heights = q(
        "heights",
        "decimal",
        repeats=True,
        ext=[
            {"url": SDC + "templateExtract", "extension": [{"url": "template", "valueReference": {"reference": "#t"}}]},
            {"url": SDC + "extractAllocateId", "valueString": "new"},
        ],
    )
    entries, troubles = bundle(
        raw_form(heights, contained=[template]), a("heights", {"valueDecimal": 1}, {"valueDecimal": 2})
    )
    assert troubles == []
    assert [entry["resource"]["valueQuantity"]["value"] for entry in entries] == [100, 200]
    assert [entry["resource"]["note"][0]["text"] for entry in entries] == ["1", "2"]
    references = [entry["resource"]["focus"][0]["reference"] for entry in entries]
    assert len(set(references)) == 2
    assert all(reference.startswith("urn:uuid:") for reference in references)


def test_a_template_takes_contexts_lists_and_leaves_out_what_has_no_answer() -> None:
    def from_(expression: str, name: str = "templateExtractValue") -> dict[str, Any]:
        return {"url": SDC + name, "valueString": expression}

    template = {
        "resourceType": "Patient",
        "id": "t",
        "name": [
            {
                "extension": [from_("item.where(linkId = 'names')", "templateExtractContext")],
                "_family": {"extension": [from_("item.where(linkId = 'family').answer.value.first()")]},
                "given": ["dummy"],
                "_given": [{"extension": [from_("item.where(linkId = 'given').answer.value")]}],
                "use": "official",
            }
        ],
        "telecom": [
            {
                "extension": [
                    from_("item.where(linkId = 'phone').answer.value", "templateExtractContext"),
                    {"url": "https://example.org/kept", "valueBoolean": True},
                ],
                "system": "phone",
                "_value": {"extension": [from_("$this")]},
            }
        ],
        "gender": "unknown",
        "_gender": {"extension": [from_("item.where(linkId = 'gender').answer.value.code")]},
    }
    begun = {"url": SDC + "templateExtract", "extension": [{"url": "template", "valueReference": {"reference": "#t"}}]}
    form = raw_form(NAMES, q("phone"), q("gender", "choice"), contained=[template], extension=[begun])
    entries, troubles = bundle(
        form,
        g("names", a("family", text("King")), a("given", text("Ada"), text("Augusta"))),
        g("names", a("given", text("A"))),
        a("phone", text("0123")),
    )
    assert troubles == []
    assert entries[0]["resource"] == {
        "resourceType": "Patient",
        "name": [
            {"family": "King", "given": ["Ada", "Augusta"], "use": "official"},
            {"given": ["A"], "use": "official"},
        ],
        "telecom": [
            {
                "extension": [{"url": "https://example.org/kept", "valueBoolean": True}],
                "system": "phone",
                "value": "0123",
            }
        ],
    }


def test_a_map_for_extraction_is_named_and_not_passed_over() -> None:
    mapped = {"url": SDC + "targetStructureMap", "valueCanonical": "https://example.org/map"}
    _, troubles = bundle(raw_form(q("a"), extension=[mapped]), a("a", text("x")))
    assert troubles == [": extraction by a StructureMap is not done here"]
    reasons = {one.feature: one.reason for one in load(raw_form(q("a"), extension=[mapped])).features.not_honoured}
    assert reasons == {"targetStructureMap": "extraction by a StructureMap is not done here"}


def loinc(code: str, *extensions: dict[str, Any]) -> dict[str, Any]:
    return {"system": "http://loinc.org", "code": code, **({"extension": list(extensions)} if extensions else {})}


def extracted(value: bool | str = True) -> dict[str, Any]:
    key = "valueBoolean" if isinstance(value, bool) else "valueCode"
    return {"url": SDC + "observationExtract", key: value}


def codes(entries: list[dict[str, Any]]) -> list[list[str]]:
    return [[coding["code"] for coding in entry["resource"]["code"]["coding"]] for entry in entries]


def test_the_nearest_word_decides_what_becomes_an_observation_and_a_code_speaks_for_itself() -> None:
    form = raw_form(
        group(
            "off",
            q("silent", code=[loinc("1")]),
            q("on", code=[loinc("2"), loinc("3")], ext=[extracted()]),
            q("by-code", code=[loinc("4"), loinc("5", extracted()), loinc("6", extracted(False))]),
            ext=[extracted(False)],
        ),
        q("root", code=[loinc("7"), loinc("8", extracted(False))]),
        q("codeless"),
        extension=[extracted()],
    )
    answers = [a(link_id, text("x")) for link_id in ("silent", "on", "by-code")]
    entries, troubles = bundle(form, g("off", *answers), a("root", text("x")), a("codeless", text("x")))
    assert (codes(entries), troubles) == ([["2", "3"], ["5"], ["7"]], [])
    assert "extension" not in entries[1]["resource"]["code"]["coding"][0]


def test_an_observation_carries_what_the_response_says_of_itself() -> None:
    category = {"coding": [{"system": "urn:c", "code": "survey"}]}
    form = raw_form(
        group("part", q("a", code=[loinc("1")], ext=[extracted()]), ext=[
            {"url": SDC + "observation-extract-category", "valueCodeableConcept": category}]),
    )  # fmt: skip
    head = {
        "subject": {"reference": "Patient/1"},
        "encounter": {"reference": "Encounter/1"},
        "author": {"reference": "RelatedPerson/1"},
        "authored": "2026-11-21T10:00:00Z",
        "basedOn": [{"reference": "ServiceRequest/1"}],
        "partOf": [{"reference": "Procedure/1"}],
    }
    ((entry,), _) = bundle(form, g("part", a("a", text("x"))), **head)
    made = entry["resource"]
    assert {key: made[key] for key in ("subject", "encounter", "basedOn", "partOf")} == {
        key: head[key] for key in ("subject", "encounter", "basedOn", "partOf")
    }
    assert (made["performer"], made["effectiveDateTime"], made["issued"]) == (
        [head["author"]],
        head["authored"],
        head["authored"],
    )
    assert (made["status"], made["category"], made["derivedFrom"]) == (
        "final",
        [category],
        [{"reference": "QuestionnaireResponse/r"}],
    )


def test_each_answer_of_a_question_is_an_observation_and_its_parts_join_as_they_say() -> None:
    panel = q(
        "panel",
        "choice",
        q("part", "decimal", code=[loinc("2")], ext=[extracted("component")]),
        q("member", "decimal", code=[loinc("3")], ext=[extracted("member")]),
        q("derived", "decimal", code=[loinc("4")], ext=[extracted("derived")]),
        q("apart", "decimal", code=[loinc("5")], ext=[extracted("independent")]),
        code=[loinc("1")],
        ext=[extracted()],
    )
    several = q("several", "integer", code=[loinc("9")], repeats=True, ext=[extracted()])
    inner = [a(link_id, {"valueDecimal": 1}) for link_id in ("part", "member", "derived", "apart")]
    entries, _ = bundle(
        raw_form(panel, several),
        a("panel", {"valueCoding": {"system": "urn:x", "code": "x"}, "item": inner}),
        a("several", {"valueInteger": 1}, {"valueInteger": 2}),
    )
    assert codes(entries) == [["1"], ["3"], ["4"], ["5"], ["9"], ["9"]]
    top, member, derived = (entry["resource"] for entry in entries[:3])
    assert [part["code"]["coding"][0]["code"] for part in top["component"]] == ["2"]
    assert top["hasMember"] == [{"reference": entries[1]["fullUrl"]}]
    assert {"reference": entries[0]["fullUrl"]} in derived["derivedFrom"]
    assert {"reference": entries[0]["fullUrl"]} not in member["derivedFrom"]


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
